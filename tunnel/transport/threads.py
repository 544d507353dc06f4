"""Work on files happens in a thread, and whoever waits for it goes on only when it is over, also when they are cancelled."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What the work returns.

    A thread cannot be interrupted: after a cancellation it could still make a file that nobody removes. So it is waited for.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise
