"""Tells whoever wants to know that a tunnel has changed: many changes at once are one, and nobody is told after the end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from tunnel.app.results import Status

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
    """Follows one tunnel after the other."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._following: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> None:
        """From now on this is called after every change, and waited for."""
        self._listeners.append(listener)

    def follow(self, tunnel: Changing) -> None:
        """Follow this tunnel until it ends, and no other any more. That it is there is the first change."""
        self.end()
        self._following = asyncio.get_running_loop().create_task(self._follow(tunnel))

    def end(self) -> None:
        """Nobody is told anything any more."""
        if self._following:
            self._following.cancel()

    async def _follow(self, tunnel: Changing) -> None:
        while True:
            # Noted before it is told: telling takes time, and what happens meanwhile is told again.
            told = _shape(tunnel)
            for listener in self._listeners:
                await listener()
            if tunnel.is_over:
                return
            while _shape(tunnel) == told:
                await tunnel.changed()


def _shape(tunnel: Changing) -> tuple[str, int]:
    status = tunnel.status()
    return status.state, status.last_seq
