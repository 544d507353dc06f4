"""Two implementations that understand each other pass; where they do not, the verdict says at what, and nothing is left."""

import pytest
from tunnel_conformance.pairs import CASE, talk
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.subjects.base import Absent, Answer, Call

from tests.conformance.own import Own, OwnLauncher, Twist
from tests.io.asynchronous import asynchronous


async def between(host: OwnLauncher, guest: OwnLauncher) -> Verdict:
    verdict = await talk(host, guest, patience=0.5, now=lambda: 0.0)
    assert all(subject.is_ended for subject in (*host.started, *guest.started))
    return verdict


def deaf(what: Call, answer: Answer) -> Answer:
    return Answer(result={"messages": "none"}) if what == "listen" else answer


def unaware(what: Call, answer: Answer) -> Answer:
    return Answer(result={"state": "connected"}) if what == "status" else answer


def refusing(what: Call, answer: Answer) -> Answer:
    return Answer(error="I do not want to") if what == "join" else answer


@asynchronous
async def test_two_of_ours_understand_each_other() -> None:
    verdict = await between(OwnLauncher(), OwnLauncher())

    assert (verdict.case, verdict.role, verdict.partner, verdict.outcome) == (CASE, "host", "own", Outcome.PASS)
    assert (verdict.expected, verdict.got) == ("", "")
    assert [entry.text.split()[:2] for entry in verdict.log if entry.what == "did"][:3] == [
        ["host", "open"],
        ["guest", "join"],
        ["guest", "say"],
    ]


@asynchronous
async def test_no_join_link_stands_in_the_log() -> None:
    verdict = await between(OwnLauncher(), OwnLauncher())

    assert "[join link]" in str(verdict.log)
    assert "#" not in str(verdict.log)


@pytest.mark.parametrize(
    ("twist", "got"),
    [
        (deaf, "the guest never hears 'hello from the host'"),
        (unaware, "the guest is never told that the tunnel is over"),
        (refusing, "the guest's join failed: I do not want to"),
    ],
)
@asynchronous
async def test_a_guest_that_does_not_understand_the_host_fails(twist: Twist, got: str) -> None:
    verdict = await between(OwnLauncher(), OwnLauncher(lambda: Own(twist=twist)))

    assert (verdict.outcome, verdict.got) == (Outcome.FAIL, got)
    assert verdict.expected


@asynchronous
async def test_one_that_dies_is_an_error_with_its_last_words() -> None:
    verdict = await between(OwnLauncher(lambda: Own(dies_at="say")), OwnLauncher())

    assert (verdict.outcome, verdict.got, verdict.note) == (Outcome.ERROR, "It died at say.", "its last words")


@asynchronous
async def test_one_that_does_not_start_says_nothing_about_a_rule() -> None:
    verdict = await between(OwnLauncher(), OwnLauncher(trouble=[Absent("There is no such program.")]))

    assert (verdict.outcome, verdict.got) == (Outcome.HARNESS, "There is no such program.")
