"""The one place for a tunnel in this process. What has ended stays readable in it until the next open or join (CLOSE-7)."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.errors import Refused

Tunnel = Hosting | Joining
TunnelT = TypeVar("TunnelT", Hosting, Joining)


class NoTunnelError(Refused):
    """No open tunnel: open one with tunnel_open, or join one with tunnel_join."""


class OccupiedError(Refused):
    """A tunnel is already open in this process: close it with tunnel_close first."""


class Slot:
    """Holds the tunnel that is being opened or joined, is open, or has ended last."""

    def __init__(self) -> None:
        self.tunnel: Tunnel | None = None
        """Whatever is in it."""
        self._last: Tunnel | None = None
        self._not_gone: list[Tunnel] = []
        self._is_shut = False

    def occupied(self) -> Tunnel:
        """The tunnel in it, also one that has ended.

        Raises:
            NoTunnelError: there was none yet.
        """
        if self.tunnel is None:
            raise NoTunnelError("no open tunnel: open one with tunnel_open, or join one with tunnel_join.")
        return self.tunnel

    def take(self, make: Callable[[], TunnelT]) -> TunnelT:
        """Make a tunnel and put it in, before it is brought up: of two at once, the second is told.

        Args:
            make: is only called when the slot is free, so that a tunnel that is refused never had timers to stop.

        Raises:
            OccupiedError: one is open, or is being opened or joined.
        """
        if self._is_shut:
            raise OccupiedError("this process is ending: nothing can be opened or joined in it any more.")
        if self.tunnel is not None:
            self.tunnel.catch_up()
        if self.tunnel is not None and not self.tunnel.is_over:
            raise OccupiedError("a tunnel is already open in this process: close it with tunnel_close first.")
        tunnel = make()
        self.tunnel = tunnel
        self._not_gone = [former for former in self._not_gone if not former.is_gone]
        self._not_gone.append(tunnel)
        return tunnel

    def keep(self, tunnel: Tunnel) -> None:
        """The tunnel has come about: what ended before it can no longer be read."""
        self._last = tunnel

    def leave(self, tunnel: Tunnel) -> None:
        """The tunnel did not come about: what ended before it can be read again."""
        if self.tunnel is tunnel:
            self.tunnel = self._last

    async def shut(self) -> None:
        """The process ends: whatever was in it is told and given back, and nothing comes in any more."""
        self._is_shut = True
        await asyncio.gather(*(tunnel.exit() for tunnel in self._not_gone))
