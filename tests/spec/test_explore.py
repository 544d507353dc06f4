"""The walk through a machine misses nothing, ends, and shows the shortest way to a breach."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from spec.compiler.__main__ import main
from spec.compiler.explore import (
    ENDS,
    TOTAL,
    Ground,
    Input,
    Place,
    Wait,
    combinations,
    explore,
    inputs,
    ranked,
    shortened,
)
from spec.compiler.report import breach, tell
from tests.spec.breakage import SPEC
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


def test_an_event_without_a_row_is_a_breach_as_well() -> None:
    lame = replace(LAMP, transitions=tuple(row for row in LAMP.transitions if row.id != "press-again"))

    way = explore(lame, TWO).violations[TOTAL]

    assert [thing.event for thing in way if isinstance(thing, Input)] == ["press", "press"]


def test_a_timer_that_fires_for_ever_is_a_breach_as_well() -> None:
    endless = replace(LAMP, transitions=tuple(replace(r, to="=") if r.id == "dim" else r for r in LAMP.transitions))

    assert [*explore(endless, TWO).violations[TOTAL]] == [Input("press", {"hard": True, "long": False}), Wait(2)]


def test_a_place_from_which_no_way_leads_to_a_final_state_is_a_breach_as_well() -> None:
    smash = Row("smash", "press", ("lit",), "broken", when="not passed(glow)")
    fragile = replace(
        LAMP,
        states=(*LAMP.states, State("broken", "", final=True)),
        events=LAMP.events[:1],
        timers=(replace(LAMP.timers[0], fires=""),),
        transitions=(
            *LAMP.transitions[:2],
            smash,
            Row("too-late", "press", ("lit",), "="),
            Row("gone", "*", ("broken",), "="),
        ),
    )
    always = replace(
        fragile, transitions=tuple(replace(row, when="") if row == smash else row for row in fragile.transitions)
    )

    assert explore(fragile, TWO).violations == {ENDS: (Input("press", {"hard": True, "long": False}), Wait(2))}
    assert explore(always, TWO).violations == {}


def test_every_step_in_every_place_is_taken() -> None:
    waits = TWO["GLOW_SECONDS"] + 1
    in_the_dark, lit = waits + 4 + 1, waits + 4

    assert explore(LAMP, TWO).edges == 3 * in_the_dark + 4 * lit


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


def test_durations_of_which_only_the_order_counts_are_as_short_as_can_be() -> None:
    assert ranked({"LINK": 600, "IDLE": 1800, "PING": 15, "AUTH": 15}) == {"LINK": 2, "IDLE": 3, "PING": 1, "AUTH": 1}


# --- What is told -------------------------------------------------------------------------------------------------------


def in_minute_five() -> Machine:
    """A session whose link comes back when the guest leaves in its fifth minute."""
    session = SPEC.machines["session"]
    minutes = [
        Timer(name, seconds, ("open",), "elapsed >= duration", "")
        for name, seconds in (("fifth", "FOUR"), ("sixth", "FIVE"))
    ]
    back = Row(
        "comes-back", "left", ("locked",), "waiting", when="passed(fifth) and not passed(sixth)", do=("number left",)
    )
    return replace(session, timers=(*session.timers, *minutes), transitions=(back, *session.transitions))


def test_a_link_that_comes_back_in_one_minute_of_thirty_is_found_and_the_way_to_it_told() -> None:
    session = in_minute_five()
    short = shortened(session, {**SPEC.constants, "FOUR": 4 * 60, "FIVE": 5 * 60})
    way = explore(session, short, to_first_breach=True).violations["moves"]

    told = breach("The session opens again.", tell(Ground(session, short).follow(way), 60))

    assert told.splitlines() == [
        "The session opens again. A shortest way to a breach:",
        "   1. reachable: opening -> waiting (open: hand_out_link, number opened)",
        "   2. 240 s pass",
        "   3. auth (well_formed, proof_ok): waiting -> locked (auth-admitted: admit, number joined)",
        "   4. left: locked -> waiting (comes-back: number left)",
    ]


def test_the_command_fails_on_a_breach_and_tells_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = tmp_path / "spec" / "v1"
    shutil.copytree(SPEC.folder, tables)
    text = (tables / "connection.toml").read_text(encoding="utf-8")
    assert text.count('do = ["judge"]') == 1
    (tables / "connection.toml").write_text(text.replace('do = ["judge"]', "do = []"), encoding="utf-8")

    assert main(["explore"], tmp_path) == 1
    told = capsys.readouterr().err

    assert "connection: `judged-when-asked`: Every `auth` of a challenged peer is judged, also a second one." in told
    assert (
        "   1. upgraded: opening -> challenged (challenge: challenge)\n   2. auth: challenged -> challenged (auth)"
        in told
    )
    assert "together: `joins`" in told
