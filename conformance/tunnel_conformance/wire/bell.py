"""Rings when anything has happened on the wire, so that whoever waits looks again: nothing here sleeps."""

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Bell:
    """What the peers of a case ring."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Something has happened."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until this holds, for so long at most; whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not holds():
                    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
                    try:
                        await future
                    finally:
                        self._waiting.discard(future)
        return holds()
