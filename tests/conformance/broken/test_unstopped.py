"""Expectations that never stopped anybody are known, one by one."""

from msgspec import structs
from tunnel_conformance.broken.unstopped import expecting, recorded, stale, unknown, unstopped
from tunnel_conformance.records import Outcome
from tunnel_conformance.spec import spec

from tests.conformance.broken.made import a_case, a_verdict
from tunnel.spec.model import Step

CASE = structs.replace(
    a_case("made"),
    steps=(
        Step(do="open"),
        Step(do="join", expect="admitted"),
        Step(do="chat", expect="echoed"),
        Step(do="join", by="B", expect="refused"),
        Step(do="join", by="C", expect="admitted"),
    ),
)


def test_what_leads_to_the_next_step_proves_nothing_and_need_not() -> None:
    assert expecting(CASE) == [3, 4, 5]


def test_a_step_is_proved_by_whom_it_stopped() -> None:
    stopped = structs.replace(a_verdict("made", Outcome.FAIL, "x"), step=4)
    passed = structs.replace(a_verdict("made", Outcome.NON_STRICT, "x"), step=5)

    assert unstopped([CASE], {"host-wrong": [stopped, passed]}) == {"made": (3, 5)}
    assert unstopped([CASE], {}) == {"made": (3, 4, 5)}


def test_the_record_is_compared_both_ways() -> None:
    case = next(case for case in spec().cases.cases if case.id == "wire-noise-before")
    known = recorded()[case.id]
    rest = [n for n in expecting(case) if n not in known]
    seen = [structs.replace(a_verdict(case.id, Outcome.FAIL, "x"), step=n) for n in (*rest[1:], known[0])]

    assert unknown([case], {"host-wrong": seen}) == [f"step {rest[0]} of wire-noise-before"]
    assert stale([case], {"host-wrong": seen}) == [f"step {known[0]} of wire-noise-before"]


def test_the_record_names_expectations_that_there_are() -> None:
    cases = {case.id: case for case in spec().cases.cases}

    assert [f"{case} {n}" for case, steps in recorded().items() for n in steps if n not in expecting(cases[case])] == []
