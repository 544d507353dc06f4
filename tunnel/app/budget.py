"""What its person allows an agent to say: so many messages until the person allows more, and none while it is paused.

It counts over all tunnels of this process. Nothing in here reaches an agent; whatever grants must have asked a person.
"""

import asyncio
import hmac
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.errors import Refused
from tunnel.io.clock import Clock

QUESTION_SECONDS: Final = 600.0
"""So long an answer of the person's is waited for."""

QUIET_SECONDS: Final = 300.0
"""So long a person who has said no, or nothing, is left in peace."""

MOST_QUESTIONS: Final = 16
"""So many questions may wait for an answer; one more, and the oldest is not answered any more."""

_NONCE_BYTES: Final = 16
_NONCE_CHARS: Final = 2 * _NONCE_BYTES
_SECRET_BYTES: Final = 32


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
        self.way = "with `tunnel-mcp allow` in a terminal of their own"
        """How a person allows more without its client's help."""
        self.on_change: Callable[[], None] = lambda: None
        """Is called whenever something has changed that a status shows."""
        self.asking = asyncio.Lock()
        """Held while the person is being asked by a call that waits: one question at a time."""
        self._clock = clock
        self._entropy = entropy
        self._questions: dict[str, int] = {}
        self._secret: bytes | None = None
        self._quiet_until: int | None = None
        self._has_answered = True
        self._is_paused = False
        self._waiting: set[asyncio.Future[None]] = set()

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
        self.check_not_paused()
        if self.is_spent:
            raise SpentError(self._spent())
        # Counted before it is said: of many says at once, no more than are left begin.
        now = self.round
        self.said += 1
        self.on_change()
        try:
            yield
        except Refused:
            if self.round == now:
                self.said -= 1
                self.on_change()
            raise

    def check_not_paused(self) -> None:
        """A say may wait for its turn, and its person may pause it meanwhile: so this is asked again right before it is said.

        Raises:
            PausedError: the person has paused its agent.
        """
        if self.is_paused:
            raise PausedError(
                "paused: your person has paused you, so nothing was said. Nothing is lost: the tunnel is open, and "
                "tunnel_listen hears your peer. Say it again once your person lets you go on."
            )

    @property
    def stands_against(self) -> str | None:
        """Why nothing can be said now, and what to do meanwhile; None when something can."""
        if self.is_paused:
            return "Your person has paused you: nothing can be said until they let you go on. tunnel_listen hears your peer."
        if self.is_spent:
            return (
                "Your budget is spent: tunnel_say works again once your person allows more, and asks them where your client "
                f"can. tunnel_listen hears your peer. {self._how()}"
            )
        return None

    # --- The person ------------------------------------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """Whether the person has paused its agent."""
        return self._is_paused

    @is_paused.setter
    def is_paused(self, paused: bool) -> None:
        self._is_paused = paused
        self._wake()

    async def changed(self) -> None:
        """Wait until the person steps in: allows more, says no, pauses its agent, or lets it go on."""
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            await change
        finally:
            self._waiting.discard(change)

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
        self._wake()
        return True

    @property
    def may_ask(self) -> bool:
        """Whether the person may be asked for more now: a no holds for a while, and so does no answer."""
        quiet = self._quiet_until is not None and self._clock.now().ticks < self._quiet_until
        return self.is_spent and not self.is_paused and not quiet

    def ask(self) -> str:
        """The person is asked for more; the question's own secret, which its answer must name."""
        while len(self._questions) >= MOST_QUESTIONS:
            del self._questions[next(iter(self._questions))]
        if self._secret is None:
            self._secret = self._entropy(_SECRET_BYTES)
        nonce = self._entropy(_NONCE_BYTES).hex()
        question = nonce + _seal(self._secret, nonce)
        self._questions[question] = self._in(QUESTION_SECONDS)
        return question

    def was_asked(self, question: str) -> bool:
        """Whether this process has ever asked it, also when it is settled or forgotten by now."""
        nonce, seal = question[:_NONCE_CHARS], question[_NONCE_CHARS:]
        return self._secret is not None and hmac.compare_digest(_seal(self._secret, nonce).encode(), _bytes(seal))

    def answer(self, question: str, *, allows: bool) -> bool:
        """A question is answered; whether that allows more.

        One that was never asked, or is answered already, expired, or overtaken by another answer allows nothing.
        """
        expires = self._questions.pop(question, None)
        if expires is None or self._clock.now().ticks >= expires:
            return False
        if not allows:
            self._leave_in_peace(has_answered=True)
            return False
        return self.grant(self.round)

    def give_up(self, question: str) -> None:
        """The person has not answered this question, and nobody waits for it any more. One that is settled stays so."""
        if question in self._questions:
            self._leave_in_peace(has_answered=False)

    def withdraw(self, question: str) -> None:
        """The question has become pointless: nobody waits for its answer any more."""
        self._questions.pop(question, None)

    def _leave_in_peace(self, *, has_answered: bool) -> None:
        self._questions.clear()
        self._quiet_until = self._in(QUIET_SECONDS)
        self._has_answered = has_answered
        self._wake()

    def _wake(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)
        self.on_change()

    def _in(self, seconds: float) -> int:
        return self._clock.now().ticks + int(seconds * TICKS_PER_SECOND)

    def _spent(self) -> str:
        return (
            f"budget spent: you have said {messages(self.said)} since your person last allowed it, which is the limit, so "
            f"this one was not said.{self._asked()} Nothing is lost: the tunnel is open, and tunnel_listen hears your peer. Tell your "
            f"person what you have reached and what is left, and wait. {self._how()}"
        )

    def _how(self) -> str:
        return f"Your person allows {self.limit} more {self.way}."

    def _asked(self) -> str:
        """What became of asking the person, in a sentence."""
        if self.asking.locked():
            return " They are being asked now."
        if self._quiet_until is None or self.may_ask:
            return ""
        return f" They were asked just now, and did not {'allow it' if self._has_answered else 'answer'}."


def messages(number: int, more: str = "") -> str:
    """So many messages, or so many more of them, in words."""
    return f"{number}{more} message{'' if number == 1 else 's'}"


def _seal(secret: bytes, nonce: str) -> str:
    return hmac.digest(secret, _bytes(nonce), "sha256").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
