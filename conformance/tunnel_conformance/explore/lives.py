"""A machine of the tables at work on the reference interpreter, with its rows as they are taken. Time is in milliseconds."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from tunnel.spec.model import Machine
from tunnel.spec.semantics import Interpreter
from tunnel_conformance.spec import spec

TICKS: Final = 1000
"""In a second."""

Facts = Mapping[str, bool]

MARGINS: Final = {"link": 30, "idle": 30, "authenticate": 5, "join": 6, "silence": 10}
"""So many seconds away from a deadline nothing is asked: the exact moment is a matter for the model. Pings are not looked for."""


class Carrier(Struct, frozen=True):
    """A row or a timer, and the rules that it carries out."""

    name: str
    rules: tuple[str, ...]


@cache
def _interpreter(name: str) -> Interpreter:
    machine = machine_of(name)
    return Interpreter(machine, spec().constants, TICKS)


def machine_of(name: str) -> Machine:
    """The table of this name."""
    return spec().machines[name]


@cache
def _durations(name: str) -> dict[str, int]:
    return {timer.name: spec().constants[timer.duration] * TICKS for timer in machine_of(name).timers}


class Life:
    """One machine at work.

    Args:
        name: of its table.
        now: when it begins.
    """

    def __init__(self, name: str, now: int) -> None:
        self.name = name
        self.at = _interpreter(name).start(now)
        self._fires = {timer.name: timer.fires for timer in machine_of(name).timers}

    @property
    def state(self) -> str:
        """Where it is."""
        return self.at.state

    @property
    def deadlines(self) -> dict[str, int]:
        """When each timer that runs reaches its duration."""
        return {timer: since + _durations(self.name)[timer] for timer, since in self.at.since.items()}

    @property
    def due(self) -> tuple[int, str] | None:
        """When the next timer fires, and which event that is."""
        firing = [(deadline, self._fires[timer]) for timer, deadline in self.deadlines.items() if self._fires[timer]]
        return min(firing, default=None)

    def take(self, event: str, facts: Facts, now: int) -> tuple[Carrier, list[list[str]]]:
        """Take the row of this event; its actions, word by word."""
        step = _interpreter(self.name).step(self.at, event, facts, now)
        self.at = step.after
        return Carrier(f"{self.name}/{step.row.id}", step.row.rules), [action.split() for action in step.actions]

    def timers(self) -> Iterator[Carrier]:
        """The timers that run."""
        for timer in machine_of(self.name).timers:
            if timer.name in self.at.since:
                yield Carrier(f"{self.name}/timer {timer.name}", timer.rules)
