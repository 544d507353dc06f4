"""Reads the two clocks. Lifetimes run on one that counts suspend where the system has it (TIME-2)."""

import time
from typing import Final, Protocol

from tunnel.core.instant import Instant

_NANOSECONDS_PER_MILLISECOND: Final = 1_000_000


class Clock(Protocol):
    """Tells the moment. Tests have one that stands still until it is moved."""

    def now(self) -> Instant:
        """The moment, read once."""
        ...


class SystemClock:
    """The machine's clocks: CLOCK_BOOTTIME on Linux; elsewhere the monotonic clock, which macOS and Windows keep through sleep."""

    def __init__(self) -> None:
        self._ticks = getattr(time, "CLOCK_BOOTTIME", None)

    def now(self) -> Instant:
        """The moment, read once."""
        ticks = time.monotonic_ns() if self._ticks is None else time.clock_gettime_ns(self._ticks)
        return Instant(ticks=ticks, unix_ms=time.time_ns() // _NANOSECONDS_PER_MILLISECOND)
