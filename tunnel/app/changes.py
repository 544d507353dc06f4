"""Tells whoever wants to know that something may have changed: many changes at once are one, and nobody is told after the end.

What changed is for the listener to find out. It is told too often rather than too rarely.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

from tunnel.app.results import Status

LOOK_SECONDS: Final = 30.0
"""A link that nobody has used expires without a sound, so its end is looked for this often at least."""

_MOMENT: Final = 1.0
"""The seconds that are left are rounded up."""

Listener: TypeAlias = Callable[[], Awaitable[None]]


class Changing(Protocol):
    """A tunnel, as far as it is followed."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        ...

    def status(self) -> Status:
        """Where it is."""
        ...

    async def changed(self) -> None:
        """Wait for the next change."""
        ...


class Changes:
    """Follows one tunnel after the other, and takes note of what changes beside them."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._following: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._is_untold = False
        self._is_over = False

    def listen(self, listener: Listener) -> None:
        """From now on this is called after every change, and waited for."""
        self._listeners.append(listener)

    def follow(self, tunnel: Changing) -> None:
        """Follow this tunnel until it ends, and no other any more. That it is there is the first change."""
        if self._following:
            self._following.cancel()
        if not self._is_over:
            self._following = asyncio.get_running_loop().create_task(self._follow(tunnel))

    def note(self) -> None:
        """Something has changed: the tunnel, or what stands beside it in its status."""
        if self._is_over or not self._listeners:
            return
        self._is_untold = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    def end(self) -> None:
        """Nobody is told anything any more."""
        self._is_over = True
        for task in (self._following, self._telling):
            if task:
                task.cancel()

    async def _tell(self) -> None:
        while self._is_untold:
            # Before it is told: telling takes time, and what happens meanwhile is told again.
            self._is_untold = False
            for listener in self._listeners:
                await listener()

    async def _follow(self, tunnel: Changing) -> None:
        while not tunnel.is_over:
            # Asking where it is may let something take effect, about which nobody wakes who does not wait yet.
            patience = _patience(tunnel.status())
            self.note()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await tunnel.changed()
        self.note()


def _patience(status: Status) -> float | None:
    left = status.link_expires_in_sec
    return min(left + _MOMENT, LOOK_SECONDS) if left else None
