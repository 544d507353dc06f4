"""The walk through a machine misses nothing, ends, and shows the shortest way to a breach."""

import pytest
from msgspec.structs import replace

from spec.compiler.explore import Input, Place, Wait, combinations, explore, inputs, shortened
from tunnel.spec.model import ActionKind, Event, Invariant, Machine, Row, State, Timer

LAMP = Machine(
    machine="lamp",
    title="A lamp",
    doc="Goes out by itself.",
    initial="dark",
    states=(State("dark", ""), State("lit", "")),
    events=(Event("press", "person", "", facts=("hard", "long")), Event("dusk", "timer", "")),
    timers=(Timer("glow", "GLOW_SECONDS", ("lit",), "elapsed >= duration", "", fires="dusk"),),
    actions=(ActionKind("click", ""),),
    transitions=(
        Row("light", "press", ("dark",), "lit", when="hard", do=("click",)),
        Row("too-soft", "press", ("dark",), "="),
        Row("press-again", "press", ("lit",), "="),
        Row("dim", "dusk", ("*",), "dark"),
    ),
    invariants=(Invariant("once", "count(click) <= 1", "", rules=()),),
)

TWO = {"GLOW_SECONDS": 2}


def test_every_age_and_count_that_matters_is_visited_and_the_walk_ends() -> None:
    places = explore(LAMP, TWO).places

    assert set(places) == {
        Place("dark", (), ()),
        *(Place("lit", (("glow", age),), (("click", times),)) for age in (0, 1) for times in (1, 2)),
        *(Place("dark", (), (("click", times),)) for times in (1, 2)),
    }


def test_a_breach_is_reported_with_a_shortest_way_to_it() -> None:
    way = explore(LAMP, TWO).violations["once"]

    assert [thing.ticks if isinstance(thing, Wait) else thing.event for thing in way] == ["press", 2, "press"]


def test_rows_that_cannot_be_taken_are_not_among_those_taken() -> None:
    never = Row("never", "press", ("lit",), "=", when="passed(glow)")
    lamp = replace(LAMP, transitions=(LAMP.transitions[0], never, *LAMP.transitions[1:]))

    assert explore(LAMP, TWO).rows == {"light", "too-soft", "press-again", "dim"}
    assert "never" not in explore(lamp, TWO).rows


def test_a_timer_that_runs_fires_in_its_time_only_and_one_that_was_stopped_may_come_late() -> None:
    assert {thing.event for thing in inputs(LAMP, frozenset({"glow"}))} == {"press"}
    assert {thing.event for thing in inputs(LAMP)} == {"press", "dusk"}


def test_every_combination_of_facts_is_tried() -> None:
    tried = [(facts["hard"], facts["long"]) for facts in combinations(LAMP.events[0])]

    assert sorted(tried) == [(False, False), (False, True), (True, False), (True, True)]
    assert Input("press", {"hard": True, "long": True}) in list(inputs(LAMP))


@pytest.mark.parametrize(
    ("glow", "other", "short"), [(600, 1800, (1, 3)), (15, 40, (3, 8)), (7, 7, (1, 1)), (2, 3, (2, 3))]
)
def test_durations_are_shortened_in_proportion(glow: int, other: int, short: tuple[int, int]) -> None:
    second = replace(LAMP.timers[0], name="other", duration="OTHER_SECONDS")
    lamp = replace(LAMP, timers=(*LAMP.timers, second))

    shortest = shortened(lamp, {"GLOW_SECONDS": glow, "OTHER_SECONDS": other, "FOREIGN_SECONDS": 1})

    assert shortest == dict(zip(("GLOW_SECONDS", "OTHER_SECONDS"), short, strict=True))
