"""The exported traces take every step of the exploration; a machine that follows them is right, and every other one is named."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from spec.compiler.__main__ import main
from spec.compiler.export_traces_schema import Line
from spec.compiler.frozen import FILE
from spec.compiler.mutants import mutants
from spec.compiler.mutate import WALKING, judge
from spec.compiler.reader import MACHINES, SpecError
from spec.compiler.walks import mapped
from tests.spec.breakage import SPEC, Breakage, broken, dropped, row, swapped, timer
from tests.spec.replaying import Life, OnCore, OnInterpreter, Subject, Traces, lives, replay
from tests.spec.tracking import Taken, steps_of, steps_to_take
from tunnel.errors import OurFault
from tunnel.spec.model import Machine, Timer
from tunnel.spec.semantics import NoRowError
from tunnel.spec.v1.constants import LINK_SECONDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "spec" / "v1" / "export" / "traces"
Begin = Callable[[Machine], Subject]
every_machine = pytest.mark.parametrize("name", MACHINES)
every_subject = pytest.mark.parametrize("begin", [OnInterpreter, OnCore], ids=["the interpreter", "the core"])


@cache
def exported(name: str) -> Traces:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def all_lives(name: str) -> Iterator[Life]:
    return (life for trace in exported(name)["traces"] for life in lives(trace))


# --- What they take -----------------------------------------------------------------------------------------------------


@cache
def followed(name: str) -> list[frozenset[Taken]]:
    return steps_of(exported(name), SPEC)


@cache
def things(name: str) -> frozenset[Taken]:
    return steps_to_take(SPEC, name)


@every_machine
def test_every_step_of_the_exploration_is_taken(name: str) -> None:
    found = things(name)

    assert found <= frozenset[Taken]().union(*followed(name))
    assert exported(name)["covers"] == {"configurations": len({place for place, _, _ in found}), "steps": len(found)}


@every_machine
def test_a_trace_that_is_missing_is_missed(name: str) -> None:
    assert not things(name) <= frozenset[Taken]().union(*followed(name)[1:])


FIRING = [
    pytest.param(name, one, id=f"{name} {one.name}")
    for name in MACHINES
    for one in SPEC.machines[name].timers
    if one.fires
]


@pytest.mark.parametrize(("name", "one"), FIRING)
def test_a_timer_is_looked_at_a_second_before_it_is_due_and_fires_when_it_is(name: str, one: Timer) -> None:
    """TIME-1."""
    before = fired = False
    for _, lines in all_lives(name):
        timers = exported(name)["start"]["timers"]
        for line in lines:
            before |= line["at"] + 1 == timers.get(one.name)
            fired |= (line["at"], line.get("timer")) == (timers.get(one.name), one.fires)
            timers = line.get("timers", timers)

    assert before
    assert fired


@pytest.mark.parametrize(
    ("age", "row"),
    [(LINK_SECONDS - 1, "auth-admitted"), (LINK_SECONDS, "auth-admitted"), (LINK_SECONDS + 1, "auth-expired")],
    ids=["a second before", "at it", "a second behind"],
)
def test_a_timer_that_does_not_fire_is_asked_around_its_deadline(age: int, row: str) -> None:
    """LINK-2."""
    asked = [
        lines[-1]["row"]
        for _, lines in all_lives("session")
        if [line.get("row") for line in lines[:-1]] == ["open", None]
        and (lines[-1]["at"], lines[-1].get("facts")) == (age, ["well_formed", "proof_ok"])
    ]

    assert asked == [row] * len(asked) != []


# --- Who follows them, and who does not ---------------------------------------------------------------------------------


@every_subject
@every_machine
def test_our_machines_do_what_the_traces_say(name: str, begin: Begin) -> None:
    """TIME-1."""
    began = perf_counter()
    played = replay(exported(name), lambda: begin(SPEC.machines[name]))
    print(f"{name}: {played:,} lines in {perf_counter() - began:.2f} s")

    assert played > exported(name)["covers"]["steps"]


def complaint(name: str, begin: Callable[[], Subject]) -> str:
    """What a replay says against a machine; nothing when it has nothing to say."""
    try:
        replay(exported(name), begin)
    except (AssertionError, NoRowError, OurFault) as error:
        return str(error)
    return ""


@every_subject
@pytest.mark.parametrize(
    ("name", "mistake", "said"),
    [
        ("session", row("auth-bad-key", to="closed"), "row 'auth-bad-key': the state is 'closed'"),
        ("session", row("say-full", do=()), "row 'say-full': it does []"),
        ("session", swapped("auth-bad-key", "auth-expired"), "row 'auth-bad-key': row 'auth-expired' is taken"),
        (
            "session",
            timer("link", passed_when="elapsed >= duration"),
            "row 'auth-admitted': row 'auth-expired' is taken",
        ),
        ("session", timer("idle", passed_when="elapsed > duration"), "row 'idle-unopened': due is None"),
        ("session", timer("idle", restarts_on=("number",)), "row 'say': the timers are "),
        ("session", timer("link", duration="IDLE_SECONDS"), "row 'open': the timers are "),
        ("connection", dropped("lost-guest"), "'lost' in 'admitted'"),
        ("guest", row("msg-forged", when="not claims_ours"), "row 'msg': row 'msg-forged' is taken"),
    ],
    ids=[
        "another target",
        "no action",
        "another order",
        "a boundary",
        "a deadline",
        "no restart",
        "a duration",
        "no row",
        "a condition",
    ],
)
def test_a_mistake_in_a_machine_is_named_with_its_row(name: str, mistake: Breakage, said: str, begin: Begin) -> None:
    assert said in complaint(name, lambda: begin(broken(name, mistake).machines[name]))


class Early(OnInterpreter):
    """Every timer is due a second too early, and says that it is not."""

    def due(self, now: int) -> tuple[int, str] | None:
        return super().due(now + 1)


class Late(OnInterpreter):
    """Every timer is due a second too late, and says that it is not."""

    def due(self, now: int) -> tuple[int, str] | None:
        return super().due(now - 1)


@pytest.mark.parametrize("begin", [Early, Late])
@every_machine
def test_a_deadline_that_is_off_by_a_second_is_noticed(name: str, begin: Begin) -> None:
    assert ": due is " in complaint(name, lambda: begin(SPEC.machines[name]))


def test_whatever_an_invariant_notices_the_traces_notice_too() -> None:
    """Of all small mistakes some, drawn by chance: that of all of them none goes unnoticed was seen once."""
    drawn = Random(1).sample(list(mutants(SPEC)), 40)
    wrong = [mutant for mutant, verdict in zip(drawn, judge(SPEC, drawn), strict=True) if verdict.noticed == WALKING]

    assert len(wrong) > 20
    assert [one[:3] for one in wrong if not complaint(one.machine, lambda one=one: OnInterpreter(one.table))] == []


# --- The files ----------------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    return json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


@every_machine
def test_a_file_fits_the_schema(name: str) -> None:
    Draft202012Validator(schema()).validate(exported(name))


@pytest.mark.parametrize(
    "slip",
    [
        {"row": ""},
        {"at": -1},
        {"at": 0.5},
        {"stat": "open"},
        {"state": None},
        {"do": "end idle"},
        {"timers": {"idle": "1800"}},
    ],
    ids=str,
)
def test_a_slip_in_a_step_is_found_by_the_schema(slip: dict[str, Any]) -> None:
    (first, *_) = exported("session")["traces"]
    wrong = {**exported("session"), "traces": [{**first, "steps": [{**first["steps"][0], **slip}]}]}

    assert not Draft202012Validator(schema()).is_valid(wrong)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@every_machine
def test_a_file_says_what_every_event_and_action_of_it_is(name: str) -> None:
    lines = [line for _, lines in all_lives(name) for line in lines]

    assert {line.get("event") or line["timer"] for line in lines if "row" in line} == exported(name)["events"].keys()
    assert {action for line in lines for action in line.get("do", [])} == exported(name)["actions"].keys()


def test_the_paper_explains_every_field_of_a_line() -> None:
    paper = (FOLDER / "README.md").read_text(encoding="utf-8")
    explained = {
        word
        for line in paper.splitlines()
        if line.startswith("| `")
        for word in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }

    assert explained == set(Line.__struct_fields__)


def test_an_action_says_what_goes_over_the_wire() -> None:
    actions = {name: exported(name)["actions"] for name in MACHINES}

    assert actions["session"]["refuse bad_key"]["says"] == {"id": "bad_key", "text": "bad key"}
    assert actions["connection"]["hang_up flood"]["says"] == {
        "id": "flood",
        "code": 1008,
        "reason": "too many control frames",
    }
    assert "says" not in actions["guest"]["answer"]


def test_the_same_tables_give_the_same_bytes_whatever_python_hashes() -> None:
    told = "import hashlib, pathlib; from spec.compiler import export_traces, reader; print(hashlib.sha256(repr(export_traces.write(reader.read(pathlib.Path('spec/v1')))).encode()).hexdigest())"
    found = {
        subprocess.run(
            [sys.executable, "-c", told], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1


@every_machine
def test_a_step_and_an_end_stand_on_a_line_each(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    steps = [json.dumps(step, separators=(",", ":")) for trace in exported(name)["traces"] for step in trace["steps"]]

    assert len(steps) == len([line for line in text.splitlines() if line.startswith('      {"at"')])
    assert sum(map(len, ((FOLDER / f"{other}.json").read_bytes() for other in MACHINES))) < 1_000_000


UNEVEN = (
    "session.toml: the durations of its timers (LINK_SECONDS = 601, IDLE_SECONDS = 1800) have the common divisor 1 s, and the longest"
    " lasts 1,800 of them, of which at most 20 can be walked through: choose numbers of protocol.toml with a larger one"
)


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """A draft with a duration that is not round."""
    tables = shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1", ignore=shutil.ignore_patterns(FILE, "export"))
    text = (tables / "protocol.toml").read_text(encoding="utf-8")
    for old, new in {
        '"LINK_SECONDS",               value = 600,': '"LINK_SECONDS", value = 601,',
        '"1.0.0"': '"1.0.0-draft"',
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tables / "protocol.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.timeout(20)
@pytest.mark.parametrize("command", ["build", "check", "lint", "explore", "mutate"])
def test_a_duration_that_cannot_be_walked_through_is_named_at_once(
    uneven: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """By seconds there are millions of places: a walk would go on for hours."""
    assert main([command], uneven) == 1
    assert f"spec/v1/{UNEVEN}\n" in capsys.readouterr().err


def test_nobody_begins_such_a_walk() -> None:
    numbers = tuple(replace(one, value=601) if one.name == "LINK_SECONDS" else one for one in SPEC.protocol.constants)
    spec = replace(SPEC, protocol=replace(SPEC.protocol, constants=numbers))

    with pytest.raises(SpecError, match=re.escape(UNEVEN)):
        mapped(spec, spec.machines["session"])


def test_a_table_that_does_not_say_what_happens_is_named_and_not_walked_through() -> None:
    with pytest.raises(SpecError, match=r"session: 'locked' with .*'left'.*: no row says what happens"):
        mapped(SPEC, broken("session", dropped("guest-left")).machines["session"])
