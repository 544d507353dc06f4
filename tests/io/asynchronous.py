"""Runs a test in an event loop, and fails it when it leaves a task behind, or an exception that nobody has seen."""

import asyncio
import functools
import gc
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")

LONGEST_SECONDS = 30.0
"""So long a test waits for what does not come."""


def asynchronous(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The test in a loop of its own."""
    return _in(asyncio.new_event_loop, test, LONGEST_SECONDS)


def skipping(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The test in a loop whose time skips to the next timer when nothing else is left to do."""
    return _in(SkippingLoop, test, None)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    while not holds():
        await asyncio.sleep(0)


def _in(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    test: Callable[P, Coroutine[Any, Any, None]],
    longest: float | None,
) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        # Only what the test makes is looked through at its end: in a long run, all the rest would take longer than most tests do.
        gc.freeze()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_watched(test(*args, **kwargs), longest))

    return run


async def _watched(conversation: Coroutine[Any, Any, None], longest: float | None) -> None:
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
    await asyncio.wait_for(conversation, longest)
    await asyncio.sleep(0)
    gc.collect()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not unseen, f"nobody has seen {unseen}"
    assert not left, f"left behind: {left}"


class _Skipping(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen"
            self.now += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop in which waiting takes no time."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now
