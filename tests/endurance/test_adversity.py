"""A run that is spared what it is to endure says so: cables that carry all, networks that lose nothing, stops, clocks and crowds in name."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from tests.endurance import (
    crowd,
    cut_frames,
    dropped_connections,
    hostile_guest,
    late_packets,
    lost_packets,
    own_clock,
    stopped_process,
    wall_clock,
)
from tests.endurance.agents import a_pair
from tests.standins.cable import Cable, Spot, cable
from tests.standins.jumps import JumpingClock
from tests.standins.weather import Lost, Weather

BUSY_SECONDS = 4.0


def a_good_cable(port: int, _spot: Spot | None) -> AbstractAsyncContextManager[tuple[int, Cable]]:
    return cable(port)


def test_cuts_that_do_not_happen_are_missed(tmp_path: Path) -> None:
    assert asyncio.run(cut_frames.run(3, tmp_path, a_good_cable)).faults == [
        "cuts: 0, and it takes 3 for a run that shows anything"
    ]


@pytest.mark.needs("proc")
def test_breaks_that_do_not_happen_are_missed(tmp_path: Path) -> None:
    assert (
        "breaks: 0, and it takes 3 for a run that shows anything"
        in asyncio.run(dropped_connections.run(3, tmp_path, a_good_cable)).faults
    )


def test_losses_that_do_not_happen_are_missed() -> None:
    assert lost_packets.spared([Lost(1100, 110), Lost(1100, 110)]) == []
    assert lost_packets.spared([Lost(1100, 110), Lost(1100, 0)]) == [
        "packets lost on one way: 0, and it takes 13 for a run that shows anything"
    ]
    assert lost_packets.spared([Lost(50, 0), Lost(50, 0)]) == [
        "packets lost: 0, and it takes 1 for a run that shows anything"
    ]
    assert lost_packets.spared([Lost(199, 1), Lost(199, 0)]) == []


def test_packets_that_are_never_overtaken_or_lost_are_missed() -> None:
    calm = Weather(dice=Random(0), packets=3900)

    assert [fault.partition(":")[0] for fault in late_packets.spared(calm)] == ["packets overtaken", "packets lost"]


def test_a_guest_that_does_not_flood_is_missed() -> None:
    (fault,) = hostile_guest.wrong("pings", hostile_guest.Flood(frames=1001, is_cut=True, because="peer_left"), 1.0)

    assert fault == "frames: 1,001, and it takes 50,000 for a run that shows anything"


def test_a_flood_that_holds_up_its_host_is_named() -> None:
    flood = hostile_guest.Flood(frames=10**6, slowest=2.0)

    assert hostile_guest.wrong("texts", flood, 1.0) == [
        "an answer took 2000 ms, and 1000 ms are allowed",
        "the guest was not cut within 1.5 s of the goodbye",
        "it is over because of None, and not closed_by_host",
    ]


# --- Between two servers, which serve all of these -------------------------------------------------------------------------


@asynccontextmanager
async def nobody(_port: int, _path: str, _sockets: int) -> AsyncGenerator[Mapping[str, int]]:
    yield {}


@pytest.fixture(scope="module")
def spared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each run says of adversity that is none: a signal that stops nobody, a clock by which nobody lives, no crowd."""
    clock = JumpingClock(tmp_path_factory.mktemp("clock") / "clock")

    async def run() -> dict[str, list[str]]:
        async with a_pair() as pair:
            stops = await stopped_process.between(pair, 1, signal.SIGCONT)
            jumps = await wall_clock.between(pair, 1, clock)
            ends = await own_clock.unasked(pair, clock)
            await pair.host.server.call("tunnel_close")
            await pair.guest.server.call("tunnel_close")
            alone = await crowd.among(pair.host.server, pair.guest.server, 4, BUSY_SECONDS, nobody)
        return {"stops": stops.faults, "jumps": jumps.faults, "ends": ends, "crowd": alone.faults}

    return asyncio.run(run())


def test_stops_that_stop_nobody_are_missed(spared: dict[str, list[str]]) -> None:
    assert spared["stops"] == ["stops: 0, and it takes 2 for a run that shows anything"]


def test_a_wall_clock_that_never_jumps_is_missed(spared: dict[str, list[str]]) -> None:
    """Two of its jumps lead back to where it was."""
    assert spared["jumps"] == ["jumps that were seen: 2, and it takes 8 for a run that shows anything"]


def test_a_tunnel_that_does_not_end_by_its_own_timer_is_named(spared: dict[str, list[str]]) -> None:
    """Its clock stands, so no timer of its is ever due."""
    assert spared["ends"] == [
        f"{who} has not ended what came due within 4 s of a jump, as nobody asked it"
        for who in ("the host", "the guest")
    ]


def test_a_crowd_that_never_comes_is_missed(spared: dict[str, list[str]]) -> None:
    assert [fault.partition(":")[0] for fault in spared["crowd"]] == ["connected at once", "connections"]
