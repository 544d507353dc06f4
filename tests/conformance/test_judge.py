import asyncio
from typing import Any

import pytest
from msgspec import structs
from tunnel_conformance.judge import blank, judge, passing
from tunnel_conformance.records import Outcome
from tunnel_conformance.subjects.base import Answer, Call, Died
from tunnel_conformance.wire.log import Log

from tests.conformance.own import Own, a_case, guest_case, host_case, with_own
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Case, Role, Step

PATIENCE = 0.4
OPEN = Step(do="open")


@asynchronous
async def test_a_case_that_holds_is_passed_and_the_process_can_play_another() -> None:
    async def test(own: Own) -> None:
        for case in (host_case(), guest_case(), host_case()):
            judged = await judge(case, own, patience=PATIENCE, partner="another")

            assert judged.verdict.outcome is Outcome.PASS
            assert (judged.verdict.step, judged.verdict.expected, judged.verdict.got) == (None, "", "")
            assert judged.verdict.partner == "another"
            assert judged.verdict.log
            assert judged.is_reusable

    await with_own(test, Own())


@asynchronous
async def test_what_a_case_tolerates_is_not_strict_and_the_case_goes_on() -> None:
    tolerant = Step(do="look", expect="hung_up", tolerate=("gone", "nothing"))

    async def test(own: Own) -> None:
        judged = await judge(host_case(tolerant, Step(do="chat", expect="echoed")), own, patience=PATIENCE)

        assert judged.verdict.outcome is Outcome.NON_STRICT
        assert judged.verdict.step == 3
        assert judged.verdict.expected == "hung_up, or gone, or nothing"
        assert judged.verdict.got == "the connection is still open"
        assert judged.is_reusable

    await with_own(test, Own())


@asynchronous
async def test_a_breach_behind_what_is_tolerated_is_a_failure() -> None:
    steps = (Step(do="look", expect="hung_up", tolerate=("nothing",)), Step(do="look", expect="gone"))

    async def test(own: Own) -> None:
        verdict = (await judge(host_case(*steps), own, patience=PATIENCE)).verdict

        assert (verdict.outcome, verdict.step) == (Outcome.FAIL, 4)

    await with_own(test, Own())


@pytest.mark.parametrize("call", ["open", "say", "status", "close"])
@asynchronous
async def test_a_process_that_dies_in_a_case_is_an_error_with_its_last_words(call: Call) -> None:
    async def test(own: Own) -> None:
        case = host_case(Step(do="say", args={"text": "a"}, expect="said"))
        judged = await judge(case, own, patience=PATIENCE)

        assert judged.verdict.outcome is Outcome.ERROR
        assert judged.verdict.got == f"It died at {call}." or judged.verdict.got.startswith("It died")
        assert judged.verdict.note == "its last words"
        assert not judged.is_reusable

    await with_own(test, Own(dies_at=call))


@asynchronous
async def test_a_breach_seen_on_a_process_that_is_dead_is_its_death() -> None:
    async def test(own: Own) -> None:
        verdict = (await judge(host_case(Step(do="look", expect="gone")), own, patience=PATIENCE)).verdict

        assert verdict.outcome is Outcome.ERROR
        assert verdict.step == 3
        assert verdict.expected == "gone"

    await with_own(test, Own(dies_at="status"))


@asynchronous
async def test_a_breach_stays_one_when_the_process_does_not_survive_the_close() -> None:
    async def test(own: Own) -> None:
        judged = await judge(host_case(Step(do="look", expect="gone")), own, patience=PATIENCE)

        assert judged.verdict.outcome is Outcome.FAIL
        assert not judged.is_reusable

    await with_own(test, Own(dies_at="close"))


