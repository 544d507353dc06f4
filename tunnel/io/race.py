"""Several ways to one end, started one after the other: the first that succeeds wins, and nothing of the others is left."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def first(
    attempts: Iterable[Callable[[], Coroutine[Any, Any, T]]],
    stagger_seconds: float,
    dispose: Callable[[T], None] = lambda _unused: None,
) -> T:
    """The result of the first attempt that succeeds.

    Args:
        attempts: at least one; each starts when another has failed, or `stagger_seconds` after the one before it.
        stagger_seconds: how long an attempt is alone.
        dispose: gives back a result that came too late.

    Raises:
        ExceptionGroup: all have failed; in the order in which they did.
    """
    running: set[asyncio.Task[T]] = set()
    winners: list[asyncio.Task[T]] = []
    errors: list[Exception] = []
    try:
        for attempt in attempts:
            running.add(asyncio.create_task(attempt()))
            await _wait(running, winners, errors, stagger_seconds)
            if winners:
                return winners[0].result()
        while running:
            await _wait(running, winners, errors, None)
            if winners:
                return winners[0].result()
        raise ExceptionGroup("every attempt has failed", errors)
    finally:
        for late in running:
            late.cancel()
            late.add_done_callback(partial(_give_back, dispose))
        for unused in winners[1:]:
            dispose(unused.result())
        await _gone(running, winners[:1], dispose)


async def _gone(running: set[asyncio.Task[T]], winner: list[asyncio.Task[T]], dispose: Callable[[T], None]) -> None:
    """Wait until nobody runs any more. Who gives up just then does not take the winner's result, and it is given back too."""
    try:
        if running:
            await asyncio.wait(running)
    except asyncio.CancelledError:
        for task in winner:
            dispose(task.result())
        raise


def _give_back(dispose: Callable[[T], None], task: asyncio.Task[T]) -> None:
    if not task.cancelled() and task.exception() is None:
        dispose(task.result())


async def _wait(
    running: set[asyncio.Task[T]], winners: list[asyncio.Task[T]], errors: list[Exception], seconds: float | None
) -> None:
    done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if error is None:
            winners.append(task)
        else:
            # The others pass through the event loop itself.
            assert isinstance(error, Exception)
            errors.append(error)
    running -= done
