"""A quick tunnel comes about, or it is said why not and what to do; whatever happens, no process, file or task is left."""

import asyncio
import hashlib
import io
import os
import re
import signal
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import psutil
import pytest
import trustme
from msgspec import Struct, field
from rich.console import Console

from tests.io.asynchronous import asynchronous, until
from tests.standins.cloudflared import URL, Call, calls, install
from tests.transport.asset_server import serving, stalled, whole
from tests.transport.trees import is_alive
from tunnel.core.link import mint
from tunnel.errors import TunnelError
from tunnel.transport.asset import Machine, NoCloudflaredError, Release, by_hand
from tunnel.transport.base import Transport, TransportError
from tunnel.transport.child import Child
from tunnel.transport.cloudflared import (
    ATTEMPTS,
    OPENING_SECONDS,
    RETRY_SECONDS,
    SHORTEST_SECONDS,
    UNASKED_SECONDS,
    Cloudflared,
    cloudflared,
)
from tunnel.transport.published import FIRST_SECONDS, PAUSE_SECONDS
from tunnel.transport.setup import Setup
from tunnel.transport.urls import first_url

NAME = URL.removeprefix("https://")
PORT = 4711
NOBODY = ("https://127.0.0.1:1/dns-query",)
"""A resolver that does not answer."""


class Person(Struct):
    """Somebody with a cloudflared of their own, and how long they wait."""

    folder: Path
    mode: str = "works"
    doh_servers: tuple[str, ...] = ()
    checks: bool = True
    ca_file: Path | None = None
    downloads: str = "http://127.0.0.1:1"
    release: Release = field(default_factory=Release)
    environment: dict[str, str] = field(default_factory=dict[str, str])
    url_seconds: float = 10.0
    opening_seconds: float = OPENING_SECONDS
    said: list[str] = field(default_factory=list[str])
    pauses: list[float] = field(default_factory=list[float])
    left: list[str] = field(default_factory=list[str])
    """Attempts after which somebody was still there."""
    waits_at: float = -1
    """A pause of so many seconds never ends."""

    def transport(self) -> Cloudflared:
        setup = Setup(
            home=self.folder,
            environment={
                "PATH": f"{self.folder / 'path'}",
                "STANDIN_MODE": self.mode,
                "STANDIN_STATE": f"{self.folder / 'state'}",
                **self.environment,
            },
            doh_servers=self.doh_servers,
            checks_reachability=self.checks,
            ca_file=self.ca_file,
            downloads=self.downloads,
            report=self.report,
        )
        return Cloudflared(
            setup,
            pause=self.pause,
            clock=self.time,
            url_seconds=self.url_seconds,
            opening_seconds=self.opening_seconds,
            release=self.release,
            machine=Machine("Linux", "x86_64"),
            console=Console(file=io.StringIO()),
        )

    def time(self) -> float:
        """The loop's, and what pauses would have taken."""
        return asyncio.get_running_loop().time() + sum(self.pauses)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await (asyncio.Event().wait() if seconds == self.waits_at else asyncio.sleep(0))

    def report(self, line: str) -> None:
        self.said.append(line)
        if line.startswith("Attempt") and not self.is_gone():
            self.left.append(line)

    def calls(self) -> list[Call]:
        """The tunnels that were started."""
        return [call for call in calls(self.folder / "state") if "tunnel" in call.arguments]

    def is_gone(self) -> bool:
        """Whether no cloudflared runs."""
        return not any(_runs(call.pid) for call in calls(self.folder / "state"))


def _runs(pid: int) -> bool:
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def person(tmp_path: Path) -> Person:
    install(tmp_path / "path")
    return Person(tmp_path)


async def fails(person: Person) -> str:
    """Why no tunnel comes about."""
    transport = person.transport()
    with pytest.raises(TransportError) as error:
        await transport.start(PORT)
    assert person.is_gone()
    await transport.stop()
    assert not transport.lost.done()
    return str(error.value)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- It works --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["works", "stdout", "twice", "api", "binary", "stubborn", "slow"])
