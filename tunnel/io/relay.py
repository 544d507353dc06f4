"""A host on the network: its core, the driver that runs it, and the listener that its peers reach."""

import asyncio
from collections.abc import Callable, Sequence

from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.host import Host
from tunnel.core.instant import Instant
from tunnel.io.clock import Clock
from tunnel.io.driver import Driver
from tunnel.io.listener import Listener


class Relay:
    """Passes what the listener hears on to the host, and lets a long backlog go on as the guest reads.

    Args:
        host: the core.
        clock: tells the moment of each input.
        path: the path of the tunnel.
    """

    def __init__(self, host: Host, clock: Clock, path: str) -> None:
        self.host = host
        self.listener = Listener(path, self)
        self.driver = Driver(host, clock, self.listener)
        self._pumping = False

    # --- Peers of the listener ---------------------------------------------------------------------------------------

    def accept(self) -> ConnectionId:
        """A socket was accepted."""
        numbers: list[ConnectionId] = []

        def handle(now: Instant) -> list[Effect]:
            number, out = self.host.accept(now)
            numbers.append(number)
            return out

        self.driver.step(handle)
        return numbers[0]

    def upgraded(self, number: ConnectionId) -> None:
        """Its WebSocket is open."""
        self._step(self.host.upgraded, number)

    def receive(self, number: ConnectionId, texts: Sequence[str]) -> None:
        """Messages came in, all in one read: they are one input, since nothing can have happened between them."""
        self.driver.step(lambda now: self.host.receive_all(number, texts, now))
        self._pump_soon()

    def noise(self, number: ConnectionId) -> None:
        """A binary message came in that is not text."""
        self._step(self.host.noise, number)

    def heard(self, number: ConnectionId) -> None:
        """Bytes came in."""
        self._step(self.host.heard, number)

    def control(self, number: ConnectionId) -> None:
        """A ping or pong came in."""
        self._step(self.host.control, number)

    def oversize(self, number: ConnectionId) -> None:
        """A frame is too large."""
        self._step(self.host.oversize, number)

    def not_text(self, number: ConnectionId) -> None:
        """A text message is not UTF-8."""
        self._step(self.host.not_text, number)

    def overflow(self, number: ConnectionId) -> None:
        """More than OUTBOX_BYTES wait for it."""
        self._step(self.host.overflow, number)

    def drained(self, number: ConnectionId) -> None:
        """Little enough waits for it that more may come."""
        self._step(self.host.drained, number)
        self._pump_soon()

    def lost(self, number: ConnectionId) -> None:
        """It is closed."""
        self._step(self.host.lost, number)

    def largest_frame(self, number: ConnectionId) -> int:
        """How many bytes a frame on it may have."""
        return self.host.largest_frame(number)

    # --- The backlog -------------------------------------------------------------------------------------------------

    def _step(self, handle: Callable[[ConnectionId, Instant], list[Effect]], number: ConnectionId) -> None:
        self.driver.step(lambda now: handle(number, now))

    def _pump_soon(self) -> None:
        """Give the guest more of the backlog when the sockets have had their turn (SIZE-11)."""
        if self.host.is_behind and not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        guest = self.host.guest
        if guest is not None and self.listener.is_free(guest):
            self.drained(guest)
