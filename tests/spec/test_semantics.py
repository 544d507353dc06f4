"""What the tables mean: rows, timers and invariants as the reference interpreter takes them, on a door that locks by itself."""

import re

import pytest
from msgspec.structs import replace

from tunnel.spec.model import ActionKind, Event, Invariant, Machine, Row, State, Timer
from tunnel.spec.semantics import Configuration, EndlessTimerError, Interpreter, NoRowError

SECONDS = {"GRACE_SECONDS": 10, "RING_SECONDS": 4, "PATIENCE_SECONDS": 10}

DOOR = Machine(
    machine="door",
    title="A door",
    doc="Locks by itself when nobody has used it for a while.",
    initial="locked",
    states=(State("locked", ""), State("open", ""), State("shut", ""), State("walled", "", final=True)),
    groups={"unlocked": ("open", "shut")},
    events=(
        Event("key", "person", "", facts=("fits", "is_master")),
        Event("push", "person", ""),
        Event("knock", "person", ""),
        Event("wall", "mason", ""),
        Event("bored", "timer", ""),
        Event("ring", "timer", ""),
    ),
    timers=(
        Timer("grace", "GRACE_SECONDS", ("unlocked",), "elapsed > duration", ""),
        Timer(
            "patience",
            "PATIENCE_SECONDS",
            ("unlocked",),
            "elapsed >= duration",
            "",
            restarts_on=("creak", "knock"),
            fires="bored",
        ),
        Timer("bell", "RING_SECONDS", ("shut",), "elapsed >= duration", "", restarts_on=("ring",), fires="ring"),
    ),
    actions=(ActionKind("creak", ""), ActionKind("say", "", takes="notice"), ActionKind("bolt", "")),
    transitions=(
        Row("master", "key", ("locked",), "open", when="fits and is_master", do=("say welcome", "creak")),
        Row("opens", "key", ("locked",), "open", when="fits", do=("creak",)),
        Row("stuck", "key", ("locked",), "="),
        Row("too-late", "key", ("unlocked",), "=", when="passed(grace)", do=("say late",)),
        Row("turned", "key", ("unlocked",), "locked", do=("bolt",)),
        Row("shuts", "push", ("open",), "shut", do=("creak",)),
        Row("pushed", "push", ("locked", "shut"), "="),
        Row("knock", "knock", ("live",), "="),
        Row("bored", "bored", ("live",), "locked", do=("bolt",)),
        Row("rings", "ring", ("live",), "=", do=("say ding",)),
        Row("wall", "wall", ("live",), "walled"),
        Row("wall-again", "wall", ("walled",), "=", do=("say no",)),
        Row("silence", "*", ("walled",), "="),
    ),
    invariants=(),
)

OPENED = {"fits": True, "is_master": False}


@pytest.fixture
def door() -> Interpreter:
    return Interpreter(DOOR, SECONDS)


def holding(*holds: str) -> Interpreter:
    """The door with these invariants, which are named by their texts."""
    return Interpreter(replace(DOOR, invariants=tuple(Invariant(text, text, "") for text in holds)), SECONDS)


def opened(door: Interpreter, now: int = 0) -> Configuration:
    return door.step(door.start(now), "key", OPENED, now).after


def shut(door: Interpreter, now: int = 0) -> Configuration:
    return door.step(opened(door, now), "push", {}, now).after


# --- Rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fits", "is_master", "row"),
    [(True, True, "master"), (True, False, "opens"), (False, True, "stuck"), (False, False, "stuck")],
)
def test_the_first_row_whose_condition_holds_is_taken(door: Interpreter, fits: bool, is_master: bool, row: str) -> None:
    assert door.step(door.start(0), "key", {"fits": fits, "is_master": is_master}, 0).row.id == row


def test_a_row_leads_to_its_target_and_does_what_it_says(door: Interpreter) -> None:
    step = door.step(door.start(0), "key", {"fits": True, "is_master": True}, 7)

    assert (step.event, step.before.state, step.after.state, step.now) == ("key", "locked", "open", 7)
    assert step.actions == ("say welcome", "creak")


def test_the_equals_sign_stays_in_the_state(door: Interpreter) -> None:
    assert door.step(opened(door), "knock", {}, 0).after.state == "open"


def test_the_star_stands_for_every_event_that_has_no_row_of_its_own(door: Interpreter) -> None:
    walled = door.step(door.start(0), "wall", {}, 0).after

    assert door.step(walled, "push", {}, 0).row.id == "silence"
    assert door.step(walled, "wall", {}, 0).row.id == "wall-again"


def test_a_star_in_the_place_of_states_stands_for_all_of_them() -> None:
    assert DOOR.states_of(("*",)) == tuple(state.name for state in DOOR.states)


def test_live_stands_for_every_state_that_is_not_final() -> None:
    assert DOOR.states_of(("live",)) == ("locked", "open", "shut")
    assert DOOR.states_of(("unlocked", "open", "locked")) == ("open", "shut", "locked")


