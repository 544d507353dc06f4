"""A moment, read once per input: nothing in the core asks a clock."""

from typing import Final

from msgspec import Struct

TICKS_PER_SECOND: Final = 1_000_000_000
"""Ticks are nanoseconds, whole numbers: a boundary is met exactly or not at all."""

TICKS_PER_MILLISECOND: Final = TICKS_PER_SECOND // 1000


class Instant(Struct, frozen=True, gc=False):
    """A moment on two clocks."""

    ticks: int
    """On a clock that counts suspend and never jumps (TIME-2). Lifetimes are measured on it."""
    unix_ms: int
    """Wall time in milliseconds since the Unix epoch. It is only shown."""

    def back_to(self, ticks: int) -> "Instant":
        """The earlier moment at which the first clock had these ticks."""
        return Instant(ticks, self.unix_ms - (self.ticks - ticks) // TICKS_PER_MILLISECOND)


def whole_seconds(ticks: int) -> int:
    """Seconds for people, rounded up: what has a moment left has a second left."""
    return max(0, -(-ticks // TICKS_PER_SECOND))
