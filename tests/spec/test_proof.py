"""SPIN finds that the claims hold, and that it would notice if they did not. `make proof` asks everything; this asks a part."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spec.compiler.__main__ import main
from spec.compiler.promela import PEERS, Scene
from spec.compiler.promela_claims import Claim, by_scene, made, model, read_claims
from spec.compiler.promela_proof import RECORD, drift, prove, read_record
from spec.compiler.promela_spin import Checker, SpinError, Watch, missing, version
from tests.spec.breakage import SPEC, broken, dropped

ROOT = Path(__file__).parents[2]
CLAIMS = read_claims(SPEC.folder / "proofs", SPEC)
PART = CLAIMS.__class__(
    claims=tuple(CLAIMS.claim(name) for name in ("single_use", "order", "join_ends")),
    witnesses=tuple(claim for claim in CLAIMS.witnesses if claim.id in ("never_expires", "without_time")),
    mutants=tuple(m for m in CLAIMS.mutants if m.id in ("reopens", "full_before_expired", "prolonged")),
)


@pytest.mark.needs("spin")
def test_the_claims_hold_and_small_mistakes_are_caught_as_recorded() -> None:
    """LINK-1, LINK-3, LINK-4, LOCK-1, AUTH-9: in every order of events, whatever a thief, a replayer and a false host do."""
    heard: list[str] = []
    found = prove(SPEC, PART, heard.append)
    recorded = read_record(SPEC.folder / "proofs")
    assert recorded is not None

    # The rows of each scene are one more thing to look at.
    assert len(heard) == 2 * len(by_scene(PART.claims)) + len(by_scene(PART.witnesses)) + len(PART.mutants)
    assert all(result.is_wanted for result in found.results)
    # All that differs from the record is what was not asked.
    assert found.untaken == recorded.untaken
    assert len(drift(found, recorded)) == len(recorded.results) - len(found.results)


@pytest.mark.needs("spin")
@pytest.mark.parametrize(
    "id", [mistake.id for mistake in CLAIMS.mutants if mistake.id in ("idle_too_long", "any_proof", "lazy_timers", "one_challenge")]
)  # fmt: skip
def test_a_mistake_is_caught(tmp_path: Path, id: str) -> None:
    """TIME-1, AUTH-1, AUTH-2, IDLE-1: a boundary that moves, a proof that nobody looks at, a timer that waits its turn."""
    mistake = next(one for one in CLAIMS.mutants if one.id == id)
    spec, slips = made(SPEC, mistake)
    claim = CLAIMS.claim(mistake.breaks)

    assert not Checker(tmp_path, model(spec, (claim,), slips), fast=False).ask(claim).holds


@pytest.mark.needs("spin")
def test_a_model_that_is_no_promela_is_an_error_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(SpinError, match=r"spin does not take the model: .*syntax error"):
        Checker(tmp_path, "active proctype X( {")


@pytest.mark.needs("spin")
def test_a_model_that_is_no_program_is_an_error_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(SpinError, match="gcc does not take what spin wrote"):
        Checker(tmp_path, "active proctype P() { c_code { this is no C } }\n", fast=False)


@pytest.mark.needs("spin")
def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(SpinError, match=r"spin was stopped: everything together may take 5 s\. `--within`"):
        Checker(tmp_path, TINY, Watch(5, iter([0.0, 5.0]).__next__))


def test_the_time_that_is_left_runs_out_for_everything_together() -> None:
    watch = Watch(5, iter([100.0, 101.0, 104.5, 106.0]).__next__)

    assert [watch.left() for _ in range(3)] == [4.0, 0.5, 0.0]


def test_a_proof_that_takes_too_long_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof", "--within", "0"]) == 1
    assert "was stopped: everything together may take 0 s" in capsys.readouterr().err


TINY = "bool b; active proctype P() { do :: b = !b od }\n"


@pytest.mark.needs("spin")
def test_a_table_that_does_not_say_what_happens_is_an_error_and_no_breach(tmp_path: Path) -> None:
    claim = CLAIMS.claim("lock")
    checker = Checker(tmp_path, model(broken("session", dropped("auth-admitted")), (claim,)), fast=False)

    with pytest.raises(SpinError, match="an event has no row"):
        checker.ask(claim)


@pytest.mark.needs("spin")
def test_a_search_that_does_not_reach_the_end_is_an_error_and_no_answer(tmp_path: Path) -> None:
    text = "byte b; active proctype P() { do :: b++ od }\nltl fine { [] (b >= 0) }\n"

    with pytest.raises(SpinError, match="no answer about 'fine'"):
        Checker(tmp_path, text, fast=False, depth=50).ask(Claim("fine", "safety", "", ""))


@pytest.mark.needs("spin")
def test_a_claim_that_is_not_in_the_model_is_an_error_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(SpinError, match="no answer about 'other'"):
        Checker(tmp_path, TINY + "ltl fine { [] (b == b) }\nltl good { [] (b == b) }\n", fast=False).ask(
            Claim("other", "safety", "", "")
        )


@pytest.mark.needs("spin")
def test_the_version_of_spin_is_known() -> None:
    assert missing() == []
    assert version().startswith("6.")


def test_without_spin_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spec.compiler", "proof"],
        cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "spin cannot be run" in done.stderr
    assert "apt-get install spin gcc libc6-dev" in done.stderr


@pytest.mark.parametrize("scene", PEERS)
def test_the_model_is_printed(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promela", scene]) == 0
    assert capsys.readouterr().out == model(SPEC, by_scene(CLAIMS.claims)[scene])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A repository with the tables, to be broken."""
    shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1")
    return tmp_path


