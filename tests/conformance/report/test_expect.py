"""Known failures excuse themselves and nothing else; one that is no longer true fails the run, and so does a wrong name."""

from pathlib import Path

import pytest
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.report.expect import (
    FAILURES,
    GOOD,
    INVALID,
    BadExpectations,
    Expectations,
    Judged,
    Known,
    exit_status,
    read,
)

from tests.conformance.report.samples import header, verdict

KNOWN = """
[ours.host.lock-race]
outcome = "fail"
reason = "two threads, one flag"
"""


def expectations(folder: Path, text: str) -> Expectations:
    (folder / "known.toml").write_text(text, encoding="utf-8")
    return read(folder / "known.toml")


def judged(*verdicts: Verdict, subject: str = "ours") -> Judged:
    return Judged(header=header(subject), verdicts=verdicts)


def test_a_known_failure_is_excused(tmp_path: Path) -> None:
    known = expectations(tmp_path, KNOWN)
    run = judged(verdict(), verdict("lock-race", Outcome.FAIL))

    assert exit_status([run], known) == GOOD
    assert exit_status([run], Expectations()) == FAILURES
    assert known.known(run.header, run.verdicts[1]) == Known(outcome="fail", reason="two threads, one flag")


def test_a_failure_that_is_not_known_is_not_excused(tmp_path: Path) -> None:
    run = judged(verdict("wire-normal", Outcome.FAIL), verdict("lock-race", Outcome.FAIL))

    assert [v.case for v in expectations(tmp_path, KNOWN).unexpected(run)] == ["wire-normal"]
    assert exit_status([run], expectations(tmp_path, KNOWN)) == FAILURES


def test_another_outcome_than_the_known_one_is_not_excused(tmp_path: Path) -> None:
    assert exit_status([judged(verdict("lock-race", Outcome.ERROR))], expectations(tmp_path, KNOWN)) == FAILURES


def test_a_known_failure_that_passes_is_stale(tmp_path: Path) -> None:
    known, run = expectations(tmp_path, KNOWN), judged(verdict("lock-race"))

    assert known.stale([run]) == ["ours.host.lock-race: known as 'fail', and it is now 'pass'"]
    assert exit_status([run], known) == FAILURES


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("ours", "theirs", "theirs: no such implementation in this run; there were: ours"),
        ("lock-race", "lock-rate", "ours.host.lock-rate: no case of this name judges a host"),
        ("host", "guest", "ours.guest.lock-race: no case of this name judges a guest"),
    ],
)
def test_a_name_that_does_not_exist_is_stale(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    known, run = expectations(tmp_path, KNOWN.replace(old, new)), judged(verdict("wire-normal"))

    assert known.stale([run]) == [complaint]
    assert exit_status([run], known) == FAILURES


def test_an_entry_about_a_case_that_was_not_played_says_nothing(tmp_path: Path) -> None:
    assert exit_status([judged(verdict())], expectations(tmp_path, KNOWN)) == GOOD


def test_the_entries_of_others_say_nothing_about_one_of_several(tmp_path: Path) -> None:
    known = expectations(tmp_path, KNOWN)

    assert known.about("theirs").stale([judged(verdict(), subject="theirs")]) == []
    assert known.about("ours") == known


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([verdict(), verdict("b", Outcome.NON_STRICT), verdict("c", Outcome.NOT_APPLICABLE)], GOOD),
        ([verdict(outcome=Outcome.NOT_APPLICABLE), verdict("b", Outcome.NOT_APPLICABLE)], INVALID),
        ([verdict(outcome=Outcome.NOT_TESTABLE, binding=False)], GOOD),
        ([verdict(outcome=Outcome.NOT_TESTABLE)], FAILURES),
        ([verdict(outcome=Outcome.FAIL, binding=False)], FAILURES),
        ([verdict(outcome=Outcome.ERROR)], FAILURES),
        ([verdict(outcome=Outcome.FAIL), verdict("b", Outcome.HARNESS)], INVALID),
        ([], INVALID),
    ],
    ids=[
        "good",
        "nothing that concerns it",
        "a SHOULD untested",
        "a MUST untested",
        "a SHOULD failed",
        "an error",
        "harness",
        "nothing judged",
    ],
)
def test_the_exit_status_is_the_verdict(verdicts: list[Verdict], status: int) -> None:
    assert exit_status([judged(*verdicts)], Expectations()) == status


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "ours = 1",
        "[ours.both.lock-race]\noutcome = 'fail'\nreason = 'r'",
        "[ours.host.lock-race]\noutcome = 'pass'\nreason = 'r'",
        "[ours.host.lock-race]\noutcome = 'harness'\nreason = 'r'",
        "[ours.host.lock-race]\noutcome = 'fail'",
        "[ours.host.lock-race]\noutcome = 'fail'\nreason = ''",
        "[ours.host.lock-race]\noutcome = 'fail'\nreason = 'r'\nuntil = 2030",
    ],
    ids=["no TOML", "no table", "a third role", "a pass", "harness", "no reason", "an empty reason", "an unknown key"],
)
def test_a_file_that_says_something_else_is_refused_with_what_it_may_say(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadExpectations, match=r"known.toml: .*An entry is a table \[NAME.host.CASE\]"):
        expectations(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadExpectations, match="cannot be read"):
        read(tmp_path / "none.toml")
