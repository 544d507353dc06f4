"""One connection as the host holds it: its machine, and what was said on it so far."""

from collections import deque

from tunnel.core.effects import ConnectionId
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.machine import Machine
from tunnel.spec.v1 import connection
from tunnel.spec.v1.constants import CONTROL_FRAMES, PING_SECONDS, SECONDS


class Connection:
    """A socket that reached the relay.

    Args:
        number: how the listener calls it.
        now: when it was accepted.
    """

    def __init__(self, number: ConnectionId, now: Instant) -> None:
        self.number = number
        self.machine: Machine[connection.State, connection.Event, connection.Action] = Machine(
            connection.MACHINE, connection.State, connection.ACTIONS, SECONDS, now.ticks
        )
        self.challenge = ""
        self.name = ""
        self.sent = 0
        """The last number that this guest was sent."""
        self._controls: deque[int] = deque(maxlen=CONTROL_FRAMES)

    @property
    def is_stranger(self) -> bool:
        """Whether it may still be admitted, and counts against STRANGER_CONNECTIONS."""
        return self.machine.state in (connection.State.OPENING, connection.State.CHALLENGED)

    @property
    def is_gone(self) -> bool:
        """Whether its socket is closed, so that it can be forgotten."""
        return self.machine.state is connection.State.GONE

    def control_floods(self, now: Instant) -> bool:
        """Count a WebSocket control frame; whether there are too many of them (SIZE-8)."""
        before = self._controls[0] if len(self._controls) == CONTROL_FRAMES else None
        self._controls.append(now.ticks)
        return before is not None and now.ticks - before < PING_SECONDS * TICKS_PER_SECOND
