"""How a tunnel gives back what it holds: once, also when it ends by itself, or when whoever waits for it is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tunnel.io.driver import Driver


class Ending:
    """The end of one tunnel.

    Args:
        driver: tells of changes.
        is_over: whether the tunnel has ended.
        give_back: closes and stops everything that the tunnel holds.
    """

    def __init__(
        self,
        driver: Driver,
        is_over: Callable[[], bool],
        give_back: Callable[[], Coroutine[Any, Any, None]],  # what a coroutine takes and yields is the event loop's
    ) -> None:
        self._driver = driver
        self._is_over = is_over
        self._give_back = give_back
        self._watching: asyncio.Task[None] | None = None
        self._giving_back: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """From now on everything is given back as soon as the tunnel has ended, whether or not anybody asks."""
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def gone(self) -> None:
        """Wait until everything is given back. It goes on when the wait is cancelled: it is a task of its own."""
        await asyncio.shield(self._begin())

    @property
    def is_gone(self) -> bool:
        """Whether everything is given back."""
        return self._giving_back is not None and self._giving_back.done()

    async def _watch(self) -> None:
        while not self._is_over():
            await self._driver.changed()
        self._begin()

    def _begin(self) -> asyncio.Task[None]:
        if self._giving_back is None:
            self._giving_back = asyncio.get_running_loop().create_task(self._give_back())
        return self._giving_back
