"""A name is looked up by DNS over HTTPS with whoever answers first, and no answer does any harm."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import dns.exception
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, silent
from tests.standins.certificates import Authority
from tests.standins.doh import Reply, doh_server, http, knows, response
from tests.standins.programs import free_port
from tests.standins.proxies import http_proxy, socks_proxy
from tunnel.io.doh import ADDRESSES, ANSWER_BYTES, Doh, DohError, NoSuchNameError, _read
from tunnel.io.trust import tls_context

SECONDS = 5.0
TABLE = {
    "both.example.": ["10.0.0.1", "10.0.0.2", "fd00::1"],
    "four.example.": ["10.0.0.1"],
    "empty.example.": [],
    "alias.example.": ["-> second.example."],
    "second.example.": ["-> four.example."],
    "loop.example.": ["-> loop.example."],
}


async def asked(folder: Path, reply: Reply, name: str = "four.example", seconds: float = SECONDS) -> list[str]:
    """What one server makes of a name."""
    authority = Authority(folder)
    async with doh_server(authority.issue("127.0.0.1").server(), reply) as (url, _):
        found = await Doh([url], tls_context(authority.file)).addresses(name, seconds)
    return sorted(str(address) for address in found)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("both.example", ["10.0.0.1", "10.0.0.2", "fd00::1"]),
        ("BOTH.example.", ["10.0.0.1", "10.0.0.2", "fd00::1"]),
        ("four.example", ["10.0.0.1"]),
        ("alias.example", ["10.0.0.1"]),
    ],
)
@asynchronous
async def test_a_name_has_its_addresses_of_both_kinds_behind_its_aliases(
    tmp_path: Path, name: str, found: list[str]
) -> None:
    assert await asked(tmp_path, knows({**TABLE, "BOTH.example.": TABLE["both.example."]}), name) == found


@pytest.mark.parametrize("name", ["unknown.example", "empty.example", "a" * 64 + ".example", "a..b", "\udcff.example"])
@asynchronous
async def test_a_name_without_an_address_is_said_for_what_it_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoSuchNameError) as caught:
        await asked(tmp_path, knows(TABLE), name)

    assert str(caught.value).isprintable()


def always(answer: bytes) -> Reply:
    return lambda _query: answer


def not_found(query: dns.message.Message) -> bytes:
    return http(response(query, TABLE), "404 Not Found")


def cut_off(query: dns.message.Message) -> bytes:
    return http(response(query, TABLE)[:-1])


def too_long(_query: dns.message.Message) -> bytes:
    return http(bytes(ANSWER_BYTES + 1))


def forever(_query: dns.message.Message) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"ffff\r\n" + bytes(0xFFFF) + b"\r\n") * 3


def other_question(_query: dns.message.Message) -> bytes:
    return http(response(dns.message.make_query("other.example", "A", id=0), TABLE))


def no_answer(query: dns.message.Message) -> bytes:
    return http(query.to_wire())


def failed(query: dns.message.Message) -> bytes:
    return http(response(query, TABLE)[:3] + b"\x02" + response(query, TABLE)[4:])


@pytest.mark.parametrize(
    "reply",
    [
        always(b""),
        always(http(b"")),
        always(http(b"hello")),
        always(http(b"", "500 Oh no")),
        always(http(b"", "302 Found", "Location: https://127.0.0.1:1/\r\n")),
        not_found,
        always(b"SSH-2.0\r\n\r\n"),
        always(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n"),
        cut_off,
        too_long,
        forever,
        other_question,
        no_answer,
        failed,
    ],
    ids=[
        *(
            "nothing",
            "empty",
            "no DNS",
            "500",
            "302",
            "404",
            "no HTTP",
            "endless head",
            "cut off",
            "too long",
            "endless",
        ),
        *("another question", "a question", "SERVFAIL"),
    ],
)
@asynchronous
async def test_an_answer_that_is_none_is_an_error_in_words(tmp_path: Path, reply: Reply) -> None:
    with pytest.raises(DohError, match="No server of DNS over HTTPS gave an answer that can be read"):
        await asked(tmp_path, reply)


@asynchronous
async def test_aliases_in_a_circle_are_not_followed_for_ever(tmp_path: Path) -> None:
    def circle(query: dns.message.Message) -> bytes:
        answer = dns.message.make_response(query)
        answer.answer += [
            dns.rrset.from_text("four.example.", 1, "IN", "CNAME", "b.example."),
            dns.rrset.from_text("b.example.", 1, "IN", "CNAME", "four.example."),
        ]
        return http(answer.to_wire())

    with pytest.raises(DohError):
        await asked(tmp_path, circle)


@asynchronous
async def test_one_kind_of_address_is_enough(tmp_path: Path) -> None:
    def half(query: dns.message.Message) -> bytes:
        if query.question[0].rdtype == dns.rdatatype.AAAA:
            return failed(query)
        return http(response(query, TABLE))

    assert await asked(tmp_path, half) == ["10.0.0.1"]
    with pytest.raises(DohError):
        await asked(tmp_path, half, "empty.example")


@asynchronous
async def test_of_many_addresses_some_are_taken(tmp_path: Path) -> None:
    many = [f"10.0.{number // 256}.{number % 256}" for number in range(1000)]

    assert len(await asked(tmp_path, knows({"four.example.": many}))) == ADDRESSES


@asynchronous
async def test_the_next_server_is_asked_when_one_fails_or_hangs(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.issue("127.0.0.1").server()
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        good, questions = await stack.enter_async_context(doh_server(tls, knows(TABLE)))
        bad, _ = await stack.enter_async_context(doh_server(tls, failed))
        deaf = await stack.enter_async_context(answering(silent))
        servers = [f"https://127.0.0.1:{free_port()}", bad, f"https://127.0.0.1:{deaf}", good]
        found = await Doh(servers, tls_context(authority.file)).addresses("four.example", SECONDS)

    assert [str(address) for address in found] == ["10.0.0.1"]
    assert len(questions) == 2
    assert time.monotonic() - began < SECONDS / 2


@asynchronous
async def test_servers_that_hang_are_given_up_in_time() -> None:
    async with answering(silent) as port:
        with pytest.raises(DohError, match=r"within 0\.05 s"):
            await Doh([f"https://127.0.0.1:{port}"], tls_context(None)).addresses("four.example", 0.05)


@asynchronous
async def test_a_server_whom_nobody_trusts_is_not_asked(tmp_path: Path) -> None:
    async with doh_server(Authority(tmp_path).issue("127.0.0.1").server(), knows(TABLE)) as (url, questions):
        with pytest.raises(DohError):
            await Doh([url], tls_context(None)).addresses("four.example", SECONDS)

    assert questions == []


@pytest.mark.parametrize("servers", [[], ["https://[::1"], ["nonsense"]], ids=["none", "no URL", "no scheme"])
@asynchronous
async def test_servers_that_are_none_are_an_error_in_words(servers: list[str]) -> None:
    with pytest.raises(DohError, match="No server of DNS over HTTPS"):
        await Doh(servers, tls_context(None)).addresses("four.example", SECONDS)


@pytest.mark.needs("tinyproxy")
@pytest.mark.needs("microsocks")
@pytest.mark.parametrize("proxy", [http_proxy, socks_proxy])
@asynchronous
async def test_the_way_to_a_server_may_lead_through_a_proxy(tmp_path: Path, proxy: Callable[..., object]) -> None:
    authority = Authority(tmp_path)
    async with doh_server(authority.issue("127.0.0.1").server(), knows(TABLE)) as (url, questions):
        with http_proxy(tmp_path, "bob", "p-w") if proxy is http_proxy else socks_proxy(tmp_path, "bob", "p-w") as way:
            known = way.replace("://", "://bob:p%2Dw@")
            found = await Doh([url], tls_context(authority.file), known).addresses("four.example", SECONDS)
            with pytest.raises(DohError):
                await Doh([url], tls_context(authority.file), way).addresses("four.example", SECONDS)

    assert [str(address) for address in found] == ["10.0.0.1"]
    assert len(questions) == 2


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "socks4://127.0.0.1", "http://[::1"])
@asynchronous
async def test_a_proxy_that_cannot_be_used_is_an_error_in_words(proxy: str) -> None:
    with pytest.raises(DohError):
        await Doh(["https://127.0.0.1:1"], tls_context(None), proxy).addresses("four.example", SECONDS)


@asynchronous
async def test_a_lookup_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    """The loop that a test runs in finds what is left."""
    authority = Authority(tmp_path)
    async with doh_server(authority.issue("127.0.0.1").server(), knows(TABLE)) as (url, _):
        for turns in range(0, 40, 3):
            asking = asyncio.create_task(Doh([url], tls_context(authority.file)).addresses("four.example", SECONDS))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])


QUERY = dns.message.make_query("four.example", "A", id=0)
GOOD = response(QUERY, TABLE)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=5), st.integers(0, len(GOOD)))
def test_no_bytes_of_a_server_do_harm(changes: list[tuple[int, int]], end: int) -> None:
    changed = bytearray(GOOD)
    for place, byte in changes:
        changed[place] = byte
    try:
        found = _read(QUERY, bytes(changed[:end]))
    except (dns.exception.DNSException, DohError):
        return
    assert len(found) <= 1


SPOILING = """
import sys, dns.exception, dns.message
from tunnel.io.doh import DohError, _read
bad, good = map(bytes.fromhex, sys.argv[1:])
query = dns.message.make_query("alias.example", "A", id=0)
try:
    _read(query, bad)
except (dns.exception.DNSException, DohError):
    pass
print(*_read(query, good))
"""


def test_no_answer_spoils_the_next() -> None:
    """In a process of its own, in which nothing was read before."""
    bad = dns.message.make_response(QUERY)
    record = dns.rdata.GenericRdata(dns.rdataclass.ANY, dns.rdatatype.A, bytes(4))
    bad.additional = [dns.rrset.from_rdata("four.example.", 60, record)]
    good = response(dns.message.make_query("alias.example", "A", id=0), TABLE)
    said = subprocess.run(
        [sys.executable, "-c", SPOILING, bad.to_wire().hex(), good.hex()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.stdout, said.stderr) == ("10.0.0.1\n", "")
