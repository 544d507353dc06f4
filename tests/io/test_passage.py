"""Every way to a host is taken stage by stage, and a link without TLS leads nowhere but where nobody else can listen."""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from tests.io.asynchronous import asynchronous
from tests.io.dialling import BARE, Handler, answering, dialled, link_to, says, silent
from tests.io.wire import opened
from tests.standins.certificates import Authority
from tests.standins.doh import doh_server, knows
from tests.standins.programs import free_port
from tunnel.io.passage import Passage, TooOpenError
from tunnel.io.proxies import ProxySettingError
from tunnel.io.reach import Address
from tunnel.io.resolver import NoAddressError
from tunnel.io.trouble import SlowError, Stage
from tunnel.io.trust import CaFileError
from tunnel.io.way import Patience, Way
from tunnel.spec.v1.refusals import Cause

SHORT_SECONDS = 0.05
SHORT = {
    Stage.DNS: Patience(system_seconds=SHORT_SECONDS, doh_seconds=SHORT_SECONDS),
    Stage.TCP: Patience(tcp_seconds=SHORT_SECONDS),
    Stage.PROXY: Patience(proxy_seconds=SHORT_SECONDS),
    Stage.TLS: Patience(tls_seconds=SHORT_SECONDS),
}
"""Only the stage that is meant to hang is short: the ones before it have all the time that they need."""


class Resolver:
    """The system's resolver. It notes what it is asked.

    Args:
        answers: by the first part of a name, its answers one after the other: addresses with blanks between them.
    """

    def __init__(self, **answers: list[str]) -> None:
        self.asked: list[str] = []
        self._answers = answers

    async def __call__(self, name: str) -> list[Address]:
        self.asked.append(name)
        answers = self._answers.get(name.partition(".")[0])
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ip_address(address) for address in (answers.pop(0) if len(answers) > 1 else answers[0]).split()]


async def hangs(_name: str) -> list[Address]:
    await asyncio.Event().wait()
    raise AssertionError


def way_of(
    resolver: Resolver | None = None, environment: Mapping[str, str] | None = None, ca_file: Path | None = None
) -> Way:
    return Way(environment=environment or {}, doh_servers=(), lookup=resolver or Resolver(), ca_file=ca_file)


async def reached(url: str, way: Way) -> None:
    (await Passage(url, way).open()).abort()


# --- Without TLS -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "8.8.8.8.", "134744072", "0x8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::a00:1]"],
)
@asynchronous
async def test_a_public_address_is_not_dialled_without_tls(host: str) -> None:
    """LINK-10: and nobody is asked for anything, no resolver and no proxy."""
    resolver = Resolver()
    async with answering(silent) as proxy:
        passage = Passage(f"ws://{host}/t/ff", way_of(resolver, {"ALL_PROXY": f"http://127.0.0.1:{proxy}"}))
        with pytest.raises(TooOpenError, match=r"starts with 'ws:' and leads to .*Ask the host .* 'wss:'"):
            await passage.open()

    assert passage.stage is Stage.LINK
    assert resolver.asked == []