@asynchronous
async def test_the_public_url_is_found_and_stop_leaves_nothing(mode: str, person: Person) -> None:
    """CLOSE-2."""
    person.mode = mode
    person.environment = {"STANDIN_SECONDS": "0.2"}
    transport = person.transport()

    assert await transport.start(PORT) == URL
    assert not person.is_gone()
    await transport.stop()
    assert person.is_gone()
    assert len(person.calls()) == 1
    assert not transport.lost.done()


@asynchronous
async def test_its_address_makes_a_join_link(person: Person) -> None:
    """LINK-6."""
    transport = person.transport()
    url = await transport.start(PORT)
    await transport.stop()

    assert mint(url, "00112233aabbccdd", bytes(32)).url == f"wss://{NAME}/t/00112233aabbccdd"


@asynchronous
async def test_it_is_called_for_the_port_without_updates_and_without_the_persons_own_configuration(
    person: Person,
) -> None:
    transport = person.transport()
    await transport.start(PORT)
    await transport.stop()

    assert person.calls()[0].arguments == [
        *("tunnel", "--url", "http://127.0.0.1:4711"),
        *("--no-autoupdate", "--config", os.devnull),
    ]


@asynchronous
async def test_variables_that_would_make_another_tunnel_of_it_are_kept_from_it(person: Person) -> None:
    kept = {"TUNNEL_TRANSPORT_PROTOCOL": "http2", "HTTPS_PROXY": "http://127.0.0.1:1"}
    person.environment = {**kept, "TUNNEL_HOSTNAME": "x", "TUNNEL_URL": "x", "TUNNEL_LOGLEVEL": "fatal"}
    transport = person.transport()
    await transport.start(PORT)
    await transport.stop()
    environment = person.calls()[0].environment

    assert {name: environment.get(name) for name in kept} == kept
    assert [name for name in environment if name.startswith("TUNNEL_")] == ["TUNNEL_TRANSPORT_PROTOCOL"]


@asynchronous
async def test_it_is_a_transport_that_says_who_can_see_what() -> None:
    transport: Transport = cloudflared(Setup())

    assert (transport.name, transport.listens_at) == ("cloudflared", ("127.0.0.1", 0))
    assert "Cloudflare" in transport.privacy
    assert "sealed end to end" in transport.privacy
    await transport.stop()


@asynchronous
async def test_where_there_is_none_it_is_downloaded_and_run(tmp_path: Path) -> None:
    program = install(tmp_path / "elsewhere").read_bytes()
    release = Release("2026.1.0", {"cloudflared-linux-amd64": hashlib.sha256(program).hexdigest()})
    async with serving(whole(program)) as server:
        person = Person(tmp_path, downloads=server.url, release=release)
        transport = person.transport()
        url = await transport.start(PORT)
        await transport.stop()

    assert url == URL
    assert person.is_gone()
    assert person.said[0] == "Downloading cloudflared 2026.1.0 ..."


# --- It fails --------------------------------------------------------------------------------------------------------


