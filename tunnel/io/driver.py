"""Carries inputs into a core and does what it says, one input at a time and without an await in between.

The same driver serves a host and a guest: it knows effects, not roles.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final, Protocol, assert_never

from tunnel.core import codec, effects
from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.errors import Refused
from tunnel.io.clock import Clock
from tunnel.spec.v1.constants import OUTBOX_BYTES
from tunnel.spec.v1.refusals import CLOSINGS, FAILURES, Cause, Failure

LONGEST_NAP_SECONDS: Final = 1.0
"""The event loop's clock may stand still while the machine sleeps; ours does not. So ours is looked at this often."""

ROOM_BYTES: Final = OUTBOX_BYTES // 2
"""While more waits for the peer, a say waits: it must not be what overflows the outbox of somebody who reads (SIZE-9)."""

PATIENCE_SECONDS: Final = 2.0
"""A peer that takes nothing for so long does not read, and no say waits for it any longer."""

LOOK_SECONDS: Final = 0.05
"""A say that waits looks this often. Nobody tells: the system takes bytes without a word until it has taken all of them."""

Input = Callable[[Instant], list[Effect]]


class NotSaidError(Refused):
    """A message cannot be said; the text says why and what to do next."""

    def __init__(self, failure: Failure) -> None:
        row = FAILURES[failure]
        super().__init__(f"{failure.value}: {row.doc} {row.next}")
        self.failure = failure


class Core(Protocol):
    """What a driver asks of a host or a guest."""

    def say(self, ticket: int, text: str, now: Instant) -> list[Effect]:
        """The own agent says something."""
        ...

    def expire(self, now: Instant) -> list[Effect]:
        """Timers that are due take effect."""
        ...

    def quiet_until(self) -> float:
        """Ticks before which none is due; infinite when none runs."""
        ...


class Wire(Protocol):
    """The sockets, as a driver uses them. Nothing here blocks, and nothing raises for what a peer does."""

    def send(self, to: ConnectionId, data: bytes) -> None:
        """A frame's text goes out."""
        ...

    def ping(self, to: ConnectionId) -> None:
        """A WebSocket ping goes out."""
        ...

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:
        """A close frame goes out, and the socket is closed soon."""
        ...

    def shut(self) -> None:
        """No socket is accepted any more; those that are left are closed soon."""
        ...

    def waiting(self) -> int:
        """How many bytes wait for the peer for which most of them wait."""
        ...


class Driver:
    """Runs one core.

    Args:
        core: the host or guest.
        clock: tells the moment of each input.
        wire: the sockets.
    """

    def __init__(self, core: Core, clock: Clock, wire: Wire) -> None:
        self.cause: Cause | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the link may be given away, or the host has let this side in; cancelled when it ends before."""
        self.observer: Callable[[Effect], None] | None = None
        """Is shown every effect before it is done. It must not raise, and changes nothing."""
        self._core = core
        self._clock = clock
        self._wire = wire
        self._inputs: deque[Input] = deque()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at: float = 0
        self._says: dict[int, asyncio.Future[int]] = {}
        self._tickets = 0
        self._saying = asyncio.Lock()
        self._queued = 0
        self._stuck_at: int | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._arm()

    def step(self, handle: Input) -> None:
        """Let the core handle an input. One that comes up while another is handled waits for its turn."""
        if self._busy:
            self._inputs.append(handle)
            return
        self._busy = True
        try:
            self._handle(handle)
            while self._inputs:
                self._handle(self._inputs.popleft())
        finally:
            self._busy = False
        self._arm()

    def catch_up(self) -> None:
        """Let timers that came due while the machine slept take effect before anybody is told anything (TIME-1)."""
        self.step(self._core.expire)

    async def say(self, text: str, begin: Callable[[], None] | None = None) -> int:
        """Say something; its number, once it has one. It waits while its peer still reads what was said before (SIZE-9).

        Args:
            text: what to say.
            begin: is called when its turn has come, right before it is said. What it raises is raised, and nothing is said.

        Raises:
            NotSaidError: it cannot be said, or it is not known whether the peer has it.
        """
        # By count: between two turns of those who wait the lock is free for a moment, and nobody may slip through.
        if self._queued or self._wire.waiting() > ROOM_BYTES:
            self._queued += 1
            try:
                async with self._saying:
                    await self._room()
            finally:
                self._queued -= 1
        if begin:
            begin()
        self._tickets += 1
        ticket = self._tickets
        said = self._says[ticket] = asyncio.get_running_loop().create_future()
        try:
            self.step(lambda now: self._core.say(ticket, text, now))
            return await said
        finally:
            self._says.pop(ticket, None)

    async def changed(self) -> None:
        """Wait until a message has arrived, the peer has left, or the tunnel has ended."""
        if self.cause is not None:
            return
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            await change
        finally:
            self._waiting.discard(change)

    def now(self) -> Instant:
        """The moment on this driver's clock."""
        return self._clock.now()

    def _handle(self, handle: Input) -> None:
        for effect in handle(self._clock.now()):
            if self.observer:
                self.observer(effect)
            self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case effects.Send(to=to, frame=frame):
                self._wire.send(to, codec.encode(frame))
            case effects.Arrived() | effects.PeerLeft():
                self._wake()
            case effects.Ping(to=to):
                self._wire.ping(to)
            case effects.HangUp(to=to, closing=closing):
                self._wire.hang_up(to, CLOSINGS[closing].code, CLOSINGS[closing].reason)
            case effects.HandOutLink() | effects.Joined():
                if not self.ready.done():
                    self.ready.set_result(None)
            case effects.Said(ticket=ticket, seq=seq):
                if (said := self._says.get(ticket)) and not said.done():
                    said.set_result(seq)
            case effects.NotSaid(ticket=ticket, failure=failure):
                if (said := self._says.get(ticket)) and not said.done():
                    said.set_exception(NotSaidError(failure))
            case effects.Ended(cause=cause):
                self.cause = cause
                self._wire.shut()
                self.ready.cancel()
                self._wake()
            case _:
                assert_never(effect)

    async def _room(self) -> None:
        """Wait until there is room, or it is plain that the peer does not read: then it is hung up on, as it must be."""
        loop = asyncio.get_running_loop()
        least, since = None, loop.time()
        while self.cause is None and (waiting := self._wire.waiting()) > ROOM_BYTES:
            if least is None or waiting < least:
                least, since = waiting, loop.time()
            if loop.time() - since >= PATIENCE_SECONDS:
                self._stuck_at = waiting
            if self._stuck_at is not None and waiting >= self._stuck_at:
                return
            await asyncio.sleep(LOOK_SECONDS)
        self._stuck_at = None

    def _wake(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)

    def _arm(self) -> None:
        """See to it that somebody looks when a timer may be due. Who is to look early enough anyway is left alone."""
        quiet_until = self._core.quiet_until()
        if self._timer:
            if self._looks_at <= quiet_until < inf:
                return
            self._timer.cancel()
            self._timer = None
        if quiet_until < inf:
            now = self._clock.now().ticks
            nap = min(max(0, quiet_until - now), LONGEST_NAP_SECONDS * TICKS_PER_SECOND)
            self._looks_at = now + nap
            self._timer = asyncio.get_running_loop().call_later(nap / TICKS_PER_SECOND, self._look)

    def _look(self) -> None:
        self._timer = None
        self.step(self._core.expire)
