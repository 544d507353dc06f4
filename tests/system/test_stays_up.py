"""A tunnel lives through an edge that drops silent connections, and of a peer that is dead both sides are told in time.

Time passes SPEED times as fast for the servers, and as it does for everything else. What happens takes its time, so all of
it happens at once, and each test looks at a part.
"""

import asyncio
import signal
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from tests.app.processes import Server
from tests.standins.certificates import Authority
from tests.standins.namespaces import Machine, network
from tests.standins.nginx import edge
from tests.standins.programs import free_port
from tests.system.talking import a_person, begin_listening, heard, in_a_hurry, said
from tunnel.spec.v1.constants import PING_SECONDS, SILENCE_SECONDS
from tunnel.spec.v1.refusals import CLOSINGS, Closing

pytestmark = [pytest.mark.needs("faketime"), pytest.mark.needs("nginx"), pytest.mark.needs("namespaces")]

SPEED = 8
TOLD_SECONDS = 45 / SPEED
"""So soon both sides are told of a dead peer."""

AWAKE_SECONDS = 2.0
"""So soon after waking a side says that it is over: it is a person who waits."""

SLEEP_SECONDS = (SILENCE_SECONDS + 5) / SPEED
"""After so long a side that was stopped has heard nothing for too long by its own clock, too. It is not awake to tell."""

EDGE_SECONDS = 2 * PING_SECONDS / SPEED
"""After so long the edge drops a silent connection: twice the time between our pings."""


class End(NamedTuple):
    """How a side was told of the end."""

    seconds: float
    """How long it took, for whoever waits."""
    listened: dict[str, Any]
    """The answer to the listen that waited."""
    status: dict[str, Any]


async def told(server: Server, listening: int, since: float) -> End:
    answer = await heard(server, listening)
    return End(time.monotonic() - since, answer, await server.call("tunnel_status"))


@asynccontextmanager
async def two_who_listen(
    *prefixes: tuple[str, ...], **variables: str
) -> AsyncGenerator[tuple[Server, Server, int, int]]:
    """A host and a guest who have said nothing yet, each with a listen that waits."""
    hurry = in_a_hurry(SPEED)
    at_host, at_guest = prefixes or ((), ())
    async with a_person(*at_host, **hurry, **variables) as alice, a_person(*at_guest, **hurry) as bob:
        await bob.call("tunnel_join", joinLink=(await alice.call("tunnel_open", goal="pair"))["joinLink"])
        yield alice, bob, await begin_listening(alice, 2), await begin_listening(bob)


def stop(*servers: Server) -> float:
    """Stop processes as a machine that goes to sleep does; when that was."""
    for server in servers:
        server.process.send_signal(signal.SIGSTOP)
    return time.monotonic()


async def wake_too_late(stopped: float, *servers: Server) -> float:
    """Wake them once their own time of silence is over as well, however little the other side's began before theirs; when that was."""
    await asyncio.sleep(stopped + SLEEP_SECONDS - time.monotonic())
    for server in servers:
        server.process.send_signal(signal.SIGCONT)
    return time.monotonic()


# --- What happens --------------------------------------------------------------------------------------------------------


async def dropped(port: int, trusting: ssl.SSLContext) -> float:
    """How long a WebSocket on which nobody says anything lives."""
    async with connect(f"wss://localhost:{port}/", ssl=trusting, ping_interval=None, proxy=None) as silent:
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await silent.recv()
        return time.monotonic() - began


class Kept(NamedTuple):
    silent: tuple[float, float]
    """How long two silent connections lived, one after the other, while the tunnel was silent too."""
    states: tuple[str, str]
    told: Any


async def through_an_edge(folder: Path) -> Kept:
    authority, relay = Authority(folder), free_port()
    certificate = authority.issue("localhost", "127.0.0.1")
    trusting = ssl.create_default_context(cafile=str(authority.file))
    async with serve(lambda websocket: websocket.wait_closed(), "127.0.0.1", 0, ping_interval=None) as mute:
        behind = mute.sockets[0].getsockname()[1]
        with (
            edge(folder, certificate, relay, read_seconds=EDGE_SECONDS) as port,
            edge(folder, certificate, behind, read_seconds=EDGE_SECONDS) as other,
        ):
            where = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": f"https://localhost:{port}", "TUNNEL_PORT": str(relay)}
            hurry = in_a_hurry(SPEED)
            async with (
                a_person(**hurry, **where) as alice,
                a_person(**hurry, TUNNEL_CA_FILE=str(authority.file)) as bob,
            ):
                await bob.call("tunnel_join", joinLink=(await alice.call("tunnel_open", goal="pair"))["joinLink"])
                silent = (await dropped(other, trusting), await dropped(other, trusting))
                states = [(await server.call("tunnel_status"))["state"] for server in (alice, bob)]
                said_since = (await bob.call("tunnel_say", text="still there?"))["seq"]
                answer = await alice.call("tunnel_listen", sinceSeq=said_since - 1)
    return Kept(silent, (states[0], states[1]), said(answer))


