"""Why a tunnel is over is asked only of those whose status has a place for it."""

import asyncio
from collections.abc import Callable

import pytest
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.subjects.base import Answer, Call

from tests.conformance.own import Own, guest_case
from tunnel.spec.model import Step

Fields = dict[str, object]

STEPS = {
    "ended": (Step(do="vanish", expect="ended", expects={"because": "host_gone"}),),
    "woken": (Step(do="await"), Step(do="vanish", expect="woken", expects={"because": "host_gone"})),
}


def verdict_on(outcome: str, change: Callable[[Fields], None]) -> Verdict:
    """How it goes when statuses are changed like this."""

    def twist(what: Call, answer: Answer) -> Answer:
        for status in (answer.result, (answer.result or {}).get("status")):
            if isinstance(status, dict):
                change(status)
        return answer

    async def judged() -> Verdict:
        own = Own(twist=twist)
        try:
            return (await judge(guest_case(*STEPS[outcome]), own, patience=1.0)).verdict
        finally:
            await own.end()

    return asyncio.run(judged())


def without(status: Fields) -> None:
    status.pop("closedBecause", None)
    status.pop("state", None)


def mute(status: Fields) -> None:
    if "closedBecause" in status:
        status["closedBecause"] = None


@pytest.mark.parametrize("outcome", STEPS)
def test_a_status_that_names_no_cause_is_not_testable(outcome: str) -> None:
    verdict = verdict_on(outcome, without)

    assert verdict.outcome is Outcome.NOT_TESTABLE
    assert verdict.got == "the status names no cause: it has no field closedBecause"


@pytest.mark.parametrize("outcome", STEPS)
def test_a_status_that_names_another_cause_or_leaves_it_empty_fails(outcome: str) -> None:
    verdict = verdict_on(outcome, mute)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.got.endswith("cause None")


@pytest.mark.parametrize("outcome", STEPS)
def test_a_status_that_names_the_cause_passes(outcome: str) -> None:
    assert verdict_on(outcome, lambda _: None).outcome is Outcome.PASS
