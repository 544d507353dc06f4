"""The host's side as the tables give it: the session, its connections, and how the actions of one are events of the other."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tunnel_conformance.explore.lives import MARGINS, TICKS, Carrier, Facts, Life
from tunnel_conformance.spec import spec

STRANGERS: Final = ("opening", "challenged")
NOTHING: Final[Facts] = {}


class Word(Struct, frozen=True):
    """What a peer of the kit gets to see, or the host's agent when `to` is empty."""

    to: str
    name: str
    about: str = ""


class HostSide:
    """A session with its connections, each by the name of the peer at its other end.

    Args:
        now: when the relay begins.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self.session = Life("session", now)
        self.connections: dict[str, Life] = {}
        self.frozen: set[str] = set()
        """Who reads nothing any more, and so answers no pings."""
        self.numbered = 0
        self.words: list[Word] = []
        self.taken: list[Carrier] = []
        self.ending: tuple[Carrier, ...] = ()
        """The row with which the session ended, and the timers that ran."""
        self._fired: list[tuple[str, int]] = []

    @property
    def guest(self) -> str:
        """Whose connection is admitted; empty when nobody's is."""
        return next((who for who, life in self.connections.items() if life.state == "admitted"), "")

    @property
    def strangers(self) -> list[str]:
        """Who is connected and was not admitted."""
        return [who for who, life in self.connections.items() if life.state in STRANGERS]

    def is_open(self) -> bool:
        """Whether the session goes on."""
        return self.session.state != "closed"

    # --- Time ---

    def advance(self, until: int) -> None:
        """Let time pass; each deadline takes effect at its moment."""
        self._fired = []
        while (due := self._due()) is not None and due[0] <= until:
            moment, who, event = due
            self.now = max(self.now, moment)
            self._fired.append((event, moment))
            if who:
                self.on_connection(who, event)
            else:
                self.in_session(event)
        self.now = max(self.now, until)

    def _due(self) -> tuple[int, str, str] | None:
        # Of what is due in one moment the session's goes first, then the connections' in their order (TIME-1).
        lives = [("", self.session), *self.connections.items()]
        dues = [(due[0], rank, who, due[1]) for rank, (who, life) in enumerate(lives) if (due := life.due)]
        first = min(dues, default=None)
        return first and (first[0], first[2], first[3])

    def is_near(self, moment: int) -> bool:
        """Whether a deadline is so near to this moment that nothing should be asked then."""
        deadlines = [*self._fired, *(pair for _, life in self._lives() for pair in life.deadlines.items())]
        return any(abs(moment - deadline) < MARGINS.get(name, 0) * TICKS for name, deadline in deadlines)

    def _lives(self) -> Iterator[tuple[str, Life]]:
        yield "", self.session
        yield from self.connections.items()

    # --- What happens ---

    def accept(self, who: str) -> None:
        """A socket comes in."""
        self.connections[who] = Life("connection", self.now)

    def on_connection(
        self, who: str, event: str, facts: Facts = NOTHING, asked: Facts = NOTHING, about: str = ""
    ) -> None:
        """Something happens on a connection.

        Args:
            who: whose.
            event: what.
            facts: of the event.
            asked: the facts with which the session will be asked, if it is.
            about: the refusal or the closing that the session gave.
        """
        carrier, actions = self.connections[who].take(event, facts, self.now)
        self._note(carrier)
        for action in actions:
            match action:
                case ["judge"]:
                    self.in_session("auth", asked, who)
                case ["relay"]:
                    self.in_session("send", asked, who)
                case ["leave"]:
                    self.in_session("left")
                case ["deny"] | ["hang_up_told"]:
                    self.words.append(Word(who, action[0], about))
                case ["hang_up", closing]:
                    self.words.append(Word(who, "hang_up_told", closing))
                case ["ping"] if who in self.frozen:
                    pass
                case ["ping"]:
                    self.on_connection(who, "heard")
                case _:
                    self.words.append(Word(who, action[0]))
        life = self.connections.get(who)
        if life and life.state in ("finished", "gone"):
            # What is finished stays so, whatever follows: nobody needs to remember it.
            del self.connections[who]

    def in_session(self, event: str, facts: Facts = NOTHING, asking: str = "") -> None:
        """Something happens to the session; `asking` is the connection that it is about."""
        was_open, timers = self.is_open(), tuple(self.session.timers())
        carrier, actions = self.session.take(event, facts, self.now)
        self._note(carrier)
        if was_open and not self.is_open():
            self.ending = (carrier, *timers)
        for action in actions:
            match action:
                case ["refuse", refusal]:
                    self.on_connection(asking, "refuse", about=refusal)
                case ["admit"]:
                    self.on_connection(asking, "admit")
                case ["number" | "number_chat", *notice]:
                    self.numbered += 1
                    self.words.append(Word(self.guest, "msg", " ".join(notice)))
                case ["end", cause]:
                    closing = next(one.closings[0] for one in spec().refusals.causes if one.id == cause)
                    for who in list(self.connections):
                        self.on_connection(who, "end", about=closing)
                case _:
                    self.words.append(Word("", action[0], " ".join(action[1:])))

    def _note(self, carrier: Carrier) -> None:
        if carrier not in self.taken:
            self.taken.append(carrier)
