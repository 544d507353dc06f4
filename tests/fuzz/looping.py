"""Runs what needs an event loop, thousands of times a second: in one loop, whose waiting takes no time."""

import asyncio
import atexit
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from tests.io.asynchronous import SkippingLoop

T = TypeVar("T")


def run(doing: Coroutine[Any, Any, T]) -> T:
    """What it returns. It may leave nothing behind.

    Raises:
        AssertionError: a task is left, or something that nobody caught.
    """
    loop = _loop()
    unseen: list[str] = []
    loop.set_exception_handler(lambda _loop, context: unseen.append(str(context)))
    done = loop.run_until_complete(_settled(doing))
    assert not asyncio.all_tasks(loop), "a task is left behind"
    assert not unseen, f"nobody has seen {unseen}"
    return done


async def _settled(doing: Coroutine[Any, Any, T]) -> T:
    done = await doing
    # What was not read to its end is closed by the loop, a turn later.
    await asyncio.sleep(0)
    return done


@cache
def _loop() -> SkippingLoop:
    loop = SkippingLoop()
    atexit.register(loop.close)
    return loop
