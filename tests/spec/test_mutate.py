"""No small mistake in the tables goes unnoticed: reading finds it, or an invariant does; and the core lives by its tables."""

import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from spec.compiler.mutants import Mutant, mutants
from spec.compiler.mutate import EQUAL, READING, SURVIVES, WALKING, Judge, judge_all
from spec.compiler.rehearsal import ALIKE, LATE, NOWHERE, Hearing, OutOfTuneError, Theatre, rehearse
from spec.compiler.report import OUT_OF_REACH, hearings_told, out_of_reach, verdicts_told
from spec.compiler.script import Script, tables_of
from spec.compiler.scripts import continued, lines_of, scripts
from tests.spec.breakage import SPEC, broken, row

ALL = list(mutants(SPEC))


def mutant(machine: str, kind: str, where: str) -> Mutant:
    (found,) = (one for one in ALL if one[:3] == (machine, kind, where))
    return found


# --- Mutants ------------------------------------------------------------------------------------------------------------


def test_every_kind_of_mistake_is_made_in_every_machine_that_has_room_for_it() -> None:
    kinds = {machine: Counter(one.kind for one in ALL if one.machine == machine) for machine in SPEC.machines}

    assert {kind for counts in kinds.values() for kind in counts} == {
        *("drop a row", "go elsewhere", "change a condition", "widen or narrow `from`", "swap rows"),
        *("drop an action", "change an object", "add an action", "swap actions"),
        *("move a boundary", "change a duration", "restart a timer", "widen or narrow `runs_in`", "silence a timer"),
        "begin elsewhere",
    }
    for machine, counts in kinds.items():
        assert counts["drop a row"] == len(SPEC.machines[machine].transitions)
        assert counts["begin elsewhere"] == len(SPEC.machines[machine].states) - 1
        assert counts["move a boundary"] == len(SPEC.machines[machine].timers)


def test_no_mutant_is_the_table_itself_and_no_two_are_the_same() -> None:
    tables = [repr(one.table) for one in ALL]

    assert len(set(tables)) == len(tables)
    assert set(tables).isdisjoint(repr(machine) for machine in SPEC.machines.values())


def test_a_condition_has_each_of_its_operands_turned_round_and_left_out() -> None:
    spec = broken("session", row("say-too-long", when="not fits and (has_room or not passed(link))"))

    assert [
        one.where
        for one in mutants(spec)
        if one[:2] == ("session", "change a condition") and one.where.startswith("say-too-long")
    ] == [
        "say-too-long: when not (not fits and (has_room or not passed(link)))",
        "say-too-long: when always",
        "say-too-long: when not not fits and (has_room or not passed(link))",
        "say-too-long: when (has_room or not passed(link))",
        "say-too-long: when not fits and (not (has_room or not passed(link)))",
        "say-too-long: when not fits",
        "say-too-long: when not fits and (not has_room or not passed(link))",
        "say-too-long: when not fits and (not passed(link))",
        "say-too-long: when not fits and (has_room or not not passed(link))",
        "say-too-long: when not fits and (has_room)",
    ]  # fmt: skip


# --- Verdicts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "kind", "where", "noticed", "by"),
    [
        ("session", "drop a row", "nobody-left: dropped", READING, "no row says what happens"),
        ("session", "go elsewhere", "guest-left: to waiting", READING, "cannot be reached"),
        ("session", "go elsewhere", "guest-left: to =", READING, "cannot be reached"),
        ("session", "add an action", "auth-full: and admit", WALKING, "one-guest"),
        ("connection", "swap actions", "refuse: does hang_up refused, deny", WALKING, "told-in-order"),
        ("guest", "change an object", "told-idle: end dropped for end idle", WALKING, "loss-names-cause"),
        ("session", "change a duration", "timer link: IDLE_SECONDS", WALKING, "admit-in-time"),
        ("session", "restart a timer", "timer idle: also on refuse", WALKING, "idle-is-silence"),
        ("session", "restart a timer", "timer idle: also on admit", EQUAL, ""),
        ("session", "widen or narrow `from`", "auth-bad-key: also opening", EQUAL, ""),
    ],
)
def test_a_mutant_is_noticed_or_the_same_machine(machine: str, kind: str, where: str, noticed: str, by: str) -> None:
    verdict = Judge(SPEC, machine).verdict(mutant(machine, kind, where))

    assert verdict.noticed == noticed
    assert by in "\n".join(verdict.by)


def test_a_mutant_survives_where_no_invariant_speaks_of_it() -> None:
    mute = replace(SPEC.machines["session"], invariants=())
    spec = replace(SPEC, machines={**SPEC.machines, "session": mute})
    other = mutant("session", "change an object", "say-to-nobody: fail ended for fail peer_left")

    verdict = Judge(spec, "session").verdict(other._replace(table=replace(other.table, invariants=())))

    assert verdict.noticed == SURVIVES
    assert verdicts_told([verdict])[1] == [f"survives: session: change an object: {other.where}"]


@pytest.mark.timeout(600)
def test_nothing_survives() -> None:
    verdicts = judge_all(SPEC, ALL)
    told, survivors = verdicts_told(verdicts)

    assert survivors == []
    assert len(verdicts) == len(ALL)
    assert f"{len(ALL):,}" in told
    assert sum(not verdict.is_noticed for verdict in verdicts) < 100


# --- The core -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> list[Script]:
    return scripts(SPEC)


