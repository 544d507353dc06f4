"""Reads the two clocks. Lifetimes run on one that counts suspend where the system has it (TIME-2)."""

import time
from typing import Final, Protocol

from tunnel.core.instant import Instant

COUNTS_SUSPEND: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", None))
"""Linux has CLOCK_BOOTTIME. macOS has CLOCK_MONOTONIC_RAW, and its `time.monotonic` stops with the machine; on Windows
there is neither, and `time.monotonic` goes on."""

_NANOSECONDS_PER_MILLISECOND: Final = 1_000_000


class Clock(Protocol):
    """Tells the moment. Tests have one that stands still until it is moved."""

    def now(self) -> Instant:
        """The moment, read once."""
        ...


class SystemClock:
    """The machine's clocks.

    Args:
        ticking: which of the system's clocks ticks are read from; None stands for `time.monotonic`.
    """

    def __init__(self, ticking: int | None = COUNTS_SUSPEND) -> None:
        self._ticking = ticking

    def now(self) -> Instant:
        """The moment, read once."""
        ticks = time.monotonic_ns() if self._ticking is None else time.clock_gettime_ns(self._ticking)
        return Instant(ticks=ticks, unix_ms=time.time_ns() // _NANOSECONDS_PER_MILLISECOND)