@pytest.mark.parametrize("command", ["promela", "proof"])
@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("proofs/claims.toml", 'breaks = "lock"', 'breaks = "lokc"', "claims.toml: row 'admits_beside' of mutants"),
        ("session.toml", 'do = ["number left"]', 'do = ["refuse bad_key"]', "call each other for ever"),
    ],
    ids=["a typo", "a circle"],
)
def test_what_cannot_be_asked_is_a_finding(
    copy: Path, capsys: pytest.CaptureFixture[str], command: str, file: str, old: str, new: str, finding: str
) -> None:
    path = copy / "spec" / "v1" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")

    assert main([command], copy) == 1
    assert finding in capsys.readouterr().err


@pytest.mark.needs("spin")
def test_the_proof_records_only_what_came_out_as_it_must(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy / "spec" / "v1" / "proofs"
    write = ["proof", "--write"]
    (folder / "claims.toml").write_text(SHORT, encoding="utf-8")
    (folder / RECORD).unlink()

    assert main(["proof"], copy) == 1
    assert "results.json: is missing" in capsys.readouterr().err
    assert main(write, copy) == 0
    recorded = (folder / RECORD).read_bytes()
    (folder / "claims.toml").write_text(SHORT.replace("answers == 0", "answers <= 2"), encoding="utf-8")
    assert main(write, copy) == 1
    assert "witness 'never_in': HOLDS" in capsys.readouterr().err
    assert (folder / RECORD).read_bytes() == recorded


@pytest.mark.needs("spin")
def test_a_formula_that_is_none_is_named_with_its_model(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims = copy / "spec" / "v1" / "proofs" / "claims.toml"
    claims.write_text(SHORT.replace("answers <= 1", "answers <="), encoding="utf-8")

    assert main(["proof"], copy) == 1
    assert "the claims, guest: spin does not take the model" in capsys.readouterr().err


SHORT = """
claims = [ { id = "once", kind = "safety", holds = "[] (answers <= 1)", rules = ["AUTH-5"], scene = "guest", doc = "One answer." } ]
witnesses = [ { id = "never_in", kind = "safety", holds = "[] (answers == 0)", scene = "guest", doc = "Nobody answers." } ]
mutants = []
"""
