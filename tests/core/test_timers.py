"""Timers run in their states, go back to zero when their time says so, and pass exactly at their boundary."""

from collections.abc import Iterable

import pytest

from tunnel.core.instant import TICKS_PER_SECOND, whole_seconds
from tunnel.core.timers import Timers
from tunnel.spec.model import Machine, State, Timer

STARTED = 5 * TICKS_PER_SECOND
SECONDS = {"SHORT": 10, "LONG": 20}

TABLE = Machine(
    machine="lamp",
    title="A lamp",
    doc="For these tests.",
    initial="off",
    states=(State(name="off", doc=""), State(name="on", doc=""), State(name="broken", doc="", final=True)),
    groups={"whole": ("off", "on")},
    events=(),
    actions=(),
    transitions=(),
    invariants=(),
    timers=(
        Timer(name="asked", duration="SHORT", runs_in=("on",), passed_when="elapsed > duration", doc=""),
        Timer(
            name="dim",
            duration="SHORT",
            runs_in=("on",),
            passed_when="elapsed >= duration",
            restarts_on=("touch",),
            fires="dim",
            doc="",
        ),
        Timer(
            name="fade", duration="LONG", runs_in=("whole",), passed_when="elapsed >= duration", fires="fade", doc=""
        ),
        Timer(name="late", duration="LONG", runs_in=("live",), passed_when="elapsed >= duration", fires="late", doc=""),
    ),
)


@pytest.fixture
def timers() -> Timers:
    return Timers(TABLE, SECONDS, STARTED)


def after(seconds: int) -> int:
    return STARTED + seconds * TICKS_PER_SECOND


def move(timers: Timers, state: str, happened: Iterable[str], now: int) -> None:
    timers.change(timers.changes(state, happened), now)


def test_a_timer_runs_from_the_start_in_its_states_only(timers: Timers) -> None:
    """TIME-1."""
    assert timers.deadline_of("fade") == after(20)
    assert timers.deadline_of("dim") is None
    assert not timers.passed("dim", after(1000))


def test_a_timer_starts_when_its_state_is_entered_and_stops_when_it_is_left(timers: Timers) -> None:
    """TIME-1."""
    move(timers, "on", (), after(3))
    running = timers.deadline_of("dim")
    move(timers, "off", (), after(4))

    assert running == after(13)
    assert timers.deadline_of("dim") is None


def test_a_timer_runs_on_from_one_of_its_states_to_another(timers: Timers) -> None:
    """TIME-1."""
    move(timers, "on", (), after(3))

    assert timers.deadline_of("fade") == after(20)


def test_a_timer_that_is_left_and_entered_again_begins_anew(timers: Timers) -> None:
    """TIME-1."""
    move(timers, "on", (), after(1))
    move(timers, "off", (), after(2))
    move(timers, "on", (), after(5))

    assert timers.deadline_of("dim") == after(15)


@pytest.mark.parametrize(
    ("happened", "deadline"), [(("touch",), 15), (("look", "touch"), 15), (("look",), 11), ((), 11)], ids=str
)
def test_a_timer_goes_back_to_zero_when_its_event_happens(
    timers: Timers, happened: tuple[str, ...], deadline: int
) -> None:
    """TIME-1."""
    move(timers, "on", (), after(1))
    move(timers, "on", happened, after(5))

    assert timers.deadline_of("dim") == after(deadline)


def test_what_restarts_a_timer_does_not_start_it(timers: Timers) -> None:
    """TIME-1."""
    move(timers, "off", ("touch",), after(5))

    assert timers.deadline_of("dim") is None


@pytest.mark.parametrize(
    ("timer", "nanoseconds", "passed"),
    [("asked", 0, False), ("asked", 1, True), ("dim", -1, False), ("dim", 0, True)],
    ids=["still good at the boundary", "dead behind it", "not due before the boundary", "due at the boundary"],
)
def test_a_boundary_is_met_exactly(timers: Timers, timer: str, nanoseconds: int, *, passed: bool) -> None:
    """LINK-2, IDLE-1, TIME-1."""
    move(timers, "on", (), after(0))

    assert timers.passed(timer, after(10) + nanoseconds) is passed


def test_the_timer_that_is_due_first_is_next_and_one_that_is_only_asked_never(timers: Timers) -> None:
    """TIME-1."""
    move(timers, "on", (), after(1))

    assert timers.next() == (after(11), "dim")


def test_of_two_that_are_due_together_the_first_in_the_table_is_next(timers: Timers) -> None:
    """TIME-1."""
    assert timers.next() == (after(20), "fade")


def test_nothing_runs_in_a_final_state(timers: Timers) -> None:
    """CLOSE-3."""
    move(timers, "broken", (), after(1))

    assert timers.next() is None
    assert timers.deadline_of("late") is None


@pytest.mark.parametrize(
    ("ticks", "seconds"), [(0, 0), (1, 1), (TICKS_PER_SECOND, 1), (TICKS_PER_SECOND + 1, 2), (-5, 0)], ids=str
)
def test_what_has_a_moment_left_has_a_second_left(ticks: int, seconds: int) -> None:
    assert whole_seconds(ticks) == seconds
