"""A proxy leads to the host, or it is said why not; whatever it answers, nothing breaks and nothing of it is shown."""

import asyncio
import base64
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering
from tunnel.io.proxies import Proxy
from tunnel.io.stream import Stream
from tunnel.io.through import ProxyAnswerError, ask

SECONDS = 5.0


def proxy_of(scheme: str, username: str = "", password: str = "") -> Proxy:
    return Proxy(variable="X", scheme=scheme, host="proxy", port=1, username=username, password=password)


async def asked(proxy: Proxy, *answers: bytes, host: str = "host.example", ends: bool = True) -> bytes:
    """What a proxy is sent that gives these answers, one for each thing that it is sent."""
    sent = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        for data in answers:
            sent += await reader.read(65_536)
            writer.write(data)
            await writer.drain()
        if ends:
            writer.write_eof()
        await reader.read()

    async with answering(answer) as port:
        connected = socket.socket()
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
        stream = await Stream.over(connected)
        try:
            async with asyncio.timeout(SECONDS):
                await ask(stream, proxy, host, 443)
        finally:
            stream.abort()
    return sent


@asynchronous
async def test_http_is_asked_for_a_connection_and_nothing_else() -> None:
    sent = await asked(proxy_of("http"), b"HTTP/1.0 200 Connection established\r\nA: b\r\n\r\n")

    assert sent == b"CONNECT host.example:443 HTTP/1.1\r\nHost: host.example:443\r\n\r\n"


@asynchronous
async def test_http_is_told_who_we_are_if_the_environment_says_so() -> None:
    sent = await asked(proxy_of("https", "bob", "s\u00e9cret:\r\n"), b"HTTP/1.1 200 \r\n\r\n", host="fd00::1")
    lines = sent.split(b"\r\n")

    assert lines[:2] == [b"CONNECT [fd00::1]:443 HTTP/1.1", b"Host: [fd00::1]:443"]
    assert lines[3:] == [b"", b""]
    assert base64.b64decode(lines[2].removeprefix(b"Proxy-Authorization: Basic ")).decode() == "bob:s\u00e9cret:\r\n"


@asynchronous
async def test_an_answer_may_come_in_pieces() -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for byte in b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with answering(slowly) as port:
        connected = socket.socket()
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
        stream = await Stream.over(connected)
        await ask(stream, proxy_of("http"), "host.example", 443)
        stream.abort()


def http(status: int) -> bytes:
    return f"HTTP/1.1 {status} stranger's words\r\nContent-Length: 5\r\n\r\nstranger".encode()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http(407), "wants a user name and a password (status 407). Write them before its host"),
        (http(401), "wants a user name and a password (status 401)"),
        (http(403), "does not let us through to the host (status 403). Ask who runs it, or name the host in NO_PROXY"),
        (http(302), "does not let us through to the host (status 302)"),
        (http(502), "did not get through to the host (status 502). The host's tunnel is probably closed"),
        (b"", "closed the connection instead of letting us through"),
        (b"HTTP/1.1 200 OK\r\n", "closed the connection instead"),
        (b"SSH-2.0-stranger\r\n\r\n", "does not answer as such a proxy does. Check its scheme"),
        (b"HTTP/1.1 20\r\n\r\n", "does not answer as such a proxy does"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "does not answer as such a proxy does"),
        (b"HTTP/1.1 200 " + b"x" * 1_000_000, "does not answer as such a proxy does"),
        (b"\x05\xff\r\n\r\n", "does not answer as such a proxy does"),
    ],
    ids=[
        *("407", "401", "403", "302", "502", "nothing", "half a head", "ssh"),
        *("short status", "long status", "endless", "SOCKS"),
    ],
)
@asynchronous
async def test_an_http_proxy_that_does_not_lead_there_is_said_for_what_it_is(answer: bytes, says: str) -> None:
    with pytest.raises(ProxyAnswerError) as caught:
        await asked(proxy_of("http"), answer)

    assert says in str(caught.value)
    assert "stranger" not in str(caught.value)