def test_an_event_without_a_row_is_an_error_and_no_silence() -> None:
    gap = Interpreter(replace(DOOR, transitions=tuple(row for row in DOOR.transitions if row.id != "pushed")), SECONDS)

    with pytest.raises(NoRowError, match=r"door: 'push' in 'locked' with \{\}: no row says what happens"):
        gap.step(gap.start(0), "push", {}, 0)


def test_conditions_that_all_fail_are_an_error() -> None:
    gap = Interpreter(replace(DOOR, transitions=tuple(row for row in DOOR.transitions if row.id != "stuck")), SECONDS)

    with pytest.raises(NoRowError, match="no row says what happens"):
        gap.step(gap.start(0), "key", {"fits": False, "is_master": False}, 0)


def test_an_event_that_nobody_declared_is_an_error_even_behind_a_star(door: Interpreter) -> None:
    walled = door.step(door.start(0), "wall", {}, 0).after

    with pytest.raises(NoRowError, match="there is no such event"):
        door.step(walled, "kick", {}, 0)


def test_a_missing_fact_is_an_error_that_names_row_and_fact(door: Interpreter) -> None:
    with pytest.raises(NoRowError, match="row 'master' asks for 'is_master'"):
        door.step(door.start(0), "key", {"fits": True}, 0)


# --- Timers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "row"),
    [
        pytest.param(9, "turned", id="a tick before"),
        pytest.param(10, "turned", id="at the last moment"),
        pytest.param(11, "too-late", id="a tick after"),
    ],
)
def test_a_boundary_that_is_still_good_has_not_passed(door: Interpreter, now: int, row: str) -> None:
    awake = door.step(opened(door), "knock", {}, 5).after

    assert door.step(awake, "key", OPENED, now).row.id == row


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(9, None, id="a tick before"),
        pytest.param(10, "bored", id="in time"),
        pytest.param(11, "bored", id="a tick after"),
    ],
)
def test_a_timer_that_fires_is_due_exactly_at_its_duration(door: Interpreter, now: int, due: str | None) -> None:
    assert door.due(opened(door), now) == due


def test_ticks_divide_seconds() -> None:
    door = Interpreter(DOOR, SECONDS, ticks=1000)

    assert door.due(opened(door), 9_999) is None
    assert door.due(opened(door), 10_000) == "bored"


def test_a_timer_starts_when_its_states_are_entered_and_goes_on_within_them(door: Interpreter) -> None:
    assert door.start(3).since == {}
    assert opened(door, 3).since == {"grace": 3, "patience": 3}
    assert door.step(opened(door, 3), "push", {}, 5).after.since == {"grace": 3, "patience": 5, "bell": 5}


def test_a_timer_stops_when_its_states_are_left_and_begins_anew_when_they_are_entered_again(door: Interpreter) -> None:
    locked = door.step(opened(door), "key", OPENED, 4).after

    assert locked.since == {}
    assert not door.passed(locked, "grace", 1000)
    assert door.step(locked, "key", OPENED, 6).after.since == {"grace": 6, "patience": 6}


@pytest.mark.parametrize(("event", "restarted"), [("knock", True), ("push", True), ("ring", False)])
def test_a_timer_goes_back_to_zero_on_its_events_and_on_its_actions(
    door: Interpreter, event: str, restarted: bool
) -> None:
    step = door.step(opened(door), event, {}, 3)

    assert step.after.since["patience"] == (3 if restarted else 0)
    assert ("patience" in step.started) is restarted


def test_what_restarts_a_timer_starts_none_that_is_stopped(door: Interpreter) -> None:
    assert door.step(door.start(0), "knock", {}, 3).after.since == {}


def test_a_timer_of_the_initial_state_runs_from_the_start() -> None:
    timers = (replace(DOOR.timers[0], runs_in=("live",)), *DOOR.timers[1:])

    assert Interpreter(replace(DOOR, timers=timers), SECONDS).start(5).since == {"grace": 5}


# --- TIME-1 -------------------------------------------------------------------------------------------------------------


def test_a_timer_that_is_due_takes_effect_before_an_input_of_the_same_moment(door: Interpreter) -> None:
    steps = door.handle(opened(door), "key", OPENED, 10)

    assert [step.row.id for step in steps] == ["bored", "opens"]
    assert steps[1].after.since == {"grace": 10, "patience": 10}


def test_an_input_a_tick_earlier_is_handled_alone(door: Interpreter) -> None:
    assert [step.row.id for step in door.handle(opened(door), "push", {}, 9)] == ["shuts"]


def test_of_two_timers_that_are_due_the_one_that_was_due_first_fires_first(door: Interpreter) -> None:
    late = shut(door)

    assert [step.row.id for step in door.expire(late, 10)] == ["rings", "rings", "bored"]
    assert [step.row.id for step in door.expire(door.step(late, "ring", {}, 7).after, 11)] == ["bored"]