def once_it_runs(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time to name a URL begins when it has noted its start, and has written something if it does that at all."""
    begun = 0

    async def awaited(child: Child, pattern: re.Pattern[str], seconds: float) -> str:
        nonlocal begun
        begun += 1
        await until(lambda: child.exited.done() or len(person.calls()) == begun)
        if person.mode == "flood":
            await until(lambda: bool(child._output._lines))
        return await first_url(child, pattern, seconds)

    monkeypatch.setattr("tunnel.transport.cloudflared.first_url", awaited)


@pytest.mark.parametrize("failures", [1, 2])
@asynchronous
async def test_it_is_tried_three_times(failures: int, person: Person) -> None:
    person.environment = {"STANDIN_FAILS": f"{failures}"}
    transport = person.transport()

    assert await transport.start(PORT) == URL
    await transport.stop()
    assert len(person.calls()) == failures + 1
    assert person.pauses == [RETRY_SECONDS] * failures + [UNASKED_SECONDS]


@pytest.mark.parametrize(
    ("mode", "seconds", "says"),
    [
        ("exits", 10, 'exited with status 1; its last words: ERR failed to request quick Tunnel: Post "https://api.'),
        ("silent", 0.3, "named no URL in 0.3 s, without a word"),
        ("flood", 0.3, "named no URL in 0.3 s; its last words: INF nothing to see here"),
        ("endless", 0.3, "named no URL in 0.3 s"),
    ],
)
@asynchronous
async def test_after_the_third_time_it_is_said_what_the_last_one_said(
    mode: str, seconds: float, says: str, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_it_runs(person, monkeypatch)
    person.mode = mode
    person.url_seconds = seconds
    why = await fails(person)

    assert why.startswith(f"could not establish a cloudflared tunnel after {ATTEMPTS} attempts in ")
    assert f" s: {person.folder / 'path' / 'cloudflared'} " in why
    assert says in why
    assert "7844" in why
    assert "TUNNEL_TRANSPORT" in why
    assert len(person.calls()) == ATTEMPTS
    assert len(why) < 1500


@asynchronous
async def test_one_is_gone_before_the_next_is_started(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    once_it_runs(person, monkeypatch)
    person.mode = "silent"
    person.url_seconds = 0.3
    await fails(person)

    assert [line.partition(":")[0] for line in person.said] == [f"Attempt {n} of 3" for n in (1, 2, 3)]
    assert person.left == []


@asynchronous
async def test_a_program_that_is_not_cloudflared_is_named(person: Person) -> None:
    person.mode = "impostor"
    why = await fails(person)

    assert f"{person.folder / 'path' / 'cloudflared'} does not answer like cloudflared" in why
    assert by_hand() in why


@asynchronous
async def test_a_silent_program_that_is_not_cloudflared_is_tried_once(person: Person) -> None:
    person.mode = "mute"
    person.url_seconds = 0.1
    why = await fails(person)

    assert "after 1 attempt in " in why
    assert "does not answer like cloudflared" in why
    assert len(person.said) == 1


@asynchronous
async def test_a_silent_cloudflared_is_asked_once_what_it_is(person: Person) -> None:
    person.mode = "silent"
    person.url_seconds = 0.1
    await fails(person)

    assert sum("--version" in call.arguments for call in calls(person.folder / "state")) == 1


@asynchronous
async def test_all_attempts_together_have_their_time(person: Person) -> None:
    """The second has what is left, and there is no third."""
    person.mode = "silent"
    person.url_seconds = 1
    person.opening_seconds = RETRY_SECONDS + SHORTEST_SECONDS + 2.8
    began = asyncio.get_running_loop().time()
    why = await fails(person)

    assert "after 2 attempts in " in why
    assert len(person.said) == 2
    assert asyncio.get_running_loop().time() - began < 15


@asynchronous
async def test_an_attempt_has_no_more_than_what_is_left(person: Person) -> None:
    person.mode = "silent"
    person.opening_seconds = 2
    why = await fails(person)
    had = re.search(r"named no URL in ([\d.]+) s", why)

    assert "after 1 attempt in " in why
    assert had
    assert 0 < float(had[1]) <= person.opening_seconds


@pytest.mark.parametrize("text", ["no program", "#!/nowhere/interpreter\n", "\x7fELF"])
@asynchronous
async def test_a_file_that_cannot_be_executed_is_named_at_once(text: str, person: Person) -> None:
    program = person.folder / "path" / "cloudflared"
    program.write_text(text)
    why = await fails(person)

    assert why.startswith(f"{program} cannot be run as cloudflared. ")
    assert by_hand() in why
    assert person.said == []


@asynchronous
async def test_a_file_of_certificates_that_cannot_be_used_is_named_before_anything_is_started(person: Person) -> None:
    person.doh_servers = NOBODY
    person.ca_file = person.folder / "none.pem"
    transport = person.transport()
    with pytest.raises(TunnelError, match="TUNNEL_CA_FILE"):
        await transport.start(PORT)

    assert person.calls() == []


@asynchronous
async def test_where_there_is_none_and_none_can_be_downloaded_it_is_said(tmp_path: Path) -> None:
    transport = Person(tmp_path).transport()
    with pytest.raises(NoCloudflaredError, match="could not be downloaded"):
        await transport.start(PORT)


# --- The DNS ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def resolving(tmp_path: Path, absent: int) -> AsyncGenerator[tuple[tuple[str, ...], list[str]]]:
    """A server of DNS over HTTPS that does not know the name so many times, and what it was asked."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    asked: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        query = dns.message.from_wire(await reader.readexactly(length))
        answer = dns.message.make_response(query)
        question = query.question[0]
        if question.rdtype == dns.rdatatype.A:
            asked.append(question.name.to_text(omit_final_dot=True))
        if len(asked) <= absent:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "192.0.2.1"))
        body = answer.to_wire()
        kind = "Content-Type: application/dns-message"
        writer.write(
            f"HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield (f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/dns-query",), asked


