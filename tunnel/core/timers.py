"""The timers of one machine: when each was started, whether it has passed, and which is due next."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.spec.model import Machine


class Changes(NamedTuple):
    """What a step does to timers, by name."""

    stopped: tuple[str, ...]
    restarted: tuple[str, ...]
    """They go back to zero."""
    kept: tuple[str, ...]
    """They go on, or start when they do not run yet."""


class Timers:
    """Timers run while the machine is in certain states, and go back to zero when certain things happen.

    Args:
        table: the machine.
        seconds: duration of every constant that a timer names.
        now: ticks at which the machine starts.
    """

    def __init__(self, table: Machine, seconds: Mapping[str, int], now: int) -> None:
        self._timers = table.timers
        self._durations = {timer.name: seconds[timer.duration] * TICKS_PER_SECOND for timer in table.timers}
        self._inclusive = {timer.name: timer.passed_when == "elapsed >= duration" for timer in table.timers}
        self._runs_in = {timer.name: frozenset(table.states_of(timer.runs_in)) for timer in table.timers}
        self._started: dict[str, int] = {}
        self.change(self.changes(table.initial, ()), now)

    def changes(self, state: str, happened: Iterable[str]) -> Changes:
        """What it does to the timers that the machine is in `state` after the event and the actions that `happened`, by name.

        It is the same whenever it is asked for.
        """
        names = frozenset(happened)
        running = [timer for timer in self._timers if state in self._runs_in[timer.name]]
        return Changes(
            stopped=tuple(timer.name for timer in self._timers if timer not in running),
            restarted=tuple(timer.name for timer in running if not names.isdisjoint(timer.restarts_on)),
            kept=tuple(timer.name for timer in running if names.isdisjoint(timer.restarts_on)),
        )

    def change(self, changes: Changes, now: int) -> None:
        """Let changes happen now."""
        for name in changes.stopped:
            self._started.pop(name, None)
        for name in changes.kept:
            self._started.setdefault(name, now)
        self.restart(changes.restarted, now)

    def restart(self, names: Iterable[str], now: int) -> None:
        """Let timers go back to zero: all that happens to them while the machine stays in its state."""
        for name in names:
            self._started[name] = now

    def passed(self, timer: str, now: int) -> bool:
        """Whether the timer runs and its time is over."""
        deadline = self.deadline_of(timer)
        if deadline is None:
            return False
        return now >= deadline if self._inclusive[timer] else now > deadline

    def deadline_of(self, timer: str) -> int | None:
        """The ticks at which the timer reaches its duration; None when it does not run."""
        started = self._started.get(timer)
        return None if started is None else started + self._durations[timer]

    def next(self) -> tuple[int, str] | None:
        """Deadline and event of the timer that fires next; None when none runs."""
        running = [
            (self._started[timer.name] + self._durations[timer.name], timer.fires)
            for timer in self._timers
            if timer.fires and timer.name in self._started
        ]
        return min(running, key=lambda pair: pair[0], default=None)
