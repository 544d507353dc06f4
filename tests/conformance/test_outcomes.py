"""Every outcome can fail, and says what was seen instead: cases that expect what a good implementation does not do."""

import asyncio
import time

import pytest
from tunnel_conformance.judge import judge
from tunnel_conformance.outcomes import OUTCOMES
from tunnel_conformance.records import Outcome
from tunnel_conformance.spec import spec
from tunnel_conformance.subjects.base import Answer, Call
from tunnel_conformance.wire.fields import objects

from tests.conformance.own import Own, a_case, guest_case, host_case, with_own
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Case, Role, Step

PATIENCE = 0.4
LATE_SECONDS = 0.3

OPEN = Step(do="open")
CONNECT = Step(do="connect", expect="challenged")
HELLO = Step(do="chat", args={"text": "hello"}, expect="echoed")
SERVE = (Step(do="serve"), Step(do="accept"))

WRONG: dict[str, tuple[Case, str]] = {
    "no second challenge": (a_case(Role.HOST, OPEN, CONNECT, Step(do="look", expect="challenged")), "nothing within"),
    "a refusal is no challenge": (
        a_case(Role.HOST, OPEN, Step(do="join", args={"proof": "wrong"}), Step(do="look", expect="challenged")),
        "auth_fail with the reason 'bad key'",
    ),
    "not admitted": (a_case(Role.HOST, OPEN, Step(do="join", args={"proof": "wrong"}, expect="admitted")), "auth_fail"),
    "another number": (a_case(Role.HOST, OPEN, Step(do="join", expect="admitted", expects={"seq": 7})), "the number 2"),
    "another text": (
        a_case(Role.HOST, OPEN, Step(do="join", expect="admitted", expects={"told": "x"})),
        "the system message 'A joined'",
    ),
    "another first message": (
        a_case(Role.HOST, OPEN, Step(do="join", expect="admitted", expects={"opened": "x"})),
        "the first message 'tunnel opened",
    ),
    "another goal": (
        a_case(Role.HOST, OPEN, Step(do="join", expect="admitted", expects={"goal": "x"})),
        "the goal 'conformance'",
    ),
    "a large auth_ok": (a_case(Role.HOST, OPEN, Step(do="join", expect="admitted", expects={"most": 9})), "bytes"),
    "not refused": (a_case(Role.HOST, OPEN, Step(do="join", expect="refused")), "auth_ok"),
    "another reason": (
        a_case(Role.HOST, OPEN, Step(do="join", args={"proof": "wrong"}, expect="refused", expects={"reason": "x"})),
        "auth_fail with the reason 'bad key'",
    ),
    "no race": (
        a_case(
            Role.HOST,
            OPEN,
            Step(do="join", by="A, B", args={"proof": "wrong"}, expect="one_admitted", expects={"reason": "tunnel full"}),
        ),
        "2 times auth_fail with the reason 'bad key'",
    ),
    "another status": (
        a_case(Role.HOST, OPEN, Step(do="http", args={"path": "/"}, expect="status", expects={"code": 426})),
        "status 404",
    ),
    "no status": (a_case(Role.HOST, OPEN, Step(do="dial", expect="status", expects={"code": 404})), "no answer"),
    "no message": (host_case(Step(do="look", expect="message")), "nothing within"),
    "no message, and why": (
        host_case(Step(do="say", args={"text": "a", "bytes": 300000}, expect="message")),
        "its say was answered with the error 'text_too_long",
    ),
    "another message": (
        host_case(Step(do="say", args={"text": "a"}, expect="message", expects={"text": "b", "from": "guest"})),
        "a message with from 'host', text 'a'",
    ),
    "not the last": (
        host_case(Step(do="say", args={"text": "a"}, expect="message", expects={"last": True})),
        "the connection stays open",
    ),
    "more behind the last": (
        host_case(Step(do="say", args={"text": "a", "times": 2}, expect="message", expects={"last": True})),
        "the message, and then the message",
    ),
    "no echo": (host_case(Step(do="chat", args={"kind": "system", "text": "a"}, expect="echoed")), "nothing within"),
    "not its echo": (
        host_case(Step(do="chat", args={"text": "a", "times": 2}, expect="echoed")),
        "a message whose id is",
    ),
    "too few": (host_case(Step(do="look", expect="numbered", expects={"upto": 9})), "2 messages, and then nothing"),
    "too many": (host_case(HELLO, Step(do="look", expect="numbered", expects={"upto": 2})), "3 messages"),
    "still open": (host_case(Step(do="look", expect="hung_up")), "the connection is still open"),
    "another code": (
        host_case(Step(do="close", expect="hung_up", expects={"code": 1008})),
        'a close frame with 1000 "closed by host"',
    ),
    "another reason to close": (
        host_case(Step(do="close", expect="hung_up", expects={"reason": "x"})),
        'a close frame with 1000 "closed by host"',
    ),
    "no close frame": (host_case(Step(do="vanish"), Step(do="look", expect="hung_up")), "no close frame"),
    "not gone": (host_case(Step(do="look", expect="gone")), "the connection is still open"),
    "a plain one not gone": (a_case(Role.HOST, OPEN, Step(do="dial", expect="gone")), "the connection is still open"),
    "something": (host_case(Step(do="chat", args={"text": "a"}, expect="nothing")), "the message"),
    "over": (host_case(Step(do="close", expect="nothing")), "it was closed with 1000"),
    "a status is something": (a_case(Role.HOST, OPEN, Step(do="http", expect="status", expects={"code": 404}), Step(do="look", expect="nothing")), "status 404"),
    "no pong": (host_case(Step(do="look", expect="ponged")), "no pong"),
    "gone before a pong": (host_case(Step(do="close"), Step(do="ping", expect="ponged")), "it was closed with 1000"),
    "never pinged": (host_case(Step(do="look", expect="pinged")), "0 pings"),
    "gone and never pinged": (host_case(Step(do="close", expect="pinged")), "0 pings, and then it was closed"),
    "too few chats": (host_case(Step(do="look", expect="sealed", expects={"times": 1})), "0 chats"),
    "failed to open": (
        a_case(Role.HOST, Step(do="open", args={"goal": "g", "bytes": 9000}, expect="linked")),
        "a link that is none",
    ),
    "nobody says": (host_case(Step(do="look", expect="said")), "no answer"),
    "said too much": (host_case(Step(do="say", args={"text": "a", "bytes": 300000}, expect="said")), "the error"),
    "did not fail": (host_case(Step(do="say", args={"text": "a"}, expect="failed")), "say: it succeeded"),
    "failed for another reason": (
        host_case(Step(do="say", args={"text": "a", "bytes": 300000}, expect="failed", expects={"because": "tired"})),
        "the error 'text_too_long",
    ),
    "said after all": (host_case(Step(do="say", args={"text": "a"}, expect="unsaid")), "it succeeded"),
    "an error is no silence": (
        guest_case(Step(do="say", args={"text": "a", "bytes": 300000}, expect="unsaid")),
        "the error 'text_too_long",
    ),
    "never heard": (
        host_case(Step(do="look", expect="heard", expects={"text": "a"})),
        "0 times; it hears tunnel opened",
    ),
    "heard too often": (
        host_case(HELLO, HELLO, Step(do="look", expect="heard", expects={"text": "hello"})),
        "2 times",
    ),
    "heard after all": (host_case(HELLO, Step(do="look", expect="unheard", expects={"text": "hello"})), "it hears 'hello'"),
    "not ended": (host_case(Step(do="look", expect="ended")), "the state 'connected'"),
    "ended for another reason": (
        host_case(Step(do="close", expect="ended", expects={"because": "idle"})),
        "the cause 'closed_by_host'",
    ),
    "not parted": (host_case(Step(do="look", expect="parted")), "peerConnected True"),
    "nobody listens": (host_case(Step(do="look", expect="woken")), "nobody listens"),
    "not woken": (host_case(Step(do="await", expect="woken")), "no answer"),
    "woken with nothing to hear": (
        host_case(Step(do="await"), Step(do="close", expect="woken")),
        "an answer without a message",
    ),
    "woken for another reason": (
        host_case(Step(do="await"), Step(do="close", expect="woken", expects={"because": "idle"})),
        "an answer with the cause 'closed_by_host'",
    ),
    "not dialled": (
        a_case(Role.GUEST, Step(do="serve"), Step(do="accept", args={"link": "x"}, expect="dialled")),
        "no connection; the error",
    ),
    "dialled after all": (a_case(Role.GUEST, Step(do="serve"), Step(do="accept", expect="undialled")), "a connection"),
    "not authenticated": (
        a_case(Role.GUEST, *SERVE, Step(do="look", expect="authenticated")),
        "0 times auth",
    ),
    "once is not twice": (
        a_case(Role.GUEST, *SERVE, Step(do="challenge", expect="authenticated", expects={"times": 2})),
        "1 times auth",
    ),
    "not joined": (a_case(Role.GUEST, *SERVE, Step(do="look", expect="joined")), "no answer"),
    "not joined but refused": (
        a_case(Role.GUEST, *SERVE, Step(do="deny", args={"reason": "bad key"}, expect="joined")),
        "the error 'auth failed: bad key",
    ),
    "joined something else": (
        a_case(Role.GUEST, *SERVE, Step(do="challenge"), Step(do="admit", expect="joined", expects={"goal": "x"})),
        "a join with the goal 'conformance'",
    ),
    "says nothing": (guest_case(Step(do="look", expect="chatted", expects={"text": "a"})), "no send; the connection is open"),
    "says something else": (
        guest_case(Step(do="say", args={"text": "a"}, expect="chatted", expects={"text": "b"})),
        "a send that says 'a'",
    ),
    "answers a challenge": (a_case(Role.GUEST, *SERVE, Step(do="challenge", expect="nothing")), '{"t":"auth"'),
    "a guest's chats": (guest_case(Step(do="look", expect="sealed", expects={"times": 1})), "0 chats"),
    "a join does not fail": (
        a_case(Role.GUEST, *SERVE, Step(do="challenge"), Step(do="admit", expect="failed")),
        "join: it succeeded",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@asynchronous
async def test_what_is_seen_instead_is_told(name: str) -> None:
    case, got = WRONG[name]

    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert got in verdict.got
        assert verdict.outcome is Outcome.FAIL
        assert verdict.step is not None
        assert case.steps[verdict.step - 1].expect in verdict.expected

    await with_own(test, Own())


class Hasty(Own):
    """Answers a listen at once."""

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        return await super().call(what, arguments | ({"timeoutMs": 0} if what == "listen" else {}), seconds)


class Late(Own):
    """Tells its agent of a message a while after it came."""

    def __init__(self) -> None:
        super().__init__()
        self._came: dict[object, float] = {}

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        if what != "listen":
            return await super().call(what, arguments, seconds)
        until = time.monotonic() + float(str(arguments["timeoutMs"])) / 1000
        while True:
            answer = await super().call(what, arguments, seconds)
            messages = objects((answer.result or {}).get("messages"))
            now = time.monotonic()
            ages = [now - self._came.setdefault(message["seq"], now) for message in messages]
            told = messages[: next((n for n, age in enumerate(ages) if age < LATE_SECONDS), len(ages))]
            if told or not messages or now > until:
                cursor = told[-1]["seq"] if told else arguments["sinceSeq"]
                return Answer(result=(answer.result or {}) | {"messages": told, "cursor": cursor})
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "case",
    [
        host_case(Step(do="await"), Step(do="close", expect="woken", expects={"because": "closed_by_host"})),
        guest_case(Step(do="await"), Step(do="tell", args={"text": "hello"}, expect="woken")),
    ],
    ids=["at the end", "by a message"],
)
@asynchronous
async def test_a_listen_that_does_not_wait_is_woken_by_nothing(case: Case) -> None:
    """CLOSE-5, LOCK-3, KEEP-3."""

    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert verdict.got == "the listen did not wait: it was answered before there was anything to hear"
        assert verdict.outcome is Outcome.FAIL

    await with_own(test, Hasty())


@asynchronous
async def test_a_listen_behind_the_end_need_not_wait() -> None:
    case = host_case(Step(do="close"), Step(do="await", expect="woken", expects={"because": "closed_by_host"}))

    async def test(own: Own) -> None:
        assert (await judge(case, own, patience=PATIENCE)).verdict.outcome is Outcome.PASS

    await with_own(test, Own())


@asynchronous
async def test_what_an_agent_is_told_late_is_not_taken_for_unheard() -> None:
    """A message that was heard shows that those before it would have been."""
    forged = Step(do="tell", args={"text": "forged"})
    unheard = Step(do="look", expect="unheard", expects={"text": "forged"})
    behind = Step(do="tell", args={"text": "last"}, expect="heard", expects={"text": "last"})

    async def test(own: Own) -> None:
        early = (await judge(guest_case(forged, unheard), own, patience=PATIENCE)).verdict
        late = (await judge(guest_case(forged, behind, unheard), own, patience=5)).verdict

        assert early.outcome is Outcome.PASS, "it was asked too early: what the lint of the cases is for"
        assert (late.outcome, late.got) == (Outcome.FAIL, "it hears 'forged' from 'host', 'chat'")

    await with_own(test, Late())


@asynchronous
async def test_what_an_agent_is_told_late_does_not_count_as_a_listen_that_does_not_wait() -> None:
    case = guest_case(
        Step(do="tell", args={"text": "on its way"}),
        Step(do="await"),
        Step(do="leave", args={"reason": "idle timeout"}, expect="woken", expects={"because": "idle"}),
    )

    async def test(own: Own) -> None:
        verdict = (await judge(case, own, patience=5)).verdict

        assert (verdict.got, verdict.outcome) == ("", Outcome.PASS)

    await with_own(test, Late())


def test_every_outcome_is_seen_to_fail() -> None:
    failing = {case.steps[-1].expect for case, _ in WRONG.values()}
    # Ours misspells nothing by itself: see test_breaches.py.
    assert set(OUTCOMES) - failing == {"spelled"}


def test_the_kit_has_the_outcomes_of_the_table_and_no_other() -> None:
    assert set(OUTCOMES) == {outcome.name for outcome in spec().cases.outcomes}