@asynchronous
async def test_the_url_is_given_once_its_name_is_in_the_dns(person: Person) -> None:
    async with resolving(person.folder, absent=2) as (person.doh_servers, asked):
        person.ca_file = person.folder / "ca.pem"
        transport = person.transport()
        url = await transport.start(PORT)
        await transport.stop()

    assert url == URL
    assert asked == [NAME] * 3
    assert person.pauses == [FIRST_SECONDS, PAUSE_SECONDS, PAUSE_SECONDS]
    assert NAME in person.said[0]


@asynchronous
async def test_where_no_resolver_answers_the_link_is_given_anyway(person: Person) -> None:
    person.doh_servers = NOBODY
    transport = person.transport()

    assert await transport.start(PORT) == URL
    await transport.stop()
    assert "given anyway" in person.said[-1]


@asynchronous
async def test_a_proxy_through_which_no_resolver_can_be_asked_is_named(person: Person) -> None:
    person.doh_servers = ("https://resolver.invalid/dns-query",)
    person.environment = {"HTTPS_PROXY": "socks4://somebody@127.0.0.1:1"}
    transport = person.transport()
    await transport.start(PORT)
    await transport.stop()

    assert person.said[0].startswith(
        "DNS over HTTPS cannot be asked through the proxy in HTTPS_PROXY (127.0.0.1:1), whose scheme is socks4"
    )
    assert not any("somebody" in line for line in person.said)


@pytest.mark.parametrize(("checks", "pauses"), [(True, [UNASKED_SECONDS]), (False, [])])
@asynchronous
async def test_where_nobody_may_be_asked_there_is_a_second_or_nothing(
    checks: bool, pauses: list[float], person: Person
) -> None:
    person.checks = checks
    person.doh_servers = () if checks else NOBODY
    transport = person.transport()
    await transport.start(PORT)
    await transport.stop()

    assert person.pauses == pauses


@asynchronous
async def test_one_that_ends_while_its_name_is_waited_for_is_a_failed_attempt(person: Person) -> None:
    person.mode = "dies"
    person.doh_servers = NOBODY
    person.waits_at = FIRST_SECONDS
    why = await fails(person)

    assert "exited with status 1 before its name was in the DNS" in why
    assert len(person.calls()) == ATTEMPTS


# --- It is lost ------------------------------------------------------------------------------------------------------


@asynchronous
async def test_whoever_loses_it_is_told(person: Person) -> None:
    person.environment = {"STANDIN_ENDS": f"{person.folder / 'end'}"}
    transport = person.transport()
    await transport.start(PORT)
    was_lost = transport.lost.done()
    (person.folder / "end").touch()
    why = await transport.lost
    await transport.stop()

    assert not was_lost
    assert why == "cloudflared exited with status 1; its address leads nowhere now. Open a new tunnel."


@asynchronous
async def test_whoever_kills_it_loses_it(person: Person) -> None:
    transport = person.transport()
    await transport.start(PORT)
    os.kill(person.calls()[0].pid, signal.SIGKILL)

    assert "was ended by signal 9" in await transport.lost
    await transport.stop()