@pytest.mark.parametrize(
    ("answer", "outside"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("127.0.0.1 8.8.8.8", "8.8.8.8"),
        ("127.0.0.1 ::1 2606:4700::1111", "2606:4700::1111"),
        ("::ffff:8.8.8.8", "::ffff:"),
    ],
)
@asynchronous
async def test_a_name_with_a_public_address_is_not_dialled_without_tls(answer: str, outside: str) -> None:
    """LINK-10: not even at another address that it has."""
    visits: list[bytes] = []

    async def visited(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        visits.append(b"somebody")

    async with answering(visited) as port:
        with pytest.raises(TooOpenError, match=f"leads to {outside}"):
            await reached(f"ws://host.example:{port}/t/ff", way_of(Resolver(host=[answer])))
        await asyncio.sleep(0)

        assert visits == []


@asynchronous
async def test_a_name_in_our_network_is_dialled_without_tls() -> None:
    """LINK-10: and so the tests before can fail."""
    async with opened() as relay:
        way = way_of(Resolver(host=["127.0.0.1 ::1"]))
        async with dialled(link_to(relay.port, "host.example", key=relay.link.key), way) as here:
            assert await here.is_joined()


@asynchronous
async def test_what_was_judged_is_what_is_dialled() -> None:
    """LINK-10: whoever owns a name may give another answer to the next question. There is none."""
    resolver = Resolver(host=["127.0.0.1", "8.8.8.8"])
    async with opened() as relay:
        link = link_to(relay.port, "host.example", key=relay.link.key)
        async with dialled(link, way_of(resolver)) as here:
            assert await here.is_joined()

    assert resolver.asked == ["host.example"]


@asynchronous
async def test_an_answer_by_https_is_judged_too(tmp_path: Path) -> None:
    """LINK-10."""
    authority = Authority(tmp_path)
    tls = authority.issue("127.0.0.1").server()
    async with doh_server(tls, knows({"host.example.": ["127.0.0.1", "8.8.8.8"]})) as (url, _):
        way = Way(environment={}, doh_servers=(url,), lookup=Resolver(), ca_file=authority.file)
        with pytest.raises(TooOpenError, match=r"leads to 8\.8\.8\.8"):
            await reached("ws://host.example/t/ff", way)


@asynchronous
async def test_a_refused_link_is_a_trouble_in_sentences() -> None:
    """LINK-10."""
    async with dialled(link_to(80, "8.8.8.8"), BARE) as here:
        assert (await here.trouble()).startswith("Link: the link starts with 'ws:' and leads to 8.8.8.8, outside of")
        assert here.guest.cause is Cause.NOT_CONNECTED


@asynchronous
async def test_a_link_with_tls_may_lead_anywhere(tmp_path: Path) -> None:
    """To a port at which nobody listens, in the end."""
    with pytest.raises(ConnectionRefusedError):
        await reached(f"wss://host.example:{free_port()}/t/ff", way_of(Resolver(host=["255.255.255.255 127.0.0.1"])))


# --- Proxies ---------------------------------------------------------------------------------------------------------


def leading_to(port: int, heads: list[bytes]) -> Handler:
    """An HTTP proxy that leads everybody to one port of this machine, wherever they want to go."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    return lead


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


@asynccontextmanager
async def proxied(authority: Authority, heads: list[bytes], *, tls: bool = False) -> AsyncGenerator[int]:
    """The port of a proxy in front of a host with TLS; the proxy itself may speak TLS."""
    host = authority.issue("host.example").server()
    outside = authority.issue("proxy.example").server() if tls else None
    async with answering(silent, host) as port, answering(leading_to(port, heads), outside) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("url", "target", "asked"),
    [
        ("wss://host.example/t/ff", b"host.example:443", []),
        ("ws://host.example/t/ff", b"10.1.2.3:80", ["host.example"]),
        ("ws://10.1.2.4:8080/t/ff", b"10.1.2.4:8080", []),
        ("ws://[fd00::7]/t/ff", b"[fd00::7]:80", []),
    ],
)
@asynchronous
async def test_a_proxy_is_given_the_name_with_tls_and_the_judged_address_without(
    tmp_path: Path, url: str, target: bytes, asked: list[str]
) -> None:
    """LINK-10: a proxy resolves names as it likes."""
    authority, resolver = Authority(tmp_path), Resolver(host=["10.1.2.3"])
    heads: list[bytes] = []
    async with proxied(authority, heads) as proxy:
        await reached(url, way_of(resolver, {"HTTPS_PROXY": f"http://127.0.0.1:{proxy}"}, authority.file))

    assert [head.split()[1] for head in heads] == [target]
    assert resolver.asked == asked


@asynchronous
async def test_a_proxy_is_never_given_a_loopback_address(tmp_path: Path) -> None:
    """LINK-10: it would be the proxy's own machine, where a stranger's link must not lead."""
    heads: list[bytes] = []
    async with proxied(Authority(tmp_path), heads) as proxy:
        way = way_of(Resolver(host=["127.0.0.1 10.1.2.3"]), {"HTTP_PROXY": f"http://127.0.0.1:{proxy}"})
        await reached("ws://host.example:6379/t/ff", way)

    assert [head.split()[1] for head in heads] == [b"10.1.2.3:6379"]


@asynchronous
async def test_a_public_name_is_not_dialled_without_tls_behind_a_proxy_either() -> None:
    """LINK-10."""
    heads: list[bytes] = []
    async with answering(leading_to(1, heads)) as proxy:
        way = way_of(Resolver(host=["10.1.2.3 8.8.8.8"]), {"HTTP_PROXY": f"http://127.0.0.1:{proxy}"})
        with pytest.raises(TooOpenError, match=r"leads to 8\.8\.8\.8"):
            await reached("ws://host.example/t/ff", way)

    assert heads == []


@asynchronous
async def test_nothing_goes_to_a_public_proxy_without_tls() -> None:
    """LINK-10: the proxy, and everybody on the way to it, could read it."""
    way = way_of(Resolver(host=["10.1.2.3"], proxy=["8.8.8.8"]), {"HTTP_PROXY": "http://proxy.example:3128"})
    passage = Passage("ws://host.example/t/ff", way)

    with pytest.raises(TooOpenError, match=r"through the proxy in HTTP_PROXY .*outside of private networks"):
        await passage.open()
    assert passage.stage is Stage.LINK


@pytest.mark.parametrize("proxy", ["http", "socks5"])
@asynchronous
async def test_a_name_of_this_machine_needs_no_proxy(proxy: str) -> None:
    """As far as that is known on this side."""
    way = way_of(Resolver(host=["127.0.0.1"]), {"ALL_PROXY": f"{proxy}://127.0.0.1:{free_port()}"})
    async with answering(silent) as port:
        await reached(f"ws://host.example:{port}/t/ff", way)


@asynchronous
async def test_a_proxy_may_speak_tls_itself(tmp_path: Path) -> None:
    authority, heads = Authority(tmp_path), list[bytes]()
    async with proxied(authority, heads, tls=True) as port:
        resolver = Resolver(proxy=["127.0.0.1"])
        way = way_of(resolver, {"HTTPS_PROXY": f"https://proxy.example:{port}"}, authority.file)
        await reached("wss://host.example/t/ff", way)

    assert len(heads) == 1
    assert resolver.asked == ["proxy.example"]


@asynchronous
async def test_a_proxy_whose_tls_is_not_trusted_is_said_for_what_it_is(tmp_path: Path) -> None:
    heads: list[bytes] = []
    async with proxied(Authority(tmp_path), heads, tls=True) as port:
        way = way_of(Resolver(proxy=["127.0.0.1"]), {"HTTPS_PROXY": f"https://proxy.example:{port}"})
        async with dialled(link_to(443, "host.example", tls=True), way) as here:
            trouble = await here.trouble()

    assert trouble.startswith(f"Proxy: the certificate of the proxy in HTTPS_PROXY (proxy.example:{port}) is signed by")
    assert heads == []


@asynchronous
async def test_an_old_proxy_takes_no_address_that_is_new() -> None:
    way = way_of(Resolver(host=["fd00::1"]), {"HTTPS_PROXY": "socks4://127.0.0.1:9"})

    with pytest.raises(NoAddressError, match=r"host\.example has no IPv4 address.*Try socks5h"):
        await reached("wss://host.example/t/ff", way)


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        ("ftp://u:secret@127.0.0.1", "Proxy: HTTPS_PROXY names no proxy that can be used"),
        ("http://u:secret@nowhere.example", "Proxy: the name of the proxy in HTTPS_PROXY (nowhere.example:80) has no"),
        ("http://u:secret@127.0.0.1:PORT", "Proxy: the proxy in HTTPS_PROXY (127.0.0.1:"),
    ],
)
@asynchronous
async def test_a_proxy_that_cannot_be_reached_is_a_trouble_in_sentences(value: str, trouble: str) -> None:
    """LINK-9: and its password is not repeated."""
    way = way_of(Resolver(), {"HTTPS_PROXY": value.replace("PORT", str(free_port()))})
    async with dialled(link_to(443, "host.example", tls=True), way) as here:
        said = await here.trouble()

    assert said.startswith(trouble)
    assert "secret" not in said


@asynchronous
async def test_a_redirect_of_a_proxy_is_not_followed() -> None:
    """LINK-11: nor of a host behind it."""
    visits: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read(1))

    async with answering(elsewhere) as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with answering(says(moved)) as port:
            way = way_of(environment={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
            async with dialled(link_to(443, "host.example", tls=True), way) as here:
                assert "does not let us through to the host (status 302)" in await here.trouble()

    assert visits == []


# --- Other environments ----------------------------------------------------------------------------------------------


@asynchronous
async def test_what_is_wrong_with_the_environment_matters_only_where_it_is_needed(tmp_path: Path) -> None:
    """A certificate file is needed for TLS, a proxy for what is not this machine."""
    way = way_of(environment={"ALL_PROXY": "nonsense"}, ca_file=tmp_path / "missing")
    async with answering(silent) as port:
        await reached(f"ws://127.0.0.1:{port}/t/ff", way)
        with pytest.raises(CaFileError):
            await reached(f"wss://127.0.0.1:{port}/t/ff", way)
        with pytest.raises(ProxySettingError):
            await reached("wss://host.example/t/ff", way_of(environment={"ALL_PROXY": "nonsense://"}))


@asynchronous
async def test_names_may_be_asked_of_others_through_the_proxy_for_https() -> None:
    """So in networks whose only way out is a proxy; the host itself may be excepted."""
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    async with answering(refuse) as port:
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": "host.example"}
        way = Way(environment=environment, doh_servers=("https://doh.example/dns-query",), lookup=Resolver())
        with pytest.raises(NoAddressError, match="no server of DNS over HTTPS answered"):
            await reached("wss://host.example/t/ff", way)

    assert {head.split()[1] for head in heads} == {b"doh.example:443"}


# --- Time ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def hanging_at(stage: Stage, folder: Path) -> AsyncGenerator[Way]:
    """A way to host.example that hangs at a stage."""
    authority = Authority(folder)
    async with answering(silent) as deaf:
        match stage:
            case Stage.DNS:
                yield Way(
                    environment={}, doh_servers=(f"https://127.0.0.1:{deaf}",), lookup=hangs, patience=SHORT[stage]
                )
            case Stage.PROXY:
                environment = {"ALL_PROXY": f"socks5h://127.0.0.1:{deaf}"}
                yield Way(environment=environment, doh_servers=(), patience=SHORT[stage])
            case _:
                heads: list[bytes] = []
                async with answering(leading_to(deaf, heads)) as proxy:
                    environment = {"ALL_PROXY": f"http://127.0.0.1:{proxy}"}
                    yield Way(environment=environment, doh_servers=(), patience=SHORT[stage], ca_file=authority.file)


@pytest.mark.parametrize("stage", [Stage.DNS, Stage.PROXY, Stage.TLS], ids=lambda stage: stage.value)
@asynchronous
async def test_a_stage_that_hangs_is_given_up_and_named(tmp_path: Path, stage: Stage) -> None:
    async with hanging_at(stage, tmp_path) as way:
        passage = Passage("wss://host.example/t/ff", way)
        with pytest.raises((SlowError, NoAddressError)):
            await passage.open()

    assert passage.stage is stage
    assert passage.peer.startswith("the proxy in ALL_PROXY") == (stage is Stage.PROXY)


@asynchronous
async def test_a_connection_that_hangs_is_given_up_and_named() -> None:
    """At a port whose queue is full nobody answers."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        passage = Passage(
            f"ws://127.0.0.1:{full.getsockname()[1]}/t/ff", Way(environment={}, patience=SHORT[Stage.TCP])
        )
        with pytest.raises(SlowError):
            await passage.open()
        for one in crowd:
            one.close()

    assert passage.stage is Stage.TCP


def sockets() -> int:
    """How many this process has."""
    gc.collect()
    return len(psutil.Process(os.getpid()).net_connections("inet"))


@pytest.mark.parametrize("tls", [False, True], ids=["through a proxy", "through a proxy with TLS"])
@asynchronous
async def test_a_dialling_that_is_given_up_leaves_no_socket(tmp_path: Path, tls: bool) -> None:
    """Wherever it is: at every turn of the event loop until it is through."""
    authority, heads = Authority(tmp_path), list[bytes]()
    async with proxied(authority, heads, tls=tls) as port:
        url = f"{'https' if tls else 'http'}://proxy.example:{port}"
        way = way_of(Resolver(proxy=["127.0.0.1"]), {"HTTPS_PROXY": url}, authority.file)
        for turns in range(300):
            opening = asyncio.create_task(Passage("wss://host.example/t/ff", way).open())
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled():
                opening.result().abort()
                break
        else:
            raise AssertionError("it never came through")

    assert heads
    async with asyncio.timeout(5):
        while sockets():
            await asyncio.sleep(0.01)
