"""Of several attempts one wins, and of the others nothing is left: no task, no result, no exception that nobody has seen."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.io.asynchronous import asynchronous, skipping
from tunnel.io.race import first

Attempt = Callable[[], Coroutine[Any, Any, str]]


def after(seconds: float, result: str | Exception, log: list[str] | None = None) -> Attempt:
    async def attempt() -> str:
        if log is not None:
            log.append(f"{result} at {asyncio.get_running_loop().time():g}")
        await asyncio.sleep(seconds)
        if isinstance(result, Exception):
            raise result
        return result

    return attempt


@skipping
async def test_one_that_succeeds_in_time_is_alone() -> None:
    log: list[str] = []

    assert await first([after(0.5, "a", log), after(0, "b", log)], 1) == "a"
    assert log == ["a at 0"]


@skipping
async def test_the_next_one_starts_when_one_is_slow_or_has_failed() -> None:
    log: list[str] = []
    attempts = [after(9, "slow", log), after(0.5, OSError("bad"), log), after(2, "c", log)]

    assert await first(attempts, 1) == "c"
    assert log == ["slow at 0", "bad at 1", "c at 1.5"]


@skipping
async def test_the_first_one_may_still_win() -> None:
    assert await first([after(1.5, "a"), after(9, "b")], 1) == "a"


@skipping
async def test_when_all_have_failed_all_errors_are_told() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await first([after(3, OSError("a")), after(0, ValueError("b")), after(1, OSError("c"))], 1)

    assert [str(error) for error in caught.value.exceptions] == ["b", "c", "a"]


@asynchronous
async def test_a_result_that_comes_too_late_is_given_back() -> None:
    """It may hold a socket."""
    unused: list[str] = []

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        raise AssertionError

    async def quick() -> str:
        return "quick"

    assert await first([stubborn, quick], 0.01, unused.append) == "quick"
    assert unused == ["late"]


@asynchronous
async def test_two_that_succeed_at_once_give_one_back() -> None:
    unused: list[str] = []
    gate = asyncio.Event()

    async def waiting() -> str:
        await gate.wait()
        return "one"

    async def opening() -> str:
        gate.set()
        return "other"

    winner = await first([waiting, opening], 0.01, unused.append)

    assert {winner, *unused} == {"one", "other"}


@asynchronous
async def test_who_waits_for_them_may_give_up() -> None:
    waiting = asyncio.create_task(first([after(60, "a"), after(60, "b")], 0.01))
    await asyncio.sleep(0.03)  # so that both have started
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


@asynchronous
async def test_who_gives_up_when_one_has_won_already_gives_its_result_back() -> None:
    """For it waits until the others are gone."""
    unused: list[str] = []
    going, gone = asyncio.Event(), asyncio.Event()

    async def slow_to_go() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            going.set()
            await gone.wait()
        raise AssertionError

    waiting = asyncio.create_task(first([slow_to_go, after(0, "won")], 0.01, unused.append))
    await going.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gone.set()
    await asyncio.sleep(0)

    assert unused == ["won"]


@asynchronous
async def test_an_attempt_that_is_cancelled_cancels_the_whole() -> None:
    """It is no failure that another attempt could make good."""

    async def cancelled() -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await first([cancelled, after(0, "b")], 1)