async def guest_sleeps() -> tuple[End, End]:
    async with two_who_listen() as (alice, bob, at_host, at_guest):
        host = await told(alice, at_host, stopped := stop(bob))
        return host, await told(bob, at_guest, await wake_too_late(stopped, bob))


async def host_sleeps() -> tuple[End, End]:
    async with two_who_listen() as (alice, bob, at_host, at_guest):
        guest = await told(bob, at_guest, stopped := stop(alice))
        return await told(alice, at_host, await wake_too_late(stopped, alice)), guest


async def both_sleep() -> tuple[End, End]:
    async with two_who_listen() as (alice, bob, at_host, at_guest):
        woken = await wake_too_late(stop(alice, bob), alice, bob)
        host, guest = await asyncio.gather(told(alice, at_host, woken), told(bob, at_guest, woken))
        return host, guest


@asynccontextmanager
async def a_network() -> AsyncGenerator[dict[str, Machine]]:
    """Two machines, made and taken away beside everything else that happens here, as the commands for it take their time."""
    machines = network(("host", "guest"))
    at = await asyncio.to_thread(machines.__enter__)
    try:
        yield at
    finally:
        await asyncio.to_thread(machines.__exit__, None, None, None)


async def cable_is_cut() -> tuple[End, End]:
    async with a_network() as at:
        url = f"http://{at['host'].addresses['guest']}:8001"
        prefixes = (at["host"].prefix, at["guest"].prefix)
        where = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": url}
        async with two_who_listen(*prefixes, **where) as (alice, bob, at_host, at_guest):
            await asyncio.to_thread(at["guest"].unplug, "host")
            cut = time.monotonic()
            host, guest = await asyncio.gather(told(alice, at_host, cut), told(bob, at_guest, cut))
            return host, guest


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:  # what each of them gives or raises
    folder = tmp_path_factory.mktemp("edges")

    async def run() -> dict[str, Any]:
        running = {
            "guest sleeps": guest_sleeps(),
            "host sleeps": host_sleeps(),
            "both sleep": both_sleep(),
            "cable is cut": cable_is_cut(),
            "edge": through_an_edge(folder),
        }
        return dict(zip(running, await asyncio.gather(*running.values(), return_exceptions=True), strict=True))

    return asyncio.run(run())


def of(happened: Mapping[str, Any], name: str) -> Any:
    if isinstance(happened[name], BaseException):
        raise happened[name]
    return happened[name]


# --- What is claimed -----------------------------------------------------------------------------------------------------


def test_pings_keep_a_silent_tunnel_alive_through_an_edge_that_drops_silent_connections(
    happened: Mapping[str, Any],
) -> None:
    """KEEP-1."""
    kept: Kept = of(happened, "edge")

    # Through the same kind of edge whoever says nothing is dropped, and more than once in the time that the tunnel lived.
    assert all(0.9 * EDGE_SECONDS < seconds < 2 * EDGE_SECONDS for seconds in kept.silent), kept.silent
    assert kept.states == ("connected", "connected")
    assert kept.told == ["still there?"]


@pytest.mark.parametrize("how", ["guest sleeps", "cable is cut"])
def test_a_host_is_told_of_a_dead_guest_in_time_and_why(happened: Mapping[str, Any], how: str) -> None:
    """KEEP-2, KEEP-3."""
    host, _ = of(happened, how)

    assert host.seconds < TOLD_SECONDS
    assert said(host.listened)[-1].endswith(" left")
    for status in (host.status, host.listened["status"]):
        assert (status["state"], status["closedBecause"]) == ("peer_left", "peer_left")
        assert status["detail"] == CLOSINGS[Closing.SILENT].doc


@pytest.mark.parametrize("how", ["host sleeps", "cable is cut"])
def test_a_guest_is_told_of_a_dead_host_in_time_and_why(happened: Mapping[str, Any], how: str) -> None:
    """KEEP-2, CLOSE-5."""
    _, guest = of(happened, how)

    assert guest.seconds < TOLD_SECONDS
    for status in (guest.status, guest.listened["status"]):
        assert (status["state"], status["closedBecause"]) == ("closed", "host_silent")


@pytest.mark.parametrize("how", ["guest sleeps", "both sleep"])
def test_a_guest_that_wakes_after_the_end_says_at_once_that_it_is_over(happened: Mapping[str, Any], how: str) -> None:
    """TIME-1, TIME-2, KEEP-2."""
    _, guest = of(happened, how)

    assert guest.seconds < AWAKE_SECONDS
    assert guest.listened["status"]["closedBecause"] == guest.status["closedBecause"] == "host_silent"


@pytest.mark.parametrize("how", ["host sleeps", "both sleep"])
def test_a_host_that_wakes_after_the_end_says_at_once_that_it_is_over(happened: Mapping[str, Any], how: str) -> None:
    """TIME-1, TIME-2, KEEP-2."""
    host, _ = of(happened, how)

    assert host.seconds < AWAKE_SECONDS
    assert host.listened["status"]["closedBecause"] == host.status["closedBecause"] == "peer_left"
    assert host.status["detail"] == CLOSINGS[Closing.SILENT].doc
