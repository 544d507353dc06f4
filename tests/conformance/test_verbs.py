import pytest
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Outcome
from tunnel_conformance.spec import spec
from tunnel_conformance.verbs import VERBS

from tests.conformance.own import Own, a_case, with_own
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Case, Role, Step

PATIENCE = 0.4

PASSED: dict[str, Case] = {
    "a link filled up": a_case(
        Role.GUEST, Step(do="serve"), Step(do="accept", args={"chars": "{LINK_CHARS} + 1"}, expect="undialled")
    ),
    "a link with blanks around it": a_case(
        Role.GUEST, Step(do="serve"), Step(do="accept", args={"blanks": 9}, expect="dialled")
    ),
    "a link by its port": a_case(
        Role.GUEST,
        Step(do="serve"),
        Step(do="accept", args={"link": "ws://localhost:{port}{path}#{key}"}, expect="dialled"),
    ),
    "binary all the way as guest": a_case(
        Role.HOST, Step(do="open"), Step(do="join", args={"binary": True}, expect="admitted")
    ),
    "binary all the way as host": a_case(
        Role.GUEST,
        *(Step(do="serve"), Step(do="accept"), Step(do="challenge", args={"binary": True}, expect="authenticated")),
        Step(do="admit", args={"binary": True}, expect="joined"),
    ),
    "pings": a_case(Role.HOST, Step(do="open"), Step(do="join"), Step(do="ping", args={"times": 20}, expect="ponged")),
}


@pytest.mark.parametrize("name", PASSED)
@asynchronous
async def test_what_the_kit_does_reaches_the_implementation(name: str) -> None:
    async def test(own: Own) -> None:
        verdict = (await judge(PASSED[name], own, patience=PATIENCE)).verdict

        assert (verdict.got, verdict.outcome) == ("", Outcome.PASS)

    await with_own(test, Own())


@pytest.mark.parametrize("id", ["keep-answers-pings", "keep-answers-pings-guest"])
@asynchronous
async def test_our_ends_answer_pings(id: str) -> None:
    """KEEP-4."""
    case = next(case for case in spec().cases.cases if case.id == id)

    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert (verdict.got, verdict.outcome) == ("", Outcome.PASS)

    await with_own(test, Own())


@asynchronous
async def test_a_response_in_the_standard_alphabet_is_never_the_right_one() -> None:
    """AUTH-4: one response in four is spelled alike in both; then another challenge is asked for."""
    case = a_case(
        Role.HOST,
        Step(do="open"),
        *(Step(do="join", by=f"X{n}", args={"proof": "standard"}, expect="refused") for n in range(25)),
    )

    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert (verdict.got, verdict.outcome) == ("", Outcome.PASS)

    await with_own(test, Own())


def test_the_kit_has_the_verbs_of_the_table_and_no_other() -> None:
    assert set(VERBS) == {verb.name for verb in spec().cases.verbs}
