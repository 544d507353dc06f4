"""What its person allows an agent to say: so many messages until the person allows more, and none while it is paused.

It counts over all tunnels of this process. Nothing in here reaches an agent; whatever grants must have asked a person.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.errors import Refused
from tunnel.io.clock import Clock

QUESTION_SECONDS: Final = 600.0
"""So long an answer of the person's is waited for."""

QUIET_SECONDS: Final = 300.0
"""So long a person who has said no is left in peace."""

MOST_QUESTIONS: Final = 16
"""So many questions may wait for an answer; one more, and the oldest is not answered any more."""

_NONCE_BYTES: Final = 16


class SpentError(Refused):
    """The agent has said as much as its person allowed; the text says how its person allows more."""


class PausedError(Refused):
    """The person has paused its agent."""


class Budget:
    """What one agent has said since its person last allowed it, and how that goes on.

    Args:
        limit: how many messages its person allows at a time; 0 for any number.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(self, limit: int, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self.limit = limit
        self.said = 0
        self.round = 1
        """Counts what was allowed: whoever allows more says which round it has seen, and so each approval works once."""
        self.is_paused = False
        self.way = "with `tunnel-mcp allow` in a terminal of its own"
        """How a person allows more without its client's help."""
        self.asking = asyncio.Lock()
        """Held while the person is being asked by a call that waits: one question at a time."""
        self._clock = clock
        self._entropy = entropy
        self._questions: dict[str, int] = {}
        self._quiet_until: int | None = None

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be said."""
        return 0 < self.limit <= self.said

    @property
    def left(self) -> int | None:
        """How many messages may still be said; None for any number."""
        return max(0, self.limit - self.said) if self.limit else None

    @contextmanager
    def turn(self) -> Generator[None]:
        """One message is said. What is refused was not said, and does not count; what may have arrived does.

        Raises:
            PausedError: the person has paused its agent.
            SpentError: the budget is spent.
        """
        if self.is_paused:
            raise PausedError(
                "paused: your person has paused you, so nothing was said. Nothing is lost: the tunnel is open, and "
                "tunnel_listen hears your peer. Say it again once your person lets you go on."
            )
        if self.is_spent:
            raise SpentError(self._spent())
        # Counted before it is said: of many says at once, no more than are left begin.
        now = self.round
        self.said += 1
        try:
            yield
        except Refused:
            if self.round == now:
                self.said -= 1
            raise

    # --- The person ------------------------------------------------------------------------------------------------------

    def grant(self, seen: int) -> bool:
        """The person allows as much again; whether it came to that.

        Args:
            seen: the round that the person was shown. More was allowed since if it is not the present one.
        """
        if seen != self.round:
            return False
        self.round += 1
        self.said = 0
        self._questions.clear()
        self._quiet_until = None
        return True

    @property
    def may_ask(self) -> bool:
        """Whether the person may be asked for more now: a no holds for a while."""
        quiet = self._quiet_until is not None and self._clock.now().ticks < self._quiet_until
        return self.is_spent and not self.is_paused and not quiet

    def ask(self) -> str:
        """The person is asked for more; the question's own secret, which its answer must name."""
        while len(self._questions) >= MOST_QUESTIONS:
            del self._questions[next(iter(self._questions))]
        question = self._entropy(_NONCE_BYTES).hex()
        self._questions[question] = self._in(QUESTION_SECONDS)
        return question

    def answer(self, question: str, *, allows: bool) -> bool:
        """A question is answered; whether that allows more.

        One that was never asked, or is answered already, expired, or overtaken by another answer allows nothing.
        """
        expires = self._questions.pop(question, None)
        if expires is None or self._clock.now().ticks >= expires:
            return False
        if not allows:
            self._questions.clear()
            self._quiet_until = self._in(QUIET_SECONDS)
            return False
        return self.grant(self.round)

    def withdraw(self, question: str) -> None:
        """Nobody waits for this question's answer any more."""
        self._questions.pop(question, None)

    def _in(self, seconds: float) -> int:
        return self._clock.now().ticks + int(seconds * TICKS_PER_SECOND)

    def _spent(self) -> str:
        no = (
            " It was asked just now, and did not allow it."
            if self._quiet_until is not None and not self.may_ask
            else ""
        )
        return (
            f"budget spent: you have said {self.said} messages since your person last allowed it, which is the limit, so "
            f"this one was not said.{no} Nothing is lost: the tunnel is open, and tunnel_listen hears your peer. Tell your "
            f"person what you have reached and what is left, and wait. Your person allows {self.limit} more {self.way}."
        )