def test_timers_that_are_due_together_fire_in_the_order_of_the_table(door: Interpreter) -> None:
    together = door.step(shut(door), "ring", {}, 6).after

    assert [step.event for step in door.expire(together, 10)] == ["bored"]


def test_a_timer_that_was_overslept_fires_as_often_as_it_was_due_and_as_of_then(door: Interpreter) -> None:
    knocked = door.step(shut(door), "knock", {}, 3).after

    rings = door.expire(knocked, 12)

    assert [(step.row.id, step.now) for step in rings] == [("rings", 4), ("rings", 8), ("rings", 12)]


def test_nothing_is_due_when_nothing_runs(door: Interpreter) -> None:
    assert door.expire(door.start(0), 1_000_000) == []


def test_a_timer_that_stays_due_is_an_error_and_no_endless_loop() -> None:
    timers = (*DOOR.timers[:2], replace(DOOR.timers[2], restarts_on=()))
    door = Interpreter(replace(DOOR, timers=timers), SECONDS)

    with pytest.raises(EndlessTimerError, match="door: 'ring' stays due in 'shut'"):
        door.expire(shut(door), 4)


def test_a_boundary_knows_no_functions() -> None:
    timers = (*DOOR.timers[:2], replace(DOOR.timers[2], passed_when="passed(ring)"))
    door = Interpreter(replace(DOOR, timers=timers), SECONDS)

    with pytest.raises(ValueError, match=re.escape("passed(ring) has no meaning here")):
        door.expire(shut(door), 4)


# --- Invariants ---------------------------------------------------------------------------------------------------------


def test_counts_are_over_the_life_of_the_machine() -> None:
    door = holding("count(creak) <= 1", "count(creak) == 2", "count(bolt) == 0")

    assert door.violated(door.step(opened(door), "push", {}, 0)) == ["count(creak) <= 1"]


def test_what_was_done_is_about_this_step_and_its_object() -> None:
    door = holding("did(say)", "did(say, late)", "did(say, welcome)", "did(creak)", "did(bolt)")

    late = door.step(opened(door), "key", OPENED, 11)

    assert door.violated(late) == ["did(say, welcome)", "did(creak)", "did(bolt)"]


def test_the_order_within_a_step_can_be_asked_for() -> None:
    door = holding(
        "before(say, creak)", "before(creak, say)", "before(bolt, say)", "before(say, bolt)", "before(say, say)"
    )

    welcome = door.step(door.start(0), "key", {"fits": True, "is_master": True}, 0)

    assert door.violated(welcome) == [
        "before(creak, say)",
        "before(bolt, say)",
        "before(say, bolt)",
        "before(say, say)",
    ]


def test_an_invariant_sees_the_states_before_and_after_the_event_and_its_facts() -> None:
    door = holding("old_state == locked and state == open and event == key and fits", "is_master")

    assert door.violated(door.step(door.start(0), "key", OPENED, 0)) == ["is_master"]


def test_a_fact_of_another_event_counts_as_no() -> None:
    door = holding("not fits", "fits")

    assert door.violated(door.step(door.start(0), "push", {}, 0)) == ["fits"]


def test_ages_are_those_of_the_moment_in_which_the_step_is_taken() -> None:
    door = holding(
        "elapsed(grace) == 11", "elapsed(grace) > GRACE_SECONDS", "passed(grace)", "elapsed(bell) == 0", "passed(bell)"
    )

    assert door.violated(door.step(opened(door), "key", OPENED, 11)) == ["passed(bell)"]


def test_constants_are_counted_in_ticks_as_ages_are() -> None:
    table = replace(DOOR, invariants=(Invariant("young", "elapsed(grace) <= GRACE_SECONDS", ""),))
    door = Interpreter(table, SECONDS, ticks=100)

    assert door.violated(door.step(opened(door), "knock", {}, 1000)) == []
    assert door.violated(door.step(opened(door), "knock", {}, 1001)) == ["young"]


def test_whether_a_timer_starts_is_about_this_step_even_when_no_time_has_passed() -> None:
    door = holding("started(grace)", "started(patience)", "started(bell)")
    now_open = door.step(door.start(0), "key", OPENED, 0)

    assert door.violated(now_open) == ["started(bell)"]
    assert door.violated(door.step(now_open.after, "knock", {}, 0)) == ["started(grace)", "started(bell)"]


def test_whether_a_timer_runs_is_about_what_comes_after_the_step() -> None:
    door = holding("running(grace)", "running(bell)")

    assert door.violated(door.step(door.start(0), "key", OPENED, 0)) == ["running(bell)"]
    assert door.violated(door.step(opened(door), "key", OPENED, 0)) == ["running(grace)", "running(bell)"]
