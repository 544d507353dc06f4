"""What was refused while a tunnel was open, for its person to see: joins of strangers, and says of the own agent."""

from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from tunnel.core import effects
from tunnel.core.effects import Effect
from tunnel.core.text import visible
from tunnel.spec.v1 import frames

KEPT: Final = 200
"""So many are kept; a stranger can knock as often as it likes."""

WHY_BYTES: Final = 400
"""So much of a reason is shown."""


class Refusal(Struct, frozen=True, kw_only=True):
    """One thing that was refused."""

    number: int
    what: Literal["join", "say"]
    why: str
    after: int
    """The number of the last message before it."""
    unix_ms: int


class Refusals:
    """The last refusals of one tunnel.

    Args:
        last: tells the number of the last message.
        unix_ms: tells the time.
    """

    def __init__(self, last: Callable[[], int], unix_ms: Callable[[], int]) -> None:
        self.count = 0
        """How many there were; fewer are kept."""
        self._kept: deque[Refusal] = deque(maxlen=KEPT)
        self._last = last
        self._unix_ms = unix_ms

    def observe(self, effect: Effect) -> None:
        """The driver does this: a stranger is told that it is not let in."""
        if isinstance(effect, effects.Send) and isinstance(effect.frame, frames.AuthFail):
            self._note("join", effect.frame.reason)

    def say(self, why: str) -> None:
        """The own agent was not allowed to say something."""
        # What it begins with says enough; the rest tells the agent what to do.
        self._note("say", why.partition(":")[0].replace("_", " "))

    def after(self, number: int) -> list[Refusal]:
        """Those behind a number that are still kept."""
        return [refusal for refusal in self._kept if refusal.number > number]

    def _note(self, what: Literal["join", "say"], why: str) -> None:
        self.count += 1
        self._kept.append(
            Refusal(
                number=self.count,
                what=what,
                why=visible(why, WHY_BYTES),
                after=self._last(),
                unix_ms=self._unix_ms(),
            )
        )