@asynchronous
async def test_a_password_that_is_not_taken_is_said_and_not_repeated() -> None:
    """LINK-9."""
    with pytest.raises(ProxyAnswerError, match="does not take the user name and password in it") as caught:
        await asked(proxy_of("http", "bob", "secret"), http(407))

    assert "secret" not in str(caught.value)
    assert "bob" not in str(caught.value)


GRANTED = b"\x05\x00\x00\x01" + bytes(6)


@pytest.mark.parametrize(
    ("proxy", "answers", "host", "sent"),
    [
        (proxy_of("socks5h"), [b"\x05\x00", GRANTED], "host.example", b"\x05\x01\x00\x03\x0chost.example\x01\xbb"),
        (proxy_of("socks5"), [b"\x05\x00", GRANTED], "10.0.0.1", b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"),
        (
            proxy_of("socks5", "bob", "pw"),
            [b"\x05\x02", b"\x01\x00", GRANTED],
            "10.0.0.1",
            b"\x01\x03bob\x02pw\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb",
        ),
        (proxy_of("socks4"), [b"\x00\x5a" + bytes(6)], "10.0.0.1", b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00"),
        (proxy_of("socks4a", "bob"), [b"\x00\x5a" + bytes(6)], "h.example", b"\x00\x00\x00\x01bob\x00h.example\x00"),
    ],
    ids=["5h", "5", "5 with a user", "4", "4a"],
)
@asynchronous
async def test_socks_is_asked_for_a_connection(proxy: Proxy, answers: list[bytes], host: str, sent: bytes) -> None:
    assert (await asked(proxy, *answers, host=host)).endswith(sent)


@pytest.mark.parametrize(
    ("scheme", "answers", "says"),
    [
        ("socks5h", [b"\x05\xff"], "does not let us in. Check its user name and password"),
        ("socks5h", [b"\x05\x02"], "does not let us in"),
        ("socks5h", [b"HTTP/1.1 400 stranger's words"], "does not let us in"),
        ("socks5h", [b"\x05\x00", b"\x05\x02\x00"], "does not let us through to the host (reply 2)"),
        ("socks5h", [b"\x05\x00", b"\x05\x05\x00"], "did not get through to the host (reply 5)"),
        ("socks5h", [b"\x05\x00", b"\x05\x63\x00"], "does not let us in"),
        ("socks5h", [b"\x05\x00"], "closed the connection"),
        ("socks5h", [b"\x05"], "closed the connection"),
        ("socks5h", [], "closed the connection"),
        ("socks4a", [b"\x00\x5b" + bytes(6)], "did not get through to the host (reply 91)"),
        ("socks4a", [b"\x00\x5d" + bytes(6)], "does not let us through to the host (reply 93)"),
        ("socks4a", [b"\x09" * 8], "does not let us in"),
    ],
)
@asynchronous
async def test_a_socks_proxy_that_does_not_lead_there_is_said_for_what_it_is(
    scheme: str, answers: list[bytes], says: str
) -> None:
    with pytest.raises(ProxyAnswerError) as caught:
        await asked(proxy_of(scheme), *answers)

    assert says in str(caught.value)
    assert "stranger" not in str(caught.value)


@pytest.mark.parametrize("username", ["x" * 300, "b\u00f6b"], ids=["too long", "not ASCII"])
@asynchronous
async def test_a_user_whom_socks_cannot_spell_is_said(username: str) -> None:
    with pytest.raises(ProxyAnswerError, match="cannot be given") as caught:
        await asked(proxy_of("socks5h", username, "pw"), b"\x05\x02", ends=False)

    assert username not in str(caught.value)


class Sink(asyncio.Transport):
    """Takes what is sent."""

    def write(self, data: object) -> None:
        pass

    def abort(self) -> None:
        pass


@given(st.sampled_from(["http", "socks4a", "socks5h"]), st.binary(max_size=80))
def test_no_bytes_of_a_proxy_do_harm(scheme: str, answer: bytes) -> None:
    async def answered() -> str:
        reader = asyncio.StreamReader()
        reader.feed_data(answer)
        reader.feed_eof()
        try:
            await ask(Stream(Sink(), reader), proxy_of(scheme), "host.example", 443)
        except ProxyAnswerError as error:
            return str(error)
        return "granted"

    assert asyncio.run(answered()).isprintable()