@pytest.mark.parametrize(
    ("case", "got"),
    [
        (a_case(Role.HOST, Step(do="join", expect="admitted")), "before the tunnel is open"),
        (a_case(Role.HOST, OPEN, Step(do="chat", expect="echoed")), "A has not connected"),
        (a_case(Role.HOST, OPEN, Step(do="look", expect="status")), "A has not connected"),
        (a_case(Role.HOST, Step(do="open", args={"goal": "g", "bytes": 9000})), "the tunnel did not open"),
        (a_case(Role.GUEST, Step(do="accept")), "before the kit serves"),
        (a_case(Role.GUEST, Step(do="look", expect="dialled")), "no connection"),
        (a_case(Role.GUEST, Step(do="look", expect="authenticated")), "has not connected"),
        (a_case(Role.GUEST, Step(do="serve"), Step(do="accept", args={"link": "x"})), "has not connected"),
        (guest_case(Step(do="echo")), "nothing to echo"),
        (a_case(Role.HOST, Step(do="no-such-verb")), "the kit failed: KeyError"),
        (a_case(Role.HOST, OPEN, Step(do="look", expect="no-such-outcome")), "the kit failed: KeyError"),
        (a_case(Role.HOST, OPEN, Step(do="connect"), Step(do="auth", args={"proof": "none"})), "the kit failed: KeyError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@asynchronous
async def test_a_case_that_does_not_get_to_its_point_says_nothing_about_a_rule(case: Case, got: str) -> None:
    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert got in verdict.got
        assert verdict.outcome in (Outcome.HARNESS, Outcome.FAIL)
        assert verdict.outcome is Outcome.HARNESS or case.steps[0].expect == "dialled"

    await with_own(test, Own())


def without_a_link(what: Call, answer: Answer) -> Answer:
    return Answer(result={"joinLink": "https://example.org/"}) if what == "open" else answer


@asynchronous
async def test_a_host_that_hands_out_no_link_cannot_be_judged() -> None:
    async def test(own: Own) -> None:
        verdict = (await judge(host_case(), own, patience=PATIENCE)).verdict

        assert verdict.outcome is Outcome.HARNESS
        assert "no joinLink that can be used" in verdict.got

    await with_own(test, Own(twist=without_a_link))


@asynchronous
async def test_a_case_that_takes_too_long_hangs() -> None:
    async def test(own: Own) -> None:
        judged = await judge(host_case(Step(do="look", expect="gone")), own, patience=30, seconds=0.3)

        assert judged.verdict.outcome is Outcome.ERROR
        assert judged.verdict.got == "it hung"
        assert not judged.is_reusable

    await with_own(test, Own())


@asynchronous
async def test_a_process_that_was_stopped_plays_no_other_case() -> None:
    async def test(own: Own) -> None:
        judged = await judge(host_case(Step(do="stop", expect="message")), own, patience=PATIENCE)

        assert judged.verdict.outcome is Outcome.PASS
        assert not judged.is_reusable
        assert own.calls.count("close") == 0

    await with_own(test, Own())


@asynchronous
async def test_a_connection_lost_while_time_passes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = structs.replace(
        host_case(Step(do="await"), Step(do="wait", args={"seconds": 10}, expect="nothing")), needs=("time",)
    )
    closing: list[asyncio.Task[Answer]] = []

    async def test(own: Own) -> None:
        own.speed = 10
        passed = Log.passed

        def close_behind(log: Log, seconds: float, speed: float) -> None:
            passed(log, seconds, speed)
            # It gets its turn when the kit sleeps, and so has seen who is there.
            closing.append(asyncio.create_task(own.call("close", {}, 10)))

        monkeypatch.setattr(Log, "passed", close_behind)
        judged = await judge(case, own, patience=PATIENCE)
        await asyncio.gather(*closing)

        assert judged.lost_in_time
        assert not judged.is_reusable
        assert judged.verdict.outcome is Outcome.FAIL
        assert judged.verdict.speed == 10
        assert any(entry.text == "10 s pass, at 10 times the speed" for entry in judged.verdict.log)

    await with_own(test, Own())


@asynchronous
async def test_no_verdict_holds_a_link_a_key_or_a_proof() -> None:
    """LINK-9."""
    links: list[str] = []

    def remember(what: Call, answer: Answer) -> Answer:
        links.extend(str(value) for name, value in (answer.result or {}).items() if name == "joinLink")
        return answer

    steps = (
        Step(do="raw", args={"text": '{"t":"x","secrets":"{key} {proof} {url}#{key}"}'}),
        Step(do="look", expect="heard", expects={"text": "{key}"}),
    )

    async def test(own: Own) -> None:
        verdict = (await judge(host_case(*steps), own, patience=PATIENCE)).verdict
        (link,) = links
        text = repr(verdict)

        assert verdict.outcome is Outcome.FAIL
        assert "[key]" in text
        assert link.partition("#")[2] not in text
        assert link.partition("#")[0] not in text

    await with_own(test, Own(twist=remember))


@asynchronous
async def test_a_case_that_needs_what_an_agent_is_not_offered_does_not_apply() -> None:
    """A summary is the agent's to give: where it cannot, CLOSE-1 and CLOSE-6 ask for nothing."""
    closing = Step(do="close", args={"summary": "done"}, expect="message")

    async def test(own: Own) -> None:
        applied = await judge(host_case(closing), own, patience=PATIENCE)
        own.lacking = {("close", "summary")}
        judged = await judge(host_case(closing), own, patience=PATIENCE)
        other = await judge(host_case(Step(do="close", expect="gone")), own, patience=PATIENCE)

        assert applied.verdict.outcome is Outcome.PASS
        assert judged.verdict.outcome is Outcome.NOT_APPLICABLE
        assert judged.verdict.note == "Its tunnel_close takes no summary, as its schema says."
        assert judged.is_reusable
        assert other.verdict.outcome is Outcome.PASS

    await with_own(test, Own())


class Dying(Own):
    """Dies when it is asked what its tools take."""

    async def lacks(self, what: Call, argument: str) -> bool:
        raise Died(f"It died at {what} {argument}.", self.tail)


@asynchronous
async def test_one_that_dies_when_it_is_asked_what_it_takes_is_dead() -> None:
    async def test(own: Own) -> None:
        judged = await judge(host_case(Step(do="close", args={"summary": "x"})), own, patience=PATIENCE)

        assert (judged.verdict.outcome, judged.verdict.got) == (Outcome.ERROR, "It died at close summary.")
        assert judged.verdict.note == "its last words"
        assert not judged.is_reusable

    await with_own(test, Dying())


def test_a_verdict_knows_its_case() -> None:
    case = structs.replace(host_case(Step(do="wait", args={"seconds": 30}), Step(do="wait", args={"seconds": 12})))
    verdict = blank(case, partner="p", speed=3)
    seen: dict[str, Any] = structs.asdict(verdict)

    assert passing(case) == 42
    assert (seen["case"], seen["role"], seen["binding"], seen["partner"], seen["speed"]) == (
        "made-up",
        "host",
        True,
        "p",
        3,
    )
    assert blank(guest_case()).role == "guest"
