"""A verdict is told in plain words: who, what, at which step, what was expected, what came, and what was said before."""

import pytest
from tunnel_conformance.records import Outcome, Run
from tunnel_conformance.report.matrix import columns
from tunnel_conformance.report.words import cases, decided_at, grouped, headline, said, step_in_words, told

from tests.conformance.report.samples import FAILED, LOG, hostile, run, verdict, whole
from tunnel.spec.model import Role, Step


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(do="open"), "open"),
        (Step(do="say", by="subject", args={"text": "hi", "times": 2}), "say by subject (text: hi, times: 2)"),
        (Step(do="connect", expect="challenged", expects={"fresh": True}), "connect -> challenged (fresh: true)"),
        (Step(do="wait", expect="gone", tolerate=("nothing",)), "wait -> gone, or nothing"),
    ],
)
def test_a_step_reads_like_a_sentence(step: Step, words: str) -> None:
    assert step_in_words(step) == words


def test_a_verdict_is_told_with_its_conversation() -> None:
    lines = list(told(verdict("lock-second-guest", Outcome.FAIL, **FAILED), "ours"))

    assert lines[0].startswith("FAIL  ours as host  lock-second-guest: a second guest")
    assert lines[0].endswith("[LOCK-1, LINK-1, LINK-4; MUST]")
    assert lines[1:6] == [
        "  step      2: join by A -> admitted",
        "  expected  refused (reason: tunnel full)",
        "  got       admitted",
        "  note      stderr:",
        "            second guest let in",
    ]
    assert lines[-1] == f"    {said(LOG[-1])}"
    assert len(lines) == 7 + len(LOG)


def test_nothing_hidden_stands_in_what_is_told() -> None:
    assert all(line.isprintable() for line in told(hostile().verdicts[0], hostile().header.subject))


def test_a_step_that_this_kit_does_not_know_is_a_number() -> None:
    assert decided_at(verdict(step=99)) == "99"
    assert decided_at(verdict("no-such-case", step=1)) == "1"
    assert decided_at(verdict()) == ""


def test_what_kept_the_kit_from_every_case_is_told_once() -> None:
    stuck = [verdict(case, Outcome.HARNESS, log=(), note="no such program") for case in ("a", "b", "c")]
    failed = [verdict(case, Outcome.FAIL) for case in ("d", "e")]

    assert [(found.case, times) for found, times in grouped([*stuck, *failed])] == [("a", 3), ("d", 1), ("e", 1)]
    in_a_case = [verdict(case, Outcome.HARNESS, step=2, note="no such program") for case in ("a", "b")]
    assert [times for _, times in grouped(in_a_case)] == [1, 1]
    assert list(told(stuck[0], "ours", 3)) == ["HARNESS  ours as host  3 cases", "  note      no such program"]


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (
            whole("ours", Role.GUEST),
            f"Keeps every MUST that was tested, in {len(whole('ours', Role.GUEST).verdicts)} cases.",
        ),
        (run(verdict(), spec="other"), "Keeps every MUST that was tested, in 1 case."),
        (run(verdict(outcome=Outcome.FAIL)), "Does not conform: a MUST is not kept in 1 case of 1."),
        (
            run(verdict(), verdict("x", Outcome.FAIL, binding=False), spec="other"),
            "Keeps every MUST that was tested, in 2 cases; a SHOULD is not kept in 1 case.",
        ),
        (
            run(verdict(outcome=Outcome.HARNESS), verdict("x", Outcome.FAIL)),
            "Says nothing: in 1 case the kit and the implementation did not get as far as the case.",
        ),
        (
            run(verdict(), verdict("x", Outcome.NOT_APPLICABLE), spec="other"),
            "Keeps every MUST that was tested, in 1 case.",
        ),
        (run(verdict(outcome=Outcome.NOT_APPLICABLE, note="It is no host.")), "Is not judged: It is no host."),
    ],
    ids=["all pass", "another spec", "a MUST", "a SHOULD", "harness", "one that does not concern it", "none that does"],
)
def test_a_run_is_told_in_one_sentence(run: Run, sentence: str) -> None:
    (column,) = columns([run])

    assert headline(column) == sentence


def test_a_run_of_a_few_cases_says_how_many_were_left_out() -> None:
    (column,) = columns([run(verdict())])

    assert headline(column).endswith(f"in 1 case; {cases(column.missing)} not run.")
    assert column.missing > 1
