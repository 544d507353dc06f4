"""However a say ends, it is plain whether the peer may have it; and what stands against it is asked right before it is said."""

import asyncio
from collections.abc import Callable

import pytest

from tests.io.asynchronous import skipping
from tests.io.test_driver import Driven, driven
from tunnel.app.budget import Budget, PausedError
from tunnel.app.saying import SlowPeerError, UnconfirmedError, nothing, say, shown_seconds
from tunnel.core import effects
from tunnel.io.driver import LOOK_SECONDS, ROOM_BYTES, NotSaidError
from tunnel.spec.v1.constants import OUTBOX_BYTES
from tunnel.spec.v1.refusals import Failure

RATE = OUTBOX_BYTES // 100
"""Bytes that a slow peer reads in a second: steadily, so it is waited for."""


def talking(waiting: Callable[[], int] = lambda: 0, *, confirms: bool = True) -> tuple[Driven, list[int]]:
    """An end whose core takes every message, and notes when."""
    world, begun = driven(), list[int]()

    def on_say(ticket: int) -> list[effects.Effect]:
        begun.append(ticket)
        return [effects.Said(ticket, ticket)] if confirms else []

    world.core.on_say = on_say
    world.wire.on_waiting = waiting
    return world, begun


def slowly_read() -> int:
    return int(OUTBOX_BYTES - RATE * asyncio.get_running_loop().time())


@skipping
async def test_what_is_confirmed_has_its_number() -> None:
    world, _ = talking()

    assert await say(world.driver, "hello", 5, nothing) == 1


@skipping
async def test_what_is_not_confirmed_in_time_may_have_arrived() -> None:
    world, begun = talking(confirms=False)

    with pytest.raises(UnconfirmedError, match=r"within 5 s\. It may still arrive: listen before you say it again\.$"):
        await say(world.driver, "hello", 5, nothing)
    assert begun == [1]


@skipping
async def test_a_wait_is_told_without_its_microseconds() -> None:
    world, _ = talking(confirms=False)

    with pytest.raises(UnconfirmedError, match=r"within 3 s\. It may"):
        await say(world.driver, "hello", 2.99752, nothing)
    assert [shown_seconds(seconds) for seconds in (2.99752, 86_400.0, 0.3)] == ["3 s", "86400 s", "0.3 s"]


@skipping
async def test_what_its_peer_had_no_time_to_read_was_not_said() -> None:
    world, begun = talking(slowly_read)

    with pytest.raises(SlowPeerError, match=r"^peer reads slowly: within 5 s .* so this was not said\. .* again later"):
        await say(world.driver, "hello", 5, nothing)
    assert begun == []


@skipping
async def test_what_the_tunnel_s_end_left_unconfirmed_may_have_arrived() -> None:
    world, _ = talking(confirms=False)
    saying = asyncio.ensure_future(say(world.driver, "hello", 5, nothing))
    await asyncio.sleep(1)
    world.driver.step(lambda _now: [effects.NotSaid(1, Failure.UNCONFIRMED)])

    with pytest.raises(UnconfirmedError, match=r"^unconfirmed: "):
        await saying


@pytest.mark.parametrize("failure", [failure for failure in Failure if failure is not Failure.UNCONFIRMED])
def test_what_cannot_be_said_was_not_said(failure: Failure) -> None:
    @skipping
    async def run() -> None:
        world, _ = talking()
        world.core.on_say = lambda ticket: [effects.NotSaid(ticket, failure)]

        with pytest.raises(NotSaidError, match=f"^{failure.value}: "):
            await say(world.driver, "hello", 5, nothing)

    run()


@skipping
async def test_a_pause_reaches_a_say_that_waits_for_its_peer_to_read() -> None:
    world, begun = talking(slowly_read)
    budget = Budget(3, world.clock, bytes)

    async def turn() -> int:
        with budget.turn():
            return await say(world.driver, "hello", 1000, budget.check_not_paused)

    saying = [asyncio.ensure_future(turn()) for _ in range(2)]
    await asyncio.sleep(LOOK_SECONDS)
    assert not begun
    budget.is_paused = True
    ended = await asyncio.gather(*saying, return_exceptions=True)

    assert slowly_read() <= ROOM_BYTES
    assert [type(end) for end in ended] == [PausedError] * 2
    assert (begun, budget.said) == ([], 0)
