"""What the two actors share: dice, a clock, a way to fill a transcript, and words for what an agent is told.

An actor plays the lines of a script with the real core, and says what is heard then in the script's words.
"""

import hashlib
from typing import Final

from tunnel.core import effects
from tunnel.core.effects import Effect
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.transcript import Transcript
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import TRANSCRIPT_BYTES

BEGIN: Final = 1_000 * TICKS_PER_SECOND
"""When a script begins."""


class Dice:
    """Bytes that look random and come out the same in every run, in the shape of `os.urandom`."""

    def __init__(self) -> None:
        self._throws = 0

    def __call__(self, count: int) -> bytes:
        """The next throw."""
        self._throws += 1
        return hashlib.shake_256(str(self._throws).encode()).digest(count)


def instant(ticks: int) -> Instant:
    """That moment on both clocks."""
    return Instant(ticks, ticks // 1_000_000)


def clock(name: str, deadline: int | None, now: Instant) -> str:
    """What is left until a deadline, in whole seconds where it is whole; what is past is past."""
    left = None if deadline is None else (deadline - now.ticks) / TICKS_PER_SECOND
    return f"{name}: {'-' if left is None else max(int(left) if left.is_integer() else left, -1)}"


def fill(transcript: Transcript) -> None:
    """Few messages that are so long that the transcript holds more than it may; their body is one and the same."""
    body = "x" * (TRANSCRIPT_BYTES // 16)
    for number in range(transcript.last + 1, transcript.last + 18):
        transcript.append(frames.Message(id="filling", seq=number, sender="host", kind="system", body=body, ts=0))


def news(effect: Effect) -> str:
    """What an agent is told."""
    match effect:
        case effects.HandOutLink():
            return "hand_out_link"
        case effects.Said():
            return "said"
        case effects.NotSaid(failure=failure):
            return f"fail {failure.value}"
        case effects.Ended(cause=cause):
            return f"end {cause.value}"
        case _:
            return type(effect).__name__
