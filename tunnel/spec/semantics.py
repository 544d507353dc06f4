"""What the tables mean: the reference interpreter, written for reading and not for speed.

It shares no code with the machines that run (`tunnel.core.machine`), so that each can be checked against the other.
Time is a whole number of ticks, given with every input; how many ticks a second has is an argument.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from tunnel.spec.expressions import Value, evaluate, parse
from tunnel.spec.model import Machine, Row, Timer


class Configuration(NamedTuple):
    """Where a machine is: its state, since when each running timer runs, and what it did so far."""

    state: str
    since: Mapping[str, int]
    counts: Mapping[str, int]


class Step(NamedTuple):
    """One row taken."""

    event: str
    row: Row
    before: Configuration
    after: Configuration
    facts: Mapping[str, bool]
    now: int
    started: frozenset[str]
    """The timers that it starts, or sets back to zero."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What the row does, as it stands in the table: `refuse bad_key`."""
        return self.row.do


class NoRowError(Exception):
    """A table does not say what happens: no row for an event in a state, or a condition asks for a fact that is missing."""


class EndlessTimerError(Exception):
    """A timer fires and stays due, so it would fire for ever."""


class Interpreter:
    """The meaning of one machine.

    Args:
        machine: the table.
        seconds: every constant that a timer or an invariant names, in seconds.
        ticks: ticks in a second.
    """

    def __init__(self, machine: Machine, seconds: Mapping[str, int], ticks: int = 1) -> None:
        self.machine = machine
        self._constants: dict[str, Value] = {name: value * ticks for name, value in seconds.items()}
        self._durations = {timer.name: seconds[timer.duration] * ticks for timer in machine.timers}
        self._timers = {timer.name: timer for timer in machine.timers}

    def start(self, now: int) -> Configuration:
        """The configuration at the beginning, with the timers of the initial state running."""
        initial = self.machine.initial
        return Configuration(initial, {t.name: now for t in self.machine.timers if initial in self._runs_in(t)}, {})

    def passed(self, configuration: Configuration, timer: str, now: int) -> bool:
        """Whether the timer runs and has passed."""
        if timer not in configuration.since:
            return False
        span: dict[str, Value] = {"elapsed": now - configuration.since[timer], "duration": self._durations[timer]}
        return bool(evaluate(parse(self._timers[timer].passed_when), span, _no_calls))

    def due(self, configuration: Configuration, now: int) -> str | None:
        """The event of the timer that has been due for longest, if any is."""
        longest = self._due(configuration, now)
        return longest and longest[1]

    def _due(self, configuration: Configuration, now: int) -> tuple[int, str] | None:
        """The same, behind its deadline."""
        ready = [
            (configuration.since[timer.name] + self._durations[timer.name], timer.fires)
            for timer in self.machine.timers
            if timer.fires and self.passed(configuration, timer.name, now)
        ]
        return min(ready, key=lambda pair: pair[0], default=None)

    def handle(self, configuration: Configuration, event: str, facts: Mapping[str, bool], now: int) -> list[Step]:
        """The steps that an input causes: first the timers that are due (TIME-1), then the input itself."""
        steps = self.expire(configuration, now)
        last = steps[-1].after if steps else configuration
        return [*steps, self.step(last, event, facts, now)]

    def expire(self, configuration: Configuration, now: int) -> list[Step]:
        """The steps of all timers that are due, in the order of their deadlines and as of them (TIME-1).

        Raises:
            EndlessTimerError: a timer neither stops nor restarts when it fires.
        """
        steps: list[Step] = []
        fired: set[tuple[int, str]] = set()
        while (next_one := self._due(configuration, now)) is not None:
            # One that fired begins anew, or is over.
            if next_one in fired:
                raise EndlessTimerError(f"{self.machine.machine}: {next_one[1]!r} stays due in {configuration.state!r}")
            fired.add(next_one)
            steps.append(self.step(configuration, next_one[1], {}, next_one[0]))
            configuration = steps[-1].after
        return steps

    def step(self, configuration: Configuration, event: str, facts: Mapping[str, bool], now: int) -> Step:
        """Take the first row of this state and event whose condition holds.

        Raises:
            NoRowError: there is none, or a condition asks for a fact that is missing.
        """
        where = f"{self.machine.machine}: {event!r} in {configuration.state!r} with {dict(facts)}"
        if all(event != known.name for known in self.machine.events):
            raise NoRowError(f"{where}: there is no such event")
        for row in self.machine.rows_for(configuration.state, event) or self.machine.rows_for(configuration.state, "*"):
            try:
                taken = not row.when or self._holds(row.when, configuration, facts, now)
            except KeyError as missing:
                raise NoRowError(f"{where}: row {row.id!r} asks for {missing}") from None
            if taken:
                started = self._started(configuration, event, row)
                return Step(
                    event, row, configuration, self._after(configuration, row, started, now), facts, now, started
                )
        raise NoRowError(f"{where}: no row says what happens")

    def violated(self, step: Step) -> list[str]:
        """The ids of the invariants that do not hold after this step."""
        names: dict[str, Value] = {event_fact: False for event in self.machine.events for event_fact in event.facts}
        names |= self._constants
        names |= step.facts
        names |= {"state": step.after.state, "old_state": step.before.state, "event": step.event}
        verbs = [action.split()[0] for action in step.row.do]

        def call(function: str, words: tuple[str, ...]) -> Value:
            match function:
                case "passed":
                    return self.passed(step.before, words[0], step.now)
                case "elapsed":
                    return step.now - step.before.since.get(words[0], step.now)
                case "started":
                    return words[0] in step.started
                case "running":
                    return words[0] in step.after.since
                case "before":
                    return words[1] in verbs[verbs.index(words[0]) + 1 :] if words[0] in verbs else False
                case "count":
                    return step.after.counts.get(words[0], 0)
                case _:
                    return any(action.split()[: len(words)] == list(words) for action in step.row.do)

        return [i.id for i in self.machine.invariants if not evaluate(parse(i.holds), names, call)]

    def _holds(self, when: str, configuration: Configuration, facts: Mapping[str, bool], now: int) -> bool:
        names: dict[str, Value] = {**facts, "state": configuration.state}
        return bool(evaluate(parse(when), names, lambda _, words: self.passed(configuration, words[0], now)))

    def _started(self, before: Configuration, event: str, row: Row) -> frozenset[str]:
        state = before.state if row.to == "=" else row.to
        touched = {event, *(action.split()[0] for action in row.do)}
        return frozenset(
            timer.name
            for timer in self.machine.timers
            if state in self._runs_in(timer)
            and (timer.name not in before.since or not touched.isdisjoint(timer.restarts_on))
        )

    def _after(self, before: Configuration, row: Row, started: frozenset[str], now: int) -> Configuration:
        state = before.state if row.to == "=" else row.to
        since = {
            timer.name: now if timer.name in started else before.since[timer.name]
            for timer in self.machine.timers
            if state in self._runs_in(timer)
        }
        counts = Counter(before.counts)
        counts.update(action.split()[0] for action in row.do)
        return Configuration(state, since, dict(counts))

    def _runs_in(self, timer: Timer) -> tuple[str, ...]:
        return self.machine.states_of(timer.runs_in)


def _no_calls(function: str, words: tuple[str, ...]) -> Value:
    raise ValueError(f"{function}({', '.join(words)}) has no meaning here")