@asynchronous
async def test_a_loss_that_nobody_wants_to_know_of_is_no_error(person: Person) -> None:
    transport = person.transport()
    await transport.start(PORT)
    child = transport._child
    assert child
    transport.lost.cancel()
    os.kill(person.calls()[0].pid, signal.SIGKILL)
    await child.exited
    await asyncio.sleep(0)
    await transport.stop()

    assert person.is_gone()


# --- It is stopped ---------------------------------------------------------------------------------------------------


@asynchronous
async def test_it_can_be_stopped_twice_and_at_once(person: Person) -> None:
    transport = person.transport()
    await transport.start(PORT)
    await asyncio.gather(transport.stop(), transport.stop())
    await transport.stop()

    assert person.is_gone()
    assert not transport.lost.done()


@asynchronous
async def test_what_was_stopped_cannot_be_started(person: Person) -> None:
    transport = person.transport()
    await transport.stop()
    with pytest.raises(TransportError, match="was stopped"):
        await transport.start(PORT)

    assert person.calls() == []


def never_names_its_url(person: Person) -> Callable[[], bool]:
    person.mode = "silent"
    return lambda: len(person.calls()) == 1


def waits_for_the_dns(person: Person) -> Callable[[], bool]:
    person.doh_servers = NOBODY
    person.waits_at = FIRST_SECONDS
    return lambda: person.pauses == [FIRST_SECONDS]


def waits_for_the_next_attempt(person: Person) -> Callable[[], bool]:
    person.mode = "exits"
    person.waits_at = RETRY_SECONDS
    return lambda: person.pauses == [RETRY_SECONDS]


def is_asked_for_its_version(person: Person) -> Callable[[], bool]:
    person.mode = "mute"
    person.url_seconds = 0.1
    return lambda: any("--version" in call.arguments for call in calls(person.folder / "state"))


def has_just_begun(_person: Person) -> Callable[[], bool]:
    return lambda: True


STAGES = [has_just_begun, never_names_its_url, waits_for_the_dns, waits_for_the_next_attempt, is_asked_for_its_version]


async def stopped(transport: Cloudflared, starting: "asyncio.Future[str]") -> None:
    await transport.stop()
    with pytest.raises(TransportError, match="was stopped"):
        await starting


async def cancelled(transport: Cloudflared, starting: "asyncio.Future[str]") -> None:
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    await transport.stop()


async def cancelled_and_stopped(transport: Cloudflared, starting: "asyncio.Future[str]") -> None:
    """As the host does it: it does not wait in between."""
    starting.cancel()
    await transport.stop()
    await asyncio.wait([starting])
    assert starting.cancelled()


@pytest.mark.parametrize("end", [stopped, cancelled, cancelled_and_stopped])
@pytest.mark.parametrize("stage", STAGES)
@asynchronous
async def test_it_can_be_stopped_at_every_stage_of_its_start(
    stage: Callable[[Person], Callable[[], bool]],
    end: Callable[[Cloudflared, "asyncio.Future[str]"], Awaitable[None]],
    person: Person,
) -> None:
    """CLOSE-2: nothing is left."""
    is_reached = stage(person)
    transport = person.transport()
    starting = asyncio.ensure_future(transport.start(PORT))
    await asyncio.sleep(0)
    await until(is_reached)
    await end(transport, starting)

    assert person.is_gone()
    assert not transport.lost.done()


@pytest.mark.parametrize("end", [stopped, cancelled, cancelled_and_stopped])
@asynchronous
async def test_it_can_be_stopped_while_it_is_downloaded(
    end: Callable[[Cloudflared, "asyncio.Future[str]"], Awaitable[None]], tmp_path: Path
) -> None:
    over = asyncio.Event()
    async with serving(stalled(bytes(2_000_000), over)) as server:
        release = Release("2026.1.0", {"cloudflared-linux-amd64": "0" * 64})
        transport = Person(tmp_path, downloads=server.url, release=release).transport()
        starting = asyncio.ensure_future(transport.start(PORT))
        await until(lambda: bool(server.requests))
        await end(transport, starting)
        over.set()

    assert files(tmp_path) == []
