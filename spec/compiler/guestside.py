"""The guest's side as its table gives it: what it says and does when frames, closes and its own agent come along.

Like `hostside`, it shares no code with `tunnel.core`, so that the core can be compared with it.
"""

from spec.compiler.explore import Place
from spec.compiler.hostside import Tables, Taken
from spec.compiler.world import TOLD
from tunnel.spec.semantics import EndlessTimerError

FILLING = 17
"""So many messages, each of them very long, fill a transcript beyond what a session may hold."""


class GuestSide:
    """A guest at some point of its life.

    Args:
        tables: what it runs on.
    """

    def __init__(self, tables: Tables) -> None:
        self.at: Place = tables.guest.start()
        self.words: list[str] = []
        self.taken: list[Taken] = []
        self.last = 0
        """The number of the last message that it has."""
        self.shown = 0
        """How many of its messages its agent sees."""
        self._tables = tables
        self._unconfirmed = 0
        self._is_full = False

    def pass_time(self) -> None:
        """A tick passes, and every timer that is due takes effect."""
        self.at = self._tables.guest.older(self.at)
        fired: set[str] = set()
        while event := self._tables.guest.due(self.at):
            if event in fired:
                raise EndlessTimerError(f"guest: {event!r} stays due")
            fired.add(event)
            self.take(event)

    def fill(self) -> None:
        """The transcript becomes full."""
        self._is_full = True
        self.last += FILLING
        self.shown += FILLING

    def enter(self, *, in_order: bool) -> None:
        """The host lets it in, with a backlog of one message."""
        self.take("auth_ok", in_order=in_order, overfull=self._is_full)

    def message(self, number: int, sender: str) -> None:
        """A numbered message: of the `host`, of the `guest` going by what it claims, or the `echo` of what the guest did say."""
        self.take(
            "msg",
            stale=number <= self.last,
            in_order=number == self.last + 1,
            overfull=self._is_full,
            claims_ours=sender != "host",
            echo=sender == "echo" and self._unconfirmed > 0,
        )

    def lose(self, closing: str) -> None:
        """The socket is closed; `closing` is what the host's close frame said."""
        told = self._tables.cause_of.get(closing, "")
        self.take("lost", **{fact: cause == told for cause, fact in TOLD.items()})

    def say(self, *, fits: bool) -> None:
        """The guest's agent says something."""
        self.take("say", fits=fits, has_room=not self._is_full)

    def take(self, event: str, **facts: bool) -> None:
        """Something happens."""
        taken = self._tables.guest.take(self.at, event, facts)
        self.at = taken.then
        self.taken.append(taken)
        for action in taken.actions:
            self._do(action)

    def _do(self, action: str) -> None:
        match action.split():
            case ["send"]:
                self._unconfirmed += 1
                self.words.append("send chat")
            case ["send_summary"]:
                self.words.append("send summary")
            case ["enter"] | ["take"]:
                self.last, self.shown = self.last + 1, self.shown + 1
                self.words.append(action)
            case ["conceal"]:
                self.last += 1
            case ["confirm"]:
                self._unconfirmed -= 1
                self.words.append(action)
            case ["end", _]:
                self.words += ["fail unconfirmed"] * self._unconfirmed
                self._unconfirmed = 0
                self.words.append(action)
            case _:
                self.words.append(action)
