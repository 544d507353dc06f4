"""Many conversations are played at once, each on a process that is fit for it, and nothing is left behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Move, Plan
from tunnel_conformance.explore.play import Played
from tunnel_conformance.explore.yard import MOST_SPEED, Yard
from tunnel_conformance.subjects.clock import Constants

from tests.conformance.meddled import Meddled
from tests.conformance.own import Own, OwnLauncher

T = TypeVar("T")

A, B, C = (Move("join", name, "right") for name in "ABC")
FULL, USED = (A, B), (A, Move("leave", "A"), B)
SOUND = (A, Move("say"))


class Timed(OwnLauncher):
    """Its clock can be sped up, or so it says."""

    clock = Constants("SPEED")


def refusing() -> Own:
    return Meddled(lambda frame: frame.replace("tunnel full", "no").replace("join link already used", "no"))


def in_yard(launcher: OwnLauncher, work: Callable[[Yard], Awaitable[T]], seconds: float = 60) -> T:
    async def once() -> T:
        async with Yard(launcher, HostWalk, time.monotonic() + seconds) as yard:
            return await work(yard)

    found = asyncio.run(once())
    assert all(own.is_ended for own in launcher.started), "nothing is left"
    return found


def first(launcher: OwnLauncher, *plans: Plan, in_order: bool = True, seconds: float = 60) -> Played | None:
    return in_yard(launcher, lambda yard: yard.first(plans, in_order=in_order), seconds)


def test_the_first_in_order_is_found() -> None:
    found = first(OwnLauncher(refusing), SOUND, USED, FULL)

    assert found is not None
    assert found.plan == USED


def test_any_is_found_where_the_order_does_not_matter() -> None:
    found = first(OwnLauncher(refusing), FULL, USED, in_order=False)

    assert found is not None
    assert found.plan in (FULL, USED)


def test_nothing_is_found_where_all_is_as_the_tables_say() -> None:
    launcher = OwnLauncher()

    assert first(launcher, SOUND, FULL, USED) is None
    assert len(launcher.started) <= 2, "a process that did well plays on"


def test_what_is_known_is_not_played_again() -> None:
    async def twice(yard: Yard) -> tuple[int, int]:
        await yard.first([SOUND], in_order=True)
        once = yard.tried
        await yard.first([SOUND], in_order=True)
        return once, yard.tried

    assert in_yard(OwnLauncher(), twice) == (1, 1)


def test_nothing_is_begun_when_the_time_is_over() -> None:
    launcher = OwnLauncher(refusing)

    assert first(launcher, FULL, seconds=0) is None
    assert launcher.started == []


def test_what_took_too_long_is_counted_and_proves_nothing() -> None:
    async def slow(yard: Yard) -> tuple[Played | None, int, int]:
        found = await yard.first([(Move("connect", "A"), Move("auth", "A", "right"))], in_order=True)
        return found, yard.tried, yard.late

    class Slow(OwnLauncher):
        async def start(self, speed: float = 1.0) -> Own:
            own = Own()
            self.started.append(own)
            own.speed = 1_000_000
            return own

    assert in_yard(Slow(), slow) == (None, 1, 1)


def test_no_deadline_in_play_gets_too_short() -> None:
    launcher = Timed()

    assert first(launcher, (A, Move("wait", seconds=15))) is None
    assert launcher.speeds == [15]


def test_where_only_long_deadlines_are_in_play_it_goes_faster() -> None:
    launcher = Timed()

    assert first(launcher, (Move("wait", seconds=60),)) is None
    assert launcher.speeds == [MOST_SPEED]
