"""The host's side as the tables alone give it: the session, its connections, and how the actions of one are events of the other.

It is written from the tables' words and shares no code with `tunnel.core`, so that the core can be compared with it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from spec.compiler.explore import Place
from spec.compiler.reader import Spec
from tunnel.spec.model import Machine
from tunnel.spec.semantics import EndlessTimerError, Interpreter

ADMITTED = "admitted"


class Taken(NamedTuple):
    """A row that was taken, by which machine, where, and what asked for it."""

    machine: str
    place: Place
    event: str
    facts: tuple[tuple[str, bool], ...]
    row: str
    actions: tuple[str, ...]
    then: Place


class Word(NamedTuple):
    """What the host does that somebody notices: a frame or a close for a connection, or (`to` is empty) news for its agent."""

    to: str
    name: str
    about: str = ""


class Runs:
    """One machine, a place at a time. What was asked once is remembered: there are few places and many ways through them.

    Args:
        machine: the table.
        seconds: the duration of every timer; a tick is a second.
    """

    def __init__(self, machine: Machine, seconds: Mapping[str, int]) -> None:
        self.name = machine.machine
        self._interpreter = Interpreter(replace(machine, invariants=()), seconds)
        self._seconds = seconds
        self._oldest = max(seconds[timer.duration] for timer in machine.timers) + 1
        self._taken: dict[tuple[Place, str, tuple[tuple[str, bool], ...]], Taken] = {}
        self._due: dict[Place, str] = {}

    def start(self) -> Place:
        """Where it begins."""
        return self._place(self._interpreter.start(0).state, self._interpreter.start(0).since)

    def take(self, place: Place, event: str, facts: Mapping[str, bool]) -> Taken:
        """The row that an event takes there.

        Raises:
            NoRowError: there is none.
        """
        key = (place, event, tuple(facts.items()))
        if key not in self._taken:
            step = self._interpreter.step(place.configuration, event, facts, 0)
            then = self._place(step.after.state, step.after.since)
            self._taken[key] = Taken(self.name, place, event, key[2], step.row.id, step.actions, then)
        return self._taken[key]

    def due(self, place: Place) -> str:
        """The event of the timer that is due there; empty when none is."""
        if place not in self._due:
            self._due[place] = self._interpreter.due(place.configuration, 0) or ""
        return self._due[place]

    def remaining(self, place: Place, *, that_fire: bool = False) -> dict[str, int]:
        """How long each running timer has still to go; `that_fire` leaves out those that are only asked."""
        return {
            timer.name: self._seconds[timer.duration] - dict(place.ages)[timer.name]
            for timer in self._interpreter.machine.timers
            if timer.name in dict(place.ages) and (timer.fires or not that_fire)
        }

    def older(self, place: Place) -> Place:
        """The same place a tick later, before anybody looks at the clock."""
        return place._replace(ages=tuple((timer, min(age + 1, self._oldest)) for timer, age in place.ages))

    def _place(self, state: str, since: Mapping[str, int]) -> Place:
        return Place(state, tuple((timer, -then) for timer, then in since.items()), ())


class Tables(NamedTuple):
    """What a host and a guest run on."""

    session: Runs
    connection: Runs
    guest: Runs
    closing_of: Mapping[str, str]
    """What a session that ends for a cause says in its close frames."""
    cause_of: Mapping[str, str]
    """What a guest concludes from a close frame."""

    @classmethod
    def of(cls, spec: Spec, seconds: Mapping[str, int]) -> "Tables":
        """The tables of a spec, with these durations."""
        runs = {name: Runs(machine, seconds) for name, machine in spec.machines.items()}
        return cls(
            **runs,
            closing_of={cause.id: cause.closings[0] for cause in spec.refusals.causes if cause.closings},
            cause_of={closing: cause.id for cause in spec.refusals.causes for closing in cause.closings},
        )


class HostSide:
    """A session and its connections, by name, in the middle of something.

    Args:
        tables: what they run on.
        session: where the session is.
        connections: where each connection is.
    """

    def __init__(self, tables: Tables, session: Place, connections: Mapping[str, Place]) -> None:
        self.at = session
        self.connections = dict(connections)
        self.words: list[Word] = []
        self.taken: list[Taken] = []
        self._tables = tables

    @property
    def guest(self) -> str:
        """The connection of the guest; empty while there is none."""
        return next((name for name, place in self.connections.items() if place.state == ADMITTED), "")

    def accept(self, who: str) -> None:
        """A socket comes in."""
        self.connections[who] = self._tables.connection.start()

    def pass_time(self) -> None:
        """A tick passes, and every timer that is due takes effect."""
        self.at = self._tables.session.older(self.at)
        for who in self.connections:
            self.connections[who] = self._tables.connection.older(self.connections[who])
        fired: set[tuple[str, str]] = set()
        while event := self._tables.session.due(self.at):
            _once(fired, "session", event)
            self.in_session(event)
        for who in list(self.connections):
            while event := self._tables.connection.due(self.connections[who]):
                _once(fired, who, event)
                self.on_connection(who, event)

    def on_connection(
        self,
        who: str,
        event: str,
        asked: Mapping[str, bool] | None = None,
        about: str = "",
        **facts: bool,
    ) -> None:
        """Something happens on a connection.

        Args:
            who: its name.
            event: what happens.
            asked: the facts with which the session will be asked, if it is.
            about: the refusal or the closing that the session gave.
            facts: those of the event.
        """
        taken = self._tables.connection.take(self.connections[who], event, facts)
        self.connections[who] = taken.then
        self.taken.append(taken)
        for action in taken.actions:
            match action.split():
                case ["judge"]:
                    # Where there is no `auth`, there is no good one.
                    self.in_session("auth", who, **(asked or {"well_formed": False, "proof_ok": False}))
                case ["relay"]:
                    self.in_session("send", who, **(asked or {}))
                case ["leave"]:
                    self.in_session("left", who)
                    self.words.append(Word("", "left"))
                case ["welcome"]:
                    self.words.append(Word(who, "auth_ok"))
                case ["deny"]:
                    self.words.append(Word(who, "auth_fail", about))
                case ["hang_up", closing]:
                    self.words.append(Word(who, "close", closing))
                case ["hang_up_told"]:
                    self.words.append(Word(who, "close", about))
                case _:
                    self.words.append(Word(who, action))

    def in_session(self, event: str, asking: str = "", /, **facts: bool) -> None:
        """Something happens to the session; `asking` is the connection that it is about."""
        taken = self._tables.session.take(self.at, event, facts)
        self.at = taken.then
        self.taken.append(taken)
        for action in taken.actions:
            match action.split():
                case ["refuse", refusal]:
                    self.on_connection(asking, "refuse", about=refusal)
                case ["admit"]:
                    self.on_connection(asking, "admit")
                case ["drop", closing]:
                    self.on_connection(asking, "drop", about=closing)
                case ["number", notice]:
                    self._number(notice)
                case ["number_chat"] if event == "say":
                    self._number("chat")
                    self.words.append(Word("", "said"))
                case ["number_chat"]:
                    self._number("own")
                case ["end", cause]:
                    for who in self.connections:
                        self.on_connection(who, "end", about=self._tables.closing_of[cause])
                    self.words.append(Word("", "end", cause))
                case [verb, *about]:
                    self.words.append(Word("", verb, " ".join(about)))
                case _:
                    pass

    def _number(self, what: str) -> None:
        if guest := self.guest:
            self.words.append(Word(guest, "msg", what))
        self.words.append(Word("", "numbered", what))


def _once(fired: set[tuple[str, str]], who: str, event: str) -> None:
    if (who, event) in fired:
        raise EndlessTimerError(f"{who}: {event!r} stays due")
    fired.add((who, event))
