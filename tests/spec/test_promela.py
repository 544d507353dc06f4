"""The model that SPIN is given is the tables, row by row, and what is asked about it is asked about these tables."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from spec.compiler.explore import combinations
from spec.compiler.promela import MACHINES, PEERS, Scene, Slips, promela, ticks
from spec.compiler.promela_claims import by_scene, made, model, read_claims
from spec.compiler.promela_proof import Record, digest, drift, faults, read_record, told, write_record
from spec.compiler.promela_text import TAKES, PromelaError
from spec.compiler.reader import SpecError
from tests.spec.breakage import SPEC, Breakage, broken, dropped, row, swapped, timer
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Configuration, Interpreter

PROOFS = SPEC.folder / "proofs"
CLAIMS = read_claims(PROOFS, SPEC)
MODEL = promela(SPEC)
TOGETHER = promela(SPEC, "together")
ALONE = promela(SPEC, "guest")


def handler(text: str, machine: str, event: str) -> str:
    """What the model does about an event."""
    return text.partition(f"inline {machine}_on_{event}(who) {{\n")[2].partition("\n}\n")[0]


def rows_of(text: str, machine: str, event: str) -> list[str]:
    return re.findall(r"/\* ([\w-]+)(?:: [A-Z0-9-, ]+)? \*/", handler(text, machine, event))


# --- Rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        (MODEL, "session"),
        (MODEL, "connection"),
        (TOGETHER, "session"),
        (TOGETHER, "connection"),
        (TOGETHER, "guest"),
        (ALONE, "guest"),
    ],
    ids=["session", "connection", "session, together", "connection, together", "guest, together", "guest, alone"],
)
def test_every_row_stands_in_the_model_in_the_order_of_its_table(text: str, machine: str) -> None:
    table = SPEC.machines[machine]
    any_event = [one.id for one in table.transitions if one.on == "*"]
    for event in table.events:
        own = [one.id for one in table.transitions if one.on == event.name]

        assert [one for one in rows_of(text, machine, event.name) if one not in any_event] == own


def test_rows_that_change_places_change_places_in_the_model() -> None:
    """LINK-4: the order of the rows is the order of the refusals."""
    assert rows_of(promela(broken("session", swapped("auth-expired", "auth-full"))), "session", "auth") == [
        *(
            "auth-malformed",
            "auth-bad-key",
            "auth-full",
            "auth-expired",
            "auth-used",
            "auth-admitted",
            "auth-too-early",
        ),
        "gone",
    ]


def test_a_row_that_is_dropped_leaves_an_event_that_nothing_answers() -> None:
    text = promela(broken("session", dropped("auth-admitted")))

    assert "auth-admitted" not in rows_of(text, "session", "auth")
    assert ":: else -> assert(false)" in handler(text, "session", "auth")


def test_a_row_for_any_event_is_for_the_states_that_have_no_row_of_their_own() -> None:
    text = promela(broken("connection", row("ignored", leaves=("challenged", "finished"))))

    assert "  :: else -> if\n  :: connection[who] == connection_finished ->  /* ignored: " in handler(
        text, "connection", "auth"
    )
    assert "ignored" not in rows_of(text, "connection", "lost")


def test_a_row_moves_before_it_acts_and_its_actions_keep_their_order() -> None:
    assert (
        "session = session_locked; session_idle = 0; "
        "see_admit(who); connection_on_admit(who); see_number(who, number_joined)"
    ) in handler(MODEL, "session", "auth")


@pytest.mark.parametrize(
    ("when", "written"),
    [
        ("not proof_ok", "!(proof_ok)"),
        ("passed(link)", "(session_link > LINK_SECONDS)"),
        ("well_formed and (proof_ok or not passed(link))", "(well_formed && (proof_ok || !((session_link > LINK_SECONDS))))"),
        ("state == locked and well_formed", "((session == session_locked) && well_formed)"),
        ("state != locked", "(session != session_locked)"),
        ("1 <= 2", "(1 <= 2)"),
    ],
)  # fmt: skip
def test_a_condition_means_the_same_in_promela(when: str, written: str) -> None:
    text = promela(broken("session", row("auth-bad-key", when=when)))

    assert f"&& {written} ->  /* auth-bad-key: " in handler(text, "session", "auth")


def test_a_condition_of_a_connection_is_about_that_connection() -> None:
    text = promela(broken("connection", row("flood", when="flooding and state == opening and passed(silence)")))

    assert (
        "(flooding && (connection[who] == connection_opening) && (connection_silence[who] >= SILENCE_SECONDS))"
    ) in handler(text, "connection", "control")


def test_a_condition_that_has_no_meaning_in_a_row_is_refused() -> None:
    with pytest.raises(PromelaError, match="'elapsed' has no meaning"):
        promela(broken("session", row("auth-bad-key", when="elapsed(link) > 1")))


# --- The same meaning ---------------------------------------------------------------------------------------------------

NUMBERS = {name: int(number) for name, number in re.findall(r"#define (\w+) (\d+)\b", TOGETHER)}
SECONDS = {name: number for name, number in NUMBERS.items() if name.endswith("_SECONDS")}


def read_row(text: str, machine: str, event: str, values: dict[str, int]) -> tuple[str, dict[str, int]]:
    """The first row of the model whose guard holds, and what its moves make of the values."""
    rows = re.findall(r":: (.*) ->  /\* ([\w-]+).*? \*/\n     (.*)", handler(text, machine, event))
    for guard, id_, does in rows:
        python = guard.replace("[who]", "").replace("&&", "and").replace("||", "or").replace("!(", "not (")
        if eval(python, {}, {**NUMBERS, **values}):
            moves = re.findall(r"(?:^|; )(\w+)(?:\[who\])? = (\w+)", does)
            return id_, values | {name: NUMBERS.get(to, 0) for name, to in moves}
    raise AssertionError(f"no row for {event} with {values}")


def places(machine: Machine) -> Iterator[tuple[str, dict[str, int]]]:
    """Every state, with every age of the timers that run there."""
    for state in machine.states:
        running = [one for one in machine.timers if state.name in machine.states_of(one.runs_in)]
        for ages in product(*(range(SECONDS[one.duration] + 2) for one in running)):
            yield state.name, {one.name: age for one, age in zip(running, ages, strict=True)}


def disagreements(text: str, name: str) -> tuple[int, set[str]]:
    """How often model and interpreter were asked the same, and the events to which they do not say the same."""
    machine, asked, found = SPEC.machines[name], 0, set[str]()
    interpreter = Interpreter(machine, SECONDS)
    timers = [one.name for one in machine.timers if re.search(rf"^byte {name}_{one.name}\b", text, re.M)]
    for state, ages in places(machine):
        before = Configuration(state, {timer: -age for timer, age in ages.items()}, {})
        values = {name: NUMBERS[f"{name}_{state}"]} | {f"{name}_{one}": ages.get(one, 0) for one in timers}
        for event in machine.events:
            for facts in combinations(event):
                step = interpreter.step(before, event.name, facts, 0)
                after = {name: NUMBERS[f"{name}_{step.after.state}"]}
                after |= {f"{name}_{one}": -step.after.since.get(one, 0) for one in timers}
                asked += 1
                if read_row(text, name, event.name, values | facts) != (step.row.id, after | facts):
                    found.add(event.name)
    return asked, found


@pytest.mark.parametrize("name", SPEC.machines)
def test_the_model_takes_the_row_that_the_interpreter_takes_and_goes_where_it_goes(name: str) -> None:
    asked, found = disagreements(TOGETHER, name)

    assert found == set()
    assert asked > 100


@pytest.mark.parametrize(
    ("breakage", "event"),
    [
        (row("guest-left", to="waiting"), "left"),
        (swapped("auth-expired", "auth-full"), "auth"),
        (timer("link", passed_when="elapsed >= duration"), "auth"),
        (timer("idle", restarts_on=("number",)), "say"),
        (row("say-too-long", when="fits"), "say"),
    ],
    ids=["another target", "another order", "another boundary", "another restart", "another condition"],
)
def test_a_model_of_other_tables_does_not_agree(breakage: Breakage, event: str) -> None:
    _, found = disagreements(promela(broken("session", breakage), "together"), "session")

    assert event in found


# --- Timers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [MODEL, TOGETHER, ALONE], ids=["host", "together", "guest"])
def test_durations_are_short_and_keep_their_order(text: str) -> None:
    short = {name: int(value) for name, value in re.findall(r"#define (\w+_SECONDS) (\d+)", text)}

    assert sorted(short, key=lambda name: short[name]) == sorted(short, key=lambda name: SPEC.constants[name])
    assert max(short.values()) < 10


def test_there_is_an_age_within_each_duration_and_time_between_a_dead_link_and_an_idle_session() -> None:
    assert min(SECONDS.values()) > 1
    assert SECONDS["LINK_SECONDS"] + 2 < SECONDS["IDLE_SECONDS"]
    assert ticks({"A": 15, "B": 15, "C": 600, "D": 1800}) == {"A": 2, "B": 2, "C": 3, "D": 6}


def test_a_timer_that_nobody_can_tell_is_left_out_and_the_model_says_so() -> None:
    assert "The timer `ping` of connection is left out" in MODEL
    assert "connection_ping[" not in MODEL


@pytest.mark.parametrize(
    "breakage",
    [
        row("ping", to="finished"),
        row("ping", do=("ping", "leave")),
        row("ping", do=("ping", "relay")),
        timer("silence", restarts_on=("heard", "ping")),
        row("other", when="passed(ping)"),
    ],
    ids=["it moves", "it is heard", "it is looked at", "it restarts another", "it is asked"],
)
def test_a_timer_that_can_be_told_is_in_the_model(breakage: Breakage) -> None:
    assert "connection_ping[" in promela(broken("connection", breakage))


def test_a_model_without_timers_of_connections_is_a_model() -> None:
    bare = replace(SPEC.machines["connection"], timers=())

    assert "inline expire_connection(who) {\n  skip\n}" in promela(
        replace(SPEC, machines={**SPEC.machines, "connection": bare})
    )


def test_machines_that_call_each_other_for_ever_are_refused() -> None:
    with pytest.raises(PromelaError, match=r"call each other for ever: (session left|connection refuse) -> "):
        promela(broken("session", row("guest-left", do=("refuse bad_key",))))


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", text)))


# --- What is asked ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "scene", "kept"),
    [(TOGETHER, "together", {"admissions", "quiet", "told", "over"}), (ALONE, "guest", {"answers", "unheard", "over"})],
    ids=["together", "guest"],
)
def test_what_the_claims_look_at_is_never_read_by_a_machine(text: str, scene: Scene, kept: set[str]) -> None:
    watched = re.findall(
        r"^(?:bool|byte) (\w+)", text.partition("/* What the claims look at.")[2].partition("inline")[0], re.M
    )

    assert kept < set(watched)
    for machine in MACHINES[scene]:
        for event in SPEC.machines[machine].events:
            assert words(handler(text, machine, event.name)).isdisjoint(watched)


def test_slips_of_an_implementation_change_what_they_name_and_no_more() -> None:
    lazy, same = (
        promela(SPEC, slips=slips).splitlines() for slips in (Slips(lazy_timers=True), Slips(one_challenge=True))
    )

    changed = [line for line in lazy if line not in MODEL.splitlines()]
    assert [line.split(" {")[0].strip() for line in changed] == ["inline expire_before_input()", ":: d_step"]
    assert [line for line in same if line not in MODEL.splitlines()] == ["inline see_challenge(x) { skip }"]


def test_only_the_model_of_the_witnesses_remembers_what_was_answered() -> None:
    assert "refused_for" not in MODEL
    assert "refused_for" in promela(SPEC, witness=True)


def test_only_a_model_that_tracks_says_which_rows_are_taken() -> None:
    tracking = promela(SPEC, "guest", tracks=True)

    assert TAKES not in ALONE
    assert set(re.findall(rf'printf\("{TAKES} guest ([\w-]+)\\n"\)', tracking)) == {
        one.id for one in SPEC.machines["guest"].transitions
    }


def test_every_mistake_is_one_mistake() -> None:
    texts: list[str] = []
    for mistake in CLAIMS.mutants:
        spec, slips = made(SPEC, mistake)
        texts.append(promela(spec, CLAIMS.claim(mistake.breaks).scene, slips))

    assert {MODEL, TOGETHER, ALONE}.isdisjoint(texts)
    assert len(set(texts)) == len(CLAIMS.mutants)


@pytest.mark.parametrize("scene", PEERS)
def test_every_scene_has_claims_and_a_model_of_its_own(scene: Scene) -> None:
    asked = by_scene(CLAIMS.claims)[scene]

    assert all(f"\nltl {claim.id} {{ {claim.holds} }}" in model(SPEC, asked) for claim in asked)
    assert [name for name in SPEC.machines if f"byte {name}" in model(SPEC, asked)] == list(MACHINES[scene])


def test_every_claim_is_broken_by_a_mistake() -> None:
    assert {claim.id for claim in CLAIMS.claims} == {mistake.breaks for mistake in CLAIMS.mutants}


WRONG = [
    ("[[mutants]]", "[[mutant]]", "mutant"),
    ('breaks = "single_use"', 'breaks = "single_us"', "breaks: 'single_us' is no claim"),
    ('row = "guest-left"', 'row = "guest-lfet"', "session.toml has no such row or timer"),
    ('before = "auth-bad-key"', 'before = "auth-bad"', "session.toml has no such row or timer"),
    ('timer = "link"', 'timer = "lnik"', "session.toml has no such row or timer"),
    ('machine = "session"', 'machine = "sesion"', "machine: 'sesion' is none of session, connection, guest"),
    ('slip = "lazy_timers"', 'slip = "lazy"', "slip: 'lazy' is none of lazy_timers, one_challenge"),
    ('set = { to = "waiting" }', 'set = { to = "vacated" }', "row 'reopens' of mutants: it changes nothing"),
    ('set = { to = "waiting" }', 'set = { too = "waiting" }', "row 'reopens' of mutants, set: "),
    ('rules = ["LOCK-1"], ', 'rules = ["LOCKED"], ', "row 'lock' of claims, rules: 'LOCKED' is not in rules.toml"),
]


@pytest.mark.parametrize(("old", "new", "finding"), WRONG, ids=[finding for *_, finding in WRONG])
def test_a_typo_in_the_claims_is_an_error_that_names_the_row(tmp_path: Path, old: str, new: str, finding: str) -> None:
    text = (PROOFS / "claims.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "claims.toml").write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(SpecError) as error:
        read_claims(tmp_path, SPEC)

    assert finding in str(error.value)


# --- What is recorded ---------------------------------------------------------------------------------------------------


@pytest.fixture
def record() -> Record:
    found = read_record(PROOFS)
    assert found is not None
    return found


def test_the_recorded_results_are_about_this_model_and_all_that_is_asked(record: Record) -> None:
    asked = [("claim", claim.id, claim.doc) for claim in CLAIMS.claims]
    asked += [("witness", claim.id, claim.doc) for claim in CLAIMS.witnesses]
    asked += [("mutant", mistake.id, mistake.doc) for mistake in CLAIMS.mutants]

    assert [(one.kind, one.id, one.says) for one in record.results] == asked
    assert record.model == digest(SPEC, CLAIMS), "run `python -m spec.compiler proof --write`"


def test_the_page_names_the_rows_that_no_scene_takes(record: Record) -> None:
    page = (PROOFS / "README.md").read_text(encoding="utf-8")
    table = page.partition("| machine | rows that no scene takes |")[2].partition("\n\n")[0]
    named = [f"{line.split()[1]} {row}" for line in table.splitlines()[2:] for row in re.findall(r"`([\w-]+)`", line)]

    assert sorted(named) == sorted(record.untaken)


def test_everything_that_is_recorded_came_out_as_it_must(record: Record) -> None:
    assert faults(record) == []
    assert all(one.rules for one in record.results if one.kind == "claim")


def test_a_table_that_changes_is_another_model() -> None:
    assert digest(broken("session", row("guest-left", to="waiting")), CLAIMS) != digest(SPEC, CLAIMS)
    assert digest(SPEC, replace(CLAIMS, claims=CLAIMS.claims[1:])) != digest(SPEC, CLAIMS)
    assert digest(broken("session", row("guest-left", rules=())), CLAIMS) == digest(SPEC, CLAIMS)


def test_a_record_is_read_as_it_was_written(tmp_path: Path, record: Record) -> None:
    write_record(tmp_path, record)

    assert read_record(tmp_path) == record
    assert (tmp_path / "results.json").read_bytes() == (PROOFS / "results.json").read_bytes()


def changed(record: Record, id: str, **changes: object) -> Record:
    return replace(record, results=tuple(replace(r, **changes) if r.id == id else r for r in record.results))


def test_a_result_that_differs_from_the_record_is_named(record: Record) -> None:
    other = drift(changed(record, "lock", states=1), record)

    assert len(other) == 1
    assert re.match(
        r"results.json: claim 'lock': found holds, 1 states .*, recorded is holds, [\d,]+ states ", other[0]
    )
    assert "proof --write" in other[0]
    assert "found nothing" in drift(replace(record, results=record.results[1:]), record)[0]
    assert "recorded is nothing" in drift(record, replace(record, results=record.results[1:]))[0]
    assert drift(record, None)[0].startswith("results.json: is missing")
    assert drift(replace(record, model="other"), record)[0].startswith("results.json: the model has changed")
    assert drift(replace(record, untaken=("guest enter",)), record)[0].startswith(
        "results.json: untaken: now taken are"
    )


def test_seconds_and_what_another_version_of_spin_counts_are_no_drift(record: Record) -> None:
    assert drift(changed(record, "lock", seconds=99.0), record) == []
    assert drift(changed(record, "reopens", states=99), record) == []
    assert drift(replace(changed(record, "lock", states=1), spin="7"), record) == []
    assert len(drift(replace(changed(record, "lock", verdict="BREAKS"), spin="7"), record)) == 1


@pytest.mark.parametrize(("id", "kind", "verdict"), [("lock", "claim", "BREAKS"), ("never_in", "witness", "HOLDS"), ("reopens", "mutant", "MISSED")])  # fmt: skip
def test_what_does_not_come_out_as_it_must_is_a_fault(record: Record, id: str, kind: str, verdict: str) -> None:
    (fault,) = faults(changed(record, id, verdict=verdict))

    assert fault.startswith(f"{kind} {id!r}: {verdict}: ")
    assert ("./pan -a -f -E -N lock" in fault) == (kind == "claim")


def test_the_table_for_people_has_a_line_for_everything(record: Record) -> None:
    lines = told(record).splitlines()

    assert lines[0].split() == ["states", "seconds", "verdict"]
    assert len(lines) == 1 + len(record.results) + 2
    assert lines[-1] == f"rows that nothing takes: {', '.join(record.untaken)}"
    assert re.fullmatch(
        r"mutant reopens: single_use +\d+ +\d+\.\d +caught", next(li for li in lines if "reopens" in li)
    )
