"""The machines that run are the tables: in every place that a table can reach they do what the reference interpreter says."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from spec.compiler.__main__ import ROOT
from spec.compiler.explore import Input, Place, Wait, Way, explore, inputs, shortened
from spec.compiler.lint import lint
from spec.compiler.reader import read
from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.core.machine import Machine, Move, _events
from tunnel.errors import OurFault
from tunnel.spec import model
from tunnel.spec.semantics import Interpreter, Step
from tunnel.spec.v1 import connection, guest, session
from tunnel.spec.v1.constants import SECONDS


class Role(NamedTuple):
    """One generated table with its enums."""

    table: model.Machine
    states: type[Enum]
    events: type[Enum]
    actions: Mapping[str, object]

    def start(self, seconds: Mapping[str, int], now: int = 0) -> Machine[Any, Any, object]:
        return Machine(self.table, self.states, self.actions, seconds, now)


ROLES = {
    "session": Role(session.MACHINE, session.State, session.Event, session.ACTIONS),
    "connection": Role(connection.MACHINE, connection.State, connection.Event, connection.ACTIONS),
    "guest": Role(guest.MACHINE, guest.State, guest.Event, guest.ACTIONS),
}

every_machine = pytest.mark.parametrize("name", ROLES)


class Pair:
    """A machine that runs and the interpreter of its table, which get the same inputs; every step is compared."""

    def __init__(self, role: Role, seconds: Mapping[str, int], meant: model.Machine | None = None) -> None:
        self.role = role
        self.now = 0
        self.rows: set[str] = set()
        self._seconds = seconds
        self._interpreter = Interpreter(meant or role.table, seconds, TICKS_PER_SECOND)
        self._meant = self._interpreter.start(0)
        self.machine = role.start(seconds)
        self._same_place()

    def wait(self, ticks: int) -> None:
        self.now += ticks
        for step in self._interpreter.expire(self._meant, self.now):
            due = self.machine.timers.next()
            assert due is not None
            assert due[0] <= self.now
            self._same(step, self.machine.fire(self.role.events(due[1]), due[0]))
        due = self.machine.timers.next()
        assert due is None or due[0] > self.now

    def input(self, event: str, facts: Mapping[str, bool]) -> None:
        step = self._interpreter.step(self._meant, event, facts, self.now)
        self._same(step, self.machine.fire(self.role.events(event), self.now, facts))

    def walk(self, way: Way) -> None:
        for thing in way:
            match thing:
                case Wait(ticks):
                    self.wait(ticks * TICKS_PER_SECOND)
                case Input(event, facts):
                    self.input(event, facts)

    def _same(self, step: Step, move: Move[object]) -> None:
        assert move.row == step.row.id
        self.rows.add(move.row)
        assert move.actions == tuple(self.role.actions[action] for action in step.actions)
        self._meant = step.after
        self._same_place()

    def _same_place(self) -> None:
        assert self.machine.state.value == self._meant.state
        assert deadlines(self.machine) == {
            timer.name: self._meant.since[timer.name] + self._seconds[timer.duration] * TICKS_PER_SECOND
            for timer in self.role.table.timers
            if timer.name in self._meant.since
        }
        for timer in self.role.table.timers:
            passed = self._interpreter.passed(self._meant, timer.name, self.now)
            assert self.machine.timers.passed(timer.name, self.now) is passed


def deadlines(machine: Machine[Any, Any, object]) -> dict[str, int]:
    """When each running timer reaches its duration."""
    found = {timer.name: machine.timers.deadline_of(timer.name) for timer in machine.table.timers}
    return {name: deadline for name, deadline in found.items() if deadline is not None}


@cache
def ways(name: str) -> tuple[tuple[Place, Way], ...]:
    """A way to every place that a table can reach, for durations that are shortened."""
    table = ROLES[name].table
    return tuple(explore(table, shortened(table, SECONDS)).places.items())


@every_machine
def test_every_input_in_every_place_does_what_the_table_means(name: str) -> None:
    role = ROLES[name]
    seconds = shortened(role.table, SECONDS)
    rows: set[str] = set()

    for place, way in ways(name):
        for thing in inputs(role.table, frozenset(timer for timer, _ in place.ages)):
            pair = Pair(role, seconds)
            pair.walk(way)
            pair.input(thing.event, thing.facts)
            rows |= pair.rows

    assert rows == {row.id for row in role.table.transitions}


@pytest.mark.parametrize("around", [-1, 0, 1], ids=["a tick before", "at the last moment", "a tick after"])
@every_machine
def test_every_input_around_every_deadline_does_what_the_table_means(name: str, around: int) -> None:
    role = ROLES[name]
    at_once = [(place, way) for place, way in ways(name) if all(isinstance(thing, Input) for thing in way)]
    tried = 0

    for place, way in at_once:
        for timer in (timer for timer in role.table.timers if timer.name in dict(place.ages)):
            for thing in inputs(role.table, frozenset(running.name for running in role.table.timers)):
                pair = Pair(role, SECONDS)
                pair.walk(way)
                pair.wait(SECONDS[timer.duration] * TICKS_PER_SECOND + around)
                pair.input(thing.event, thing.facts)
                tried += 1

    assert tried > len(role.table.timers) * len(role.table.events)


def test_a_machine_that_differs_from_its_table_by_one_boundary_is_noticed() -> None:
    link, idle = session.MACHINE.timers
    careless = replace(session.MACHINE, timers=(replace(link, passed_when="elapsed >= duration"), idle))
    pair = Pair(ROLES["session"]._replace(table=careless), SECONDS, meant=session.MACHINE)
    pair.input("reachable", {})
    pair.wait(SECONDS["LINK_SECONDS"] * TICKS_PER_SECOND)

    with pytest.raises(AssertionError):
        pair.input("auth", {"well_formed": True, "proof_ok": True})


@every_machine
def test_a_machine_starts_where_its_table_says_with_its_timers_running(name: str) -> None:
    machine = ROLES[name].start(SECONDS, now=7)

    assert machine.state.value == ROLES[name].table.initial
    assert deadlines(machine) == {
        timer.name: 7 + SECONDS[timer.duration] * TICKS_PER_SECOND
        for timer in ROLES[name].table.timers
        if machine.state.value in ROLES[name].table.states_of(timer.runs_in)
    }


@every_machine
def test_a_machine_has_the_events_of_its_table_and_no_others(name: str) -> None:
    """The library would add events that lead from anywhere to anywhere."""
    table = ROLES[name].table

    assert set(_events(table)) == {event.name for event in table.events}


def test_two_machines_of_one_table_do_not_know_of_each_other() -> None:
    one, other = ROLES["session"].start(SECONDS), ROLES["session"].start(SECONDS)

    one.fire(session.Event.REACHABLE, 5)

    assert (one.state, other.state) == (session.State.WAITING, session.State.OPENING)
    assert "link" not in deadlines(other)


def test_a_row_that_was_taken_is_remembered_unless_it_hangs_on_a_timer() -> None:
    """The same question, of a fresh machine each time: of `transitions`, of what is remembered, and when time has passed (LINK-2)."""
    role = ROLES["session"]._replace(table=replace(session.MACHINE))

    def asked(after: int) -> str:
        machine = role.start(SECONDS)
        machine.fire(session.Event.REACHABLE, 0)
        return machine.fire(session.Event.AUTH, after, {"well_formed": True, "proof_ok": True}).row

    last_moment = SECONDS["LINK_SECONDS"] * TICKS_PER_SECOND

    assert [asked(0), asked(0), asked(last_moment), asked(last_moment + 1)] == [
        "auth-admitted",
        "auth-admitted",
        "auth-admitted",
        "auth-expired",
    ]


def test_a_fact_that_is_missing_is_missed_also_when_the_question_was_answered_before() -> None:
    machine = ROLES["session"].start(SECONDS)
    machine.fire(session.Event.REACHABLE, 0)
    machine.fire(session.Event.SAY, 1, {"fits": False, "has_room": True})

    with pytest.raises(OurFault, match="session: 'say' in 'waiting'"):
        machine.fire(session.Event.SAY, 1, {"has_room": True})


# --- What no table allows -----------------------------------------------------------------------------------------------


@every_machine
def test_a_fact_that_a_condition_asks_for_has_to_be_given(name: str) -> None:
    role = ROLES[name]
    tried: set[str] = set()

    for place, way in ways(name):
        for event in role.table.events:
            first = (role.table.rows_for(place.state, event.name) or (None,))[0]
            if first is None or not any(fact in first.when for fact in event.facts):
                continue
            pair = Pair(role, shortened(role.table, SECONDS))
            pair.walk(way)
            before = (pair.machine.state, deadlines(pair.machine))
            with pytest.raises(OurFault, match=f"{name}: '{event.name}' in '{place.state}' with {{}}: "):
                pair.machine.fire(role.events(event.name), pair.now)
            assert (pair.machine.state, deadlines(pair.machine)) == before
            tried.add(event.name)

    assert tried == {event.name for event in role.table.events if event.facts}


def lame(*missing: str) -> Role:
    """A session in whose table some rows are missing."""
    rows = tuple(row for row in session.MACHINE.transitions if row.id not in missing)
    return ROLES["session"]._replace(table=replace(session.MACHINE, transitions=rows))


def test_an_event_without_a_row_is_our_fault_and_changes_nothing() -> None:
    machine = lame("say-too-early").start(SECONDS)

    with pytest.raises(OurFault, match="session: 'say' in 'opening'"):
        machine.fire(session.Event.SAY, 3, {"fits": True, "has_room": True})

    assert machine.state is session.State.OPENING
    assert machine.fire(session.Event.REACHABLE, 3).row == "open"


def test_conditions_that_all_fail_are_our_fault_and_change_nothing() -> None:
    machine = lame("auth-too-early").start(SECONDS)

    with pytest.raises(OurFault, match="session: no row for 'auth' in 'opening'"):
        machine.fire(session.Event.AUTH, 3, {"well_formed": True, "proof_ok": True})

    assert machine.state is session.State.OPENING


def test_an_event_of_another_machine_is_our_fault() -> None:
    with pytest.raises(OurFault, match="session: 'upgraded' in 'opening'"):
        ROLES["session"].start(SECONDS).fire(connection.Event.UPGRADED, 0)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"to": "wating"}, "session.toml: row 'open' of transitions, to: 'wating' is no state"),
        ({"id": "still-open"}, "session.toml, transitions: 'still-open' stands there 2 times"),
        (
            {"leaves": ("openning",)},
            "session.toml: row 'open' of transitions, from: 'openning' is no state and no group",
        ),
        (
            {"on": "auth"},
            "session.toml: transitions, (opening, auth): row 'auth-malformed' is never tried behind 'open'",
        ),
    ],
    ids=["a misspelt target", "a duplicate", "a misspelt source", "a row in front of others"],
)
def test_what_the_library_takes_without_a_word_is_found_by_reading_the_table(
    change: dict[str, str | tuple[str, ...]], finding: str
) -> None:
    first, *rest = session.MACHINE.transitions
    table = replace(session.MACHINE, transitions=(replace(first, **change), *rest))
    spec = read(ROOT / "spec" / "v1")

    assert ROLES["session"]._replace(table=table).start(SECONDS).state is session.State.OPENING
    assert finding in lint(replace(spec, machines={**spec.machines, "session": table}))
