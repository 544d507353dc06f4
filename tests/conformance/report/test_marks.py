"""Each outcome has its own mark, and what counts against an implementation is what it has to answer for."""

import pytest
from tunnel_conformance.records import Outcome
from tunnel_conformance.report.marks import MARKS, WORST, counts_against, totals, worst

from tests.conformance.report.samples import every_outcome, verdict


def test_no_two_outcomes_look_alike_without_colour() -> None:
    assert MARKS.keys() == set(Outcome) == set(WORST)
    assert len({mark.letter for mark in MARKS.values()}) == len({mark.glyph for mark in MARKS.values()}) == len(Outcome)
    assert MARKS[Outcome.FAIL].short == "\u2717F"


@pytest.mark.parametrize(
    ("outcome", "binding", "against"),
    [
        (Outcome.PASS, True, False),
        (Outcome.NON_STRICT, True, False),
        (Outcome.FAIL, True, True),
        (Outcome.FAIL, False, True),
        (Outcome.NOT_TESTABLE, True, True),
        (Outcome.NOT_TESTABLE, False, False),
        (Outcome.NOT_APPLICABLE, True, False),
        (Outcome.ERROR, False, True),
        (Outcome.HARNESS, True, True),
    ],
)
def test_what_cannot_be_tested_counts_against_a_must_and_against_nothing_else(
    outcome: Outcome, *, binding: bool, against: bool
) -> None:
    assert counts_against(verdict(outcome=outcome, binding=binding)) is against


def test_the_worst_outcome_speaks_for_several() -> None:
    assert worst([]) is None
    assert worst([verdict(outcome=Outcome.PASS), verdict(outcome=Outcome.NON_STRICT)]) is Outcome.NON_STRICT
    assert worst(every_outcome().verdicts) is Outcome.HARNESS


def test_totals_name_only_what_there_is() -> None:
    assert totals([verdict(), verdict(), verdict(outcome=Outcome.FAIL)]) == {"pass": 2, "fail": 1}