def test_the_core_says_what_its_tables_say_in_every_conversation(found: list[Script], tmp_path: Path) -> None:
    with Theatre(SPEC, found, tmp_path) as theatre:
        theatre.tune()

    assert {script.role for script in found} == {"host", "guest"}
    assert len(found) > 2000


def test_what_may_follow_on_a_conversation_is_heard_as_the_tables_say_too(found: list[Script], tmp_path: Path) -> None:
    tables = tables_of(SPEC)
    lines = {role: lines_of(found, role) for role in ("host", "guest")}
    some = [
        script for role in ("host", "guest") for script in Random(20).sample([s for s in found if s.role == role], 20)
    ]
    longer = [more for script in some for more in continued(tables, script, lines[script.role])]

    with Theatre(SPEC, longer, tmp_path) as theatre:
        theatre.tune()

    assert len(longer) > 10 * len(some)


def test_the_conversations_take_every_row_that_a_conversation_can_take(found: list[Script]) -> None:
    touched = frozenset[tuple[str, str, str]]().union(*(script.touched for script in found))
    never = {
        f"{name}: {row.id}"
        for name, machine in SPEC.machines.items()
        for row in machine.transitions
        if touched.isdisjoint((name, state, row.on) for state in machine.states_of(row.leaves))
    }

    assert never == {
        # Wildcards have no event of their own.
        *("session: gone", "connection: ignored", "connection: gone", "guest: gone"),
        # A connection that was not admitted passes nothing on to the session.
        *("session: send-stranger", "session: nobody-left"),
        # A host admits and drops whoever asked, and evicts strangers.
        *("connection: admit-nobody", "connection: drop-stranger", "connection: evict-guest"),
        # A timer that does not run does not fire.
        *("connection: proved", "connection: ping-stranger", "connection: silent-stranger"),
        *("guest: join-done", "guest: ping-too-early", "guest: silence-too-early"),
    }


@pytest.mark.timeout(300)
def test_the_core_on_a_broken_table_is_heard_to_differ() -> None:
    some = Random(20).sample(ALL, 60)

    hearings = rehearse(SPEC, some)
    told, unheard = hearings_told(hearings)

    assert unheard == []
    assert sum(hearing.heard is not None for hearing in hearings) > len(some) / 2
    assert all("cannot be imported" not in (hearing.heard or "") for hearing in hearings)
    assert NOWHERE in told


def test_a_core_that_says_something_else_than_its_tables_is_found_out_of_tune(tmp_path: Path) -> None:
    other = broken("guest", row("msg-forged", do=("take",)))

    with Theatre(SPEC, scripts(other), tmp_path) as theatre, pytest.raises(OutOfTuneError, match="msg"):
        theatre.tune()


def test_a_core_with_rows_of_its_own_does_not_notice_a_broken_table(found: list[Script], tmp_path: Path) -> None:
    again = mutant("session", "change a condition", "say-too-long: when always")
    with Theatre(SPEC, found, tmp_path) as theatre:
        heard = theatre.hear(again)
        host = tmp_path / "tunnel" / "core" / "host.py"
        shutil.copy(tmp_path / "tunnel" / "spec" / "v1" / "session.py", host.with_name("rows.py"))
        text = host.read_text(encoding="utf-8").replace("session.MACHINE", "rows.MACHINE")
        host.write_text(text.replace("from tunnel.core import ", "from tunnel.core import rows, "), encoding="utf-8")
        theatre.tune()
        unheard = theatre.hear(again)

    assert (heard.heard is None, unheard.heard is None) == (False, True)
    assert hearings_told([heard])[1] == []
    assert hearings_told([unheard])[1] == [f"the core does not notice: {' '.join(again[:3])}"]


def test_a_core_that_does_not_come_back_is_given_up(found: list[Script], tmp_path: Path) -> None:
    endless = mutant("connection", "restart a timer", "timer ping: not on ping")

    with Theatre(SPEC, found, tmp_path) as theatre:
        assert theatre.hear(endless).heard == "it does not come back"
        theatre.tune()


def test_a_mutant_that_need_not_be_heard_is_told_apart_with_the_reason(found: list[Script], tmp_path: Path) -> None:
    nowhere = mutant("connection", "add an action", "admit-nobody: and welcome")
    alike = mutant("session", "add an action", "send-full: and refuse bad_key")
    late = mutant("session", "move a boundary", "timer idle: elapsed > duration")

    with Theatre(SPEC, found, tmp_path) as theatre:
        hearings = [theatre.hear(one) for one in (nowhere, alike, late)]

    assert [hearing.beyond for hearing in hearings] == [NOWHERE, ALIKE, LATE]
    assert not any(hearing.is_in_reach for hearing in hearings)
    assert "connection: admit-nobody" in hearings_told(hearings)[0]


def test_a_mutant_more_or_less_out_of_reach_than_is_known_is_a_fault() -> None:
    known = [
        Hearing(ALL[0]._replace(machine=machine), why, None)
        for why, by in OUT_OF_REACH.items()
        for machine, many in by.items()
        for _ in range(many)
    ]
    heard = Hearing(ALL[0], "", "something else")
    ours = next(hearing for hearing in known if (hearing.mutant.machine, hearing.beyond) == ("session", LATE))

    assert out_of_reach([*known, heard]) == []
    assert out_of_reach([*known, ours]) == [f"out of reach: session: {LATE}: 2 mutants, and 1 are known"]
    assert out_of_reach([one for one in known if one is not ours]) == [
        f"out of reach: session: {LATE}: 0 mutants, and 1 are known"
    ]
