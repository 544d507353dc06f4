"""What a listener tells of its connections. Every connection has a number, and it is told of in the order of the wire."""

from collections.abc import Sequence
from typing import Protocol

from tunnel.core.effects import ConnectionId


class Peers(Protocol):
    """Who is told what comes in."""

    def accept(self) -> ConnectionId:
        """A socket was accepted; its number."""
        ...

    def upgraded(self, number: ConnectionId) -> None:
        """Its WebSocket is open."""
        ...

    def receive(self, number: ConnectionId, texts: Sequence[str]) -> None:
        """Messages came in, all in one read."""
        ...

    def noise(self, number: ConnectionId) -> None:
        """A binary message came in that is not text."""
        ...

    def heard(self, number: ConnectionId) -> None:
        """Bytes came in."""
        ...

    def control(self, number: ConnectionId) -> None:
        """A ping or pong came in."""
        ...

    def oversize(self, number: ConnectionId) -> None:
        """A frame is too large."""
        ...

    def not_text(self, number: ConnectionId) -> None:
        """A text message is not UTF-8."""
        ...

    def overflow(self, number: ConnectionId) -> None:
        """More than OUTBOX_BYTES wait for it."""
        ...

    def drained(self, number: ConnectionId) -> None:
        """Nothing waits for it any more."""
        ...

    def lost(self, number: ConnectionId) -> None:
        """Nothing will come in any more: it was refused, it said goodbye, or it is closed. It is the last that is told."""
        ...

    def largest_frame(self, number: ConnectionId) -> int:
        """How many bytes a frame on it may have."""
        ...
