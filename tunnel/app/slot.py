"""The one place for a tunnel in this process. What has ended stays readable in it until the next open or join (CLOSE-7)."""

from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.errors import Refused

Tunnel = Hosting | Joining


class NoTunnelError(Refused):
    """No open tunnel: open one with tunnel_open, or join one with tunnel_join."""


class OccupiedError(Refused):
    """A tunnel is already open in this process: close it with tunnel_close first."""


class Slot:
    """Holds the tunnel that is being opened, is open, or has ended last."""

    def __init__(self) -> None:
        self._tunnel: Tunnel | None = None
        self._before: Tunnel | None = None

    @property
    def tunnel(self) -> Tunnel | None:
        """Whatever is in it."""
        return self._tunnel

    def occupied(self) -> Tunnel:
        """The tunnel in it, also one that has ended.

        Raises:
            NoTunnelError: there was none yet.
        """
        if self._tunnel is None:
            raise NoTunnelError("no open tunnel: open one with tunnel_open, or join one with tunnel_join.")
        return self._tunnel

    def take(self, tunnel: Tunnel) -> None:
        """Put a tunnel in, before it is brought up: of two at once, the second is told.

        Raises:
            OccupiedError: one is open, or is being opened.
        """
        if self._tunnel is not None and not self._tunnel.is_over:
            raise OccupiedError("a tunnel is already open in this process: close it with tunnel_close first.")
        self._before, self._tunnel = self._tunnel, tunnel

    def keep(self, tunnel: Tunnel) -> None:
        """The tunnel has come about: what ended before it can no longer be read."""
        if self._tunnel is tunnel:
            self._before = None

    def leave(self, tunnel: Tunnel) -> None:
        """Take out a tunnel that did not come about; what ended before it stays readable."""
        if self._tunnel is tunnel:
            self._tunnel, self._before = self._before, None
