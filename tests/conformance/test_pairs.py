"""Two implementations that understand each other pass; where they do not, the verdict says at what, and nothing is left."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from tunnel_conformance.pairs import CONVERSATIONS, talk
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.subjects.base import Absent, Answer, Call

from tests.conformance.own import Own, OwnLauncher, Twist
from tests.io.asynchronous import asynchronous

IDS = [conversation.id for conversation in CONVERSATIONS]
Message = dict[str, Any]


async def between(host: OwnLauncher, guest: OwnLauncher, only: Sequence[str] = IDS) -> list[Verdict]:
    conversations = [conversation for conversation in CONVERSATIONS if conversation.id in only]
    verdicts = await talk(host, guest, conversations, patience=0.5, now=lambda: 0.0)
    assert all(subject.is_ended for subject in (*host.started, *guest.started))
    assert [verdict.case for verdict in verdicts] == [conversation.id for conversation in conversations]
    return verdicts


def outcomes(verdicts: list[Verdict]) -> list[Outcome]:
    return [verdict.outcome for verdict in verdicts]


def listening(change: Callable[[list[Message]], object]) -> Twist:
    """Shows what it hears, changed."""

    def twist(what: Call, answer: Answer) -> Answer:
        if what != "listen" or answer.result is None:
            return answer
        return Answer(result={**answer.result, "messages": change(cast(list[Message], answer.result["messages"]))})

    return twist


def without(*texts: str) -> Twist:
    return listening(lambda messages: [each for each in messages if not any(text in each["text"] for text in texts)])


def saying(change: Callable[[Message], Message]) -> Twist:
    return listening(lambda messages: [{**each, **change(each)} for each in messages])


deaf = listening(lambda _: "none")
mute_at_the_end = without("that was all", "I have to go")
loses_some = without("guest 3")
counts_anew = saying(lambda message: {"seq": message["seq"] + 1})
swaps_names = saying(lambda message: {"from": {"host": "guest"}.get(message["from"], "host")})
composes = saying(lambda message: {"text": message["text"].replace("e\u0301", "\u00e9")})


def unaware(what: Call, answer: Answer) -> Answer:
    return Answer(result={"state": "connected", "peerConnected": True}) if what == "status" else answer


def lonely(what: Call, answer: Answer) -> Answer:
    return Answer(result={"state": "connected", "peerConnected": False}) if what == "status" else answer


def refusing(what: Call, answer: Answer) -> Answer:
    return Answer(error="I do not want to") if what == "join" else answer


def always_content(what: Call, answer: Answer) -> Answer:
    return Answer(result={"seq": 1}) if what == "say" and answer.error else answer


@asynchronous
async def test_two_of_ours_understand_each_other() -> None:
    host, guest = OwnLauncher(), OwnLauncher()
    verdicts = await between(host, guest)

    assert outcomes(verdicts) == [Outcome.PASS] * len(IDS)
    assert {(v.role, v.partner, v.expected, v.got) for v in verdicts} == {("host", "own", "", "")}
    assert [entry.text.split()[:2] for entry in verdicts[0].log if entry.what == "did"][:3] == [
        ["host", "open"],
        ["guest", "join"],
        ["guest", "say"],
    ]
    assert (len(host.started), len(guest.started)) == (1, 1), "two processes are enough for all of it"


@asynchronous
async def test_no_join_link_stands_in_the_log() -> None:
    for verdict in await between(OwnLauncher(), OwnLauncher()):
        assert "[join link]" in str(verdict.log)
        assert "#" not in str(verdict.log)


@pytest.mark.parametrize(
    ("twist", "conversation", "got"),
    [
        pytest.param(deaf, "pair-talk", "the guest never hears 'hello from the host'", id="a deaf one"),
        pytest.param(refusing, "pair-talk", "the guest's join failed: I do not want to", id="one that refuses"),
        pytest.param(loses_some, "pair-talk", "the guest never hears 'guest 3'", id="one that loses a message"),
        pytest.param(composes, "pair-talk", "the guest never hears 'é and e\u0301 are", id="one that mends texts"),
        pytest.param(
            counts_anew, "pair-talk", "the transcripts differ: the host has 'hello from", id="one that counts"
        ),
        pytest.param(mute_at_the_end, "pair-close", "the guest never hears 'that was all'", id="no last word"),
        pytest.param(unaware, "pair-close", "the guest is never told that the tunnel is over", id="no end"),
        pytest.param(always_content, "pair-close", "the guest's say after the end does not fail", id="a content one"),
    ],
)
@asynchronous
async def test_a_guest_that_does_not_understand_the_host_fails(twist: Twist, conversation: str, got: str) -> None:
    (verdict,) = await between(OwnLauncher(), OwnLauncher(lambda: Own(twist=twist)), [conversation])

    assert (verdict.outcome, verdict.got[: len(got)]) == (Outcome.FAIL, got)
    assert verdict.expected


@pytest.mark.parametrize(
    ("twist", "conversation", "got"),
    [
        pytest.param(mute_at_the_end, "pair-leave", "the host never hears 'I have to go'", id="no last word"),
        pytest.param(unaware, "pair-leave", "the host is never told that the tunnel is over", id="no end"),
        pytest.param(lonely, "pair-leave", "the host does not say that its guest is there", id="no guest"),
    ],
)
@asynchronous
async def test_a_host_that_does_not_understand_the_guest_fails(twist: Twist, conversation: str, got: str) -> None:
    """CLOSE-6."""
    (verdict,) = await between(OwnLauncher(lambda: Own(twist=twist)), OwnLauncher(), [conversation])

    assert (verdict.outcome, verdict.got[: len(got)]) == (Outcome.FAIL, got)


@asynchronous
async def test_two_that_agree_on_a_wrong_speaker_fail() -> None:
    """Comparing the two with each other would not be enough (SEQ-2)."""
    host, guest = (OwnLauncher(lambda: Own(twist=swaps_names)) for _ in range(2))
    (verdict,) = await between(host, guest, ["pair-talk"])

    assert verdict.outcome is Outcome.FAIL
    assert verdict.got.startswith("both hold somebody else for who said 'hello from the guest' from 'host'")


@asynchronous
async def test_one_that_dies_is_an_error_with_its_last_words_and_the_next_conversation_has_a_new_one() -> None:
    host = OwnLauncher(lambda: Own(dies_at=None if host.started else "say"))
    verdicts = await between(host, OwnLauncher())

    assert (verdicts[0].outcome, verdicts[0].got, verdicts[0].note) == (
        Outcome.ERROR,
        "It died at say.",
        "its last words",
    )
    assert outcomes(verdicts[1:]) == [Outcome.PASS] * (len(IDS) - 1)
    assert len(host.started) == 2


@asynchronous
async def test_one_that_does_not_start_says_nothing_about_a_rule() -> None:
    verdicts = await between(OwnLauncher(), OwnLauncher(trouble=[Absent("There is no such program.")]))

    assert (verdicts[0].outcome, verdicts[0].got) == (Outcome.HARNESS, "There is no such program.")


@asynchronous
async def test_who_has_one_role_only_talks_with_nobody_in_the_other() -> None:
    class Host(Own):
        async def tools(self, seconds: float) -> frozenset[str] | None:
            return frozenset({"tunnel_open"})

    apart = await between(OwnLauncher(), OwnLauncher(Host))

    assert outcomes(apart) == [Outcome.NOT_APPLICABLE] * len(IDS)
    assert {verdict.note for verdict in apart} == {"It is no guest: among its tools there is no tunnel_join."}
    assert outcomes(await between(OwnLauncher(Host), OwnLauncher())) == [Outcome.PASS] * len(IDS)
