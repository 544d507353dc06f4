"""A CI server sees in the XML what people see: what fails as a failure, what crashed as an error, what is excused as skipped."""

import xml.etree.ElementTree as ET

import pytest
from tunnel_conformance.records import Outcome, Run
from tunnel_conformance.report.expect import Expectations, Known
from tunnel_conformance.report.junit import junit

from tests.conformance.report.samples import every_outcome, hostile, run, verdict


def suite(run: Run, expectations: Expectations | None = None) -> ET.Element:
    root = ET.fromstring(junit([run], expectations or Expectations()))
    (found,) = root
    return found


@pytest.mark.parametrize(
    ("outcome", "binding", "tag"),
    [
        (Outcome.PASS, True, None),
        (Outcome.NON_STRICT, True, None),
        (Outcome.FAIL, True, "failure"),
        (Outcome.NOT_TESTABLE, True, "failure"),
        (Outcome.NOT_TESTABLE, False, "skipped"),
        (Outcome.NOT_APPLICABLE, True, "skipped"),
        (Outcome.ERROR, True, "error"),
        (Outcome.HARNESS, True, "error"),
    ],
)
def test_each_outcome_has_its_element(outcome: Outcome, *, binding: bool, tag: str | None) -> None:
    (test,) = suite(run(verdict(outcome=outcome, binding=binding)))
    tags = [child.tag for child in test if child.tag != "system-out"]

    assert tags == ([tag] if tag else [])
    assert (test.find("system-out") is None) == (outcome is Outcome.PASS)


def test_a_suite_counts_its_tests() -> None:
    found = suite(every_outcome())

    assert found.attrib == {
        "name": "ours as host",
        "timestamp": "2026-01-02T03:04:05Z",
        "time": "12.500",
        "tests": "7",
        "failures": "2",
        "errors": "2",
        "skipped": "1",
    }
    assert found[0].attrib == {"classname": "ours as host", "name": "wire-normal", "time": "0.400"}


def test_a_failure_holds_the_whole_story() -> None:
    failure = suite(run(verdict(outcome=Outcome.FAIL, expected="refused", got="admitted"))).find("testcase/failure")

    assert failure is not None
    assert failure.attrib == {"type": "fail", "message": "fail: expected refused, got admitted"}
    assert "tunnel_open" in (failure.text or "")


def test_a_known_failure_is_skipped_with_its_reason() -> None:
    known = Expectations({"ours": {"host": {"wire-normal": Known(outcome="fail", reason="not yet")}}})
    found = suite(run(verdict(outcome=Outcome.FAIL)), known)

    assert [skipped.attrib for skipped in found.findall("testcase/skipped")] == [{"message": "known: not yet"}]
    assert found.get("failures") == "0"


def test_hostile_texts_leave_it_well_formed() -> None:
    found = suite(hostile())

    assert "<script>alert(1)</script>" in (found.get("name") or "")
    assert "\x1b" not in ET.tostring(found, encoding="unicode")
    assert found.get("failures") == "1"


def test_partners_are_part_of_the_name() -> None:
    (test,) = suite(run(verdict("pair-talk", partner="node")))

    assert test.get("name") == "pair-talk with node"
