"""Plays exported traces on a machine as a stranger would: from the file alone, with nothing of the compiler.

Two machines of ours can be played on: the reference interpreter, and the one that runs.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.core.machine import Machine as CoreMachine
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Interpreter
from tunnel.spec.v1 import connection, guest, session
from tunnel.spec.v1.constants import SECONDS

Line = Mapping[str, Any]
"""A line of a trace, as it stands in the file."""
Traces = Mapping[str, Any]
Life = tuple[str, list[Line]]
"""What happens to one machine, with a name for it."""

MODULES: Mapping[str, Any] = {"session": session, "connection": connection, "guest": guest}
"""The generated modules: each has the same names, and types of its own."""


class Subject(Protocol):
    """A machine that is played on, in seconds."""

    def due(self, now: int) -> tuple[int, str] | None:
        """Deadline and event of the timer that has been due for longest."""
        ...

    def fire(self, event: str, facts: Mapping[str, bool], now: int) -> tuple[str, list[str]]:
        """The row that is taken, and what it does."""
        ...

    def state(self) -> str: ...

    def deadlines(self) -> dict[str, int]: ...


class OnInterpreter:
    """The reference interpreter."""

    def __init__(self, machine: Machine) -> None:
        self._durations = {timer.name: SECONDS[timer.duration] for timer in machine.timers}
        self._timers = {timer.fires: timer.name for timer in machine.timers}
        self._interpreter = Interpreter(machine, SECONDS)
        self._at = self._interpreter.start(0)

    def due(self, now: int) -> tuple[int, str] | None:
        event = self._interpreter.due(self._at, now)
        return None if event is None else (self.deadlines()[self._timers[event]], event)

    def fire(self, event: str, facts: Mapping[str, bool], now: int) -> tuple[str, list[str]]:
        step = self._interpreter.step(self._at, event, facts, now)
        self._at = step.after
        return step.row.id, list(step.actions)

    def state(self) -> str:
        return self._at.state

    def deadlines(self) -> dict[str, int]:
        return {name: since + self._durations[name] for name, since in self._at.since.items()}


class OnCore:
    """The machine that runs."""

    def __init__(self, machine: Machine) -> None:
        module = MODULES[machine.machine]
        self._events = module.Event
        self._words = {action: word for word, action in module.ACTIONS.items()}
        self._timers = {timer.name: timer.fires for timer in machine.timers}
        self._core: CoreMachine[Any, Any, Any] = CoreMachine(machine, module.State, module.ACTIONS, SECONDS, 0)

    def due(self, now: int) -> tuple[int, str] | None:
        passed = {
            event for name, event in self._timers.items() if self._core.timers.passed(name, now * TICKS_PER_SECOND)
        }
        found = self._core.timers.next()
        return (found[0] // TICKS_PER_SECOND, found[1]) if found and found[1] in passed else None

    def fire(self, event: str, facts: Mapping[str, bool], now: int) -> tuple[str, list[str]]:
        move = self._core.fire(self._events(event), now * TICKS_PER_SECOND, facts)
        return move.row, [self._words[action] for action in move.actions]

    def state(self) -> str:
        return self._core.state.value

    def deadlines(self) -> dict[str, int]:
        found = {name: self._core.timers.deadline_of(name) for name in self._timers}
        return {name: ticks // TICKS_PER_SECOND for name, ticks in found.items() if ticks is not None}


def lives(trace: Mapping[str, Any]) -> Iterator[Life]:
    """Every life of a machine that a trace tells, whole, with a name."""
    if "ends" not in trace:
        yield trace["name"], trace["steps"]
    for number, end in enumerate(trace.get("ends", []), 1):
        yield f"{trace['name']}, end {number}", [*trace["steps"], *end]


def replay(traces: Traces, begin: Callable[[], Subject]) -> int:
    """Play all of a file, each life on a machine that `begin` makes; how many lines were played."""
    played = 0
    for name, lines in (life for trace in traces["traces"] for life in lives(trace)):
        subject = begin()
        timers = traces["start"]["timers"]
        assert (subject.state(), subject.deadlines()) == (traces["start"]["state"], timers)
        for number, line in enumerate(lines, 1):
            timers = line.get("timers", timers)
            _play(subject, line, traces["events"], timers, f"{traces['machine']}: {name}, line {number}")
            played += 1
    return played


def _play(subject: Subject, line: Line, events: Mapping[str, list[str]], timers: Mapping[str, int], where: str) -> None:
    where += f", row {line['row']!r}" if "row" in line else f", second {line['at']}"
    due = (line["at"], line["timer"]) if "timer" in line else None
    assert (found := subject.due(line["at"])) == due, f"{where}: due is {found}"
    if "row" in line:
        event = line.get("event") or line["timer"]
        facts = {fact: fact in line.get("facts", []) for fact in events[event]}
        row, done = subject.fire(event, facts, line["at"])
        assert row == line["row"], f"{where}: row {row!r} is taken"
        assert done == line.get("do", []), f"{where}: it does {done}"
    assert subject.state() == line["state"], f"{where}: the state is {subject.state()!r}"
    assert subject.deadlines() == timers, f"{where}: the timers are {subject.deadlines()}"
