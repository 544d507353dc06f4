"""What was seen of broken implementations, compared with what is listed beside them."""

import pytest
from tunnel_conformance.broken import kills
from tunnel_conformance.records import Outcome

from tests.conformance.broken.made import a_broken, a_case, a_verdict
from tunnel.spec.model import Role

WRONG = a_broken("wrong", "caught")


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR], ids=lambda outcome: outcome.value)
def test_a_listed_case_that_fails_is_a_kill(outcome: Outcome) -> None:
    seen = kills.compare({"host-wrong": [a_verdict("caught", outcome)]}, [WRONG])

    assert (seen.caught, seen.complaints) == (1, [])


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.NON_STRICT], ids=lambda outcome: outcome.value)
def test_a_listed_case_that_passes_is_too_weak(outcome: Outcome) -> None:
    seen = kills.compare({"host-wrong": [a_verdict("caught", outcome)]}, [WRONG])

    assert (seen.caught, seen.missed) == (0, ("caught on host-wrong",))
    assert seen.complaints == ["passes, although it is listed: caught on host-wrong"]


def test_another_case_that_fails_is_named_with_what_it_saw() -> None:
    seen = kills.compare({"host-wrong": [a_verdict("other", Outcome.FAIL, "nothing")]}, [WRONG])

    assert seen.complaints == ["fails, although it is not listed: other on host-wrong: step 2, nothing"]


def test_another_case_that_passes_is_as_it_should_be() -> None:
    seen = kills.compare({"host-wrong": [a_verdict("other", Outcome.PASS)]}, [WRONG])

    assert (seen.caught, seen.complaints) == (0, [])


@pytest.mark.parametrize("case", ["caught", "other"])
@pytest.mark.parametrize("outcome", kills.UNJUDGED, ids=lambda outcome: outcome.value)
def test_what_was_not_judged_is_no_kill(case: str, outcome: Outcome) -> None:
    seen = kills.compare({"host-wrong": [a_verdict(case, outcome)]}, [WRONG])

    assert (seen.caught, seen.complaints) == (0, [f"was not judged: {case} on host-wrong"])


def test_what_was_not_played_is_nobodys_fault() -> None:
    assert kills.compare({}, [WRONG]).complaints == []


def test_a_case_that_fails_on_nobody_is_named() -> None:
    cases = [a_case("caught"), a_case("never")]

    assert kills.unkilled(cases, [WRONG]) == ["never"]
    assert kills.unkilled(cases, [WRONG, a_broken("other", "never")]) == []


def test_what_is_listed_must_be_a_case_of_that_role() -> None:
    cases = [a_case("caught"), a_case("of a guest", Role.GUEST)]
    brokens = [WRONG, a_broken("mistaken", "of a guest"), a_broken("stale", "gone", role=Role.GUEST)]

    assert kills.unknown(cases, brokens) == ["of a guest on host-mistaken", "gone on guest-stale"]


def test_the_table_has_a_line_for_each_case() -> None:
    cases = [a_case("caught"), a_case("never")]

    assert (
        kills.table(cases, [WRONG, a_broken("twice", "caught")]) == "caught    2  host-wrong, host-twice\nnever     0"
    )
    assert kills.table([], []) == ""


def test_a_sample_has_a_case_for_everybody_and_somebody_for_every_case() -> None:
    cases = [a_case("common"), a_case("rare"), a_case("slow", needs=("time",)), a_case("also common")]
    brokens = [
        a_broken("first", "common", "rare", "slow"),
        a_broken("second", "common", "also common"),
        a_broken("third", "common", "also common", "slow"),
        a_broken("old", "slow"),
        a_broken("unknown"),
    ]

    assert kills.sample(cases, brokens) == {
        "host-first": {"rare"},
        "host-second": {"also common", "common"},
        "host-third": {"also common"},
        "host-old": {"slow"},
    }


def test_a_sample_leaves_costly_cases_to_those_who_fail_no_other() -> None:
    cases = [a_case("cheap"), a_case("costly")]
    brokens = [a_broken("first", "cheap", "costly"), a_broken("second", "cheap"), a_broken("third", "costly")]

    assert kills.sample(cases, brokens, ["costly"]) == {
        "host-first": {"cheap"},
        "host-second": {"cheap"},
        "host-third": {"costly"},
    }


def test_a_broken_implementation_that_only_time_catches_says_so() -> None:
    assert a_broken("old", "link-expires").needs_time
    assert not a_broken("old", "link-expires", "wire-normal").needs_time
