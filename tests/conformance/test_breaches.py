"""What a frame breaks is seen: our own implementation, with one thing changed on the way."""

import json
import re
from typing import Any

import pytest
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Outcome
from tunnel_conformance.spec import spec

from tests.conformance.meddled import Change, Meddled
from tests.conformance.own import a_case, guest_case, host_case, with_own
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Case, Role, Step

PATIENCE = 0.4
OPEN = Step(do="open")
CHAT = Step(do="chat", args={"text": "hello"}, expect="echoed", expects={"bare": True})
SAY = Step(do="say", args={"text": "hello"})
SPELLED = Step(do="look", expect="spelled")


def named(id: str) -> Case:
    return next(case for case in spec().cases.cases if case.id == id)


def fields(frame: str, **changes: object) -> Change:
    """Changes fields of one frame; a dotted name reaches into its message."""

    def change(text: str) -> str:
        found: dict[str, Any] = json.loads(text)
        if found["t"] != frame:
            return text
        for name, value in changes.items():
            inside, _, field = name.rpartition("__")
            target = found[inside] if inside else found
            if value is None:
                del target[field]
            else:
                target[field] = value
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)

    return change


def every_message(**changes: object) -> Change:
    def change(text: str) -> str:
        found: dict[str, Any] = json.loads(text)
        for message in (*found.get("backlog", ()), *([found["msg"]] if "msg" in found else ())):
            message.update(changes)
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)

    return change


def instead(frame: str, other: str) -> Change:
    return lambda text: other if json.loads(text)["t"] == frame else text


def instead_of_number(seq: int, other: str) -> Change:
    return lambda text: other if json.loads(text).get("msg", {}).get("seq") == seq else text


def as_binary(frame: str) -> Change:
    return lambda text: text.encode() if json.loads(text)["t"] == frame else text


def with_blanks(text: str) -> str:
    return json.dumps(json.loads(text))


def in_another_order(text: str) -> str:
    found: dict[str, Any] = json.loads(text)
    return json.dumps(dict(reversed(found.items())), separators=(",", ":"))


def message_in_another_order(text: str) -> str:
    found: dict[str, Any] = json.loads(text)
    if "msg" in found:
        found["msg"] = dict(reversed(found["msg"].items()))
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def with_fractions(text: str) -> str:
    return re.sub(r'("seq":\d+)', r"\1.0", text)


def with_an_exponent(text: str) -> str:
    return re.sub(r'("seq":\d+)', r"\1e0", text)


def with_a_name_twice(text: str) -> str:
    return text.replace('"t":', '"t":"","t":', 1)


BREACHES: dict[str, tuple[Change, Case, str]] = {
    "a short nonce": (fields("challenge", nonce="AAAA"), a_case(Role.HOST, OPEN, Step(do="connect", expect="challenged")), "a challenge whose nonce is not 32 bytes"),
    "a static challenge": (fields("challenge", nonce="A" * 43), named("auth-fresh-challenge"), "the challenge of another connection"),
    "a challenge in a binary message": (as_binary("challenge"), a_case(Role.HOST, OPEN, Step(do="connect", expect="challenged")), "in a binary message"),
    "no goal": (fields("auth_ok", goal=None), host_case(), "an auth_ok whose goal is None"),
    "a mistyped backlog": (fields("auth_ok", backlog="x"), host_case(), "an auth_ok whose backlog is 'x'"),
    "no message of the join": (instead("msg", '{"t":"auth_fail","reason":"x"}'), host_case(), "auth_ok, and then auth_fail with the reason 'x'"),
    "an echo with another number": (fields("msg", msg__seq=9), host_case(CHAT), "an echo with the number 9 behind 9"),
    "an echo without ts": (fields("msg", msg__ts=None), host_case(CHAT), "an echo whose ts is None"),
    "an echo with a foreign field": (fields("msg", msg__more=1), host_case(CHAT), "an echo with the field 'more'"),
    "an echo from somebody else": (fields("msg", msg__from="host"), host_case(CHAT), "a message whose from is 'host'"),
    "an unknown frame is no silence": (instead_of_number(3, '{"t":"error"}'), host_case(Step(do="chat", args={"text": "a"}, expect="nothing")), '{"t":"error"}'),
    "a message without fields": (instead("msg", '{"t":"msg"}'), host_case(CHAT), "auth_ok, and then nothing"),
    "numbers with a hole": (fields("msg", msg__seq=4), host_case(SAY, Step(do="look", expect="numbered")), "messages with the numbers 1, 4, 4 (1 then 4)"),
    "blanks": (with_blanks, host_case(SPELLED), "challenge with blanks"),
    "fields in another order": (in_another_order, host_case(SPELLED), "challenge with the fields in the order nonce, t"),
    "a message's fields in another order": (message_in_another_order, host_case(SPELLED), "whose fields are in the order ts, body"),
    "a number with a fraction": (with_fractions, host_case(SPELLED), "auth_ok with a fraction or an exponent in seq"),
    "a number with an exponent": (with_an_exponent, host_case(SPELLED), "auth_ok with a fraction or an exponent in seq"),
    "a name twice": (with_a_name_twice, host_case(SPELLED), "challenge with blanks, with a field twice"),
    "no JSON": (
        instead("auth_fail", "hello"),
        a_case(Role.HOST, OPEN, Step(do="join", args={"proof": "wrong"}), Step(do="look", expect="gone"), SPELLED),
        "what is no frame in a text message: hello",
    ),
    "an unsealed chat": (every_message(kind="chat", body="in clear"), a_case(Role.HOST, OPEN, Step(do="join"), SAY, Step(do="look", expect="sealed", expects={"times": 1})), "the body 'in clear', which the key does not open"),
    "a refusal that is none": (instead("auth_fail", '{"t":"auth_fail"}'), a_case(Role.HOST, OPEN, Step(do="join", args={"proof": "wrong"}, expect="refused", expects={"reason": "bad key"})), "auth_fail with the reason None"),
    "a wrong proof": (fields("auth", response="x"), a_case(Role.GUEST, Step(do="serve"), Step(do="accept"), Step(do="challenge", expect="authenticated")), "an auth whose response does not prove the key"),
    "an auth without a name": (fields("auth", name=5), a_case(Role.GUEST, Step(do="serve"), Step(do="accept"), Step(do="challenge", expect="authenticated")), "an auth with the name 5"),
    "an unsealed send": (fields("send", msg__body="in clear"), guest_case(SAY, Step(do="look", expect="chatted", expects={"text": "hello"})), "a send that the key does not open"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREACHES)
@asynchronous
async def test_a_breach_is_seen_and_told(name: str) -> None:
    change, case, got = BREACHES[name]

    async def test(own: Meddled) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert got in verdict.got
        assert verdict.outcome is Outcome.FAIL

    await with_own(test, Meddled(change))


@asynchronous
async def test_somebody_on_the_way_who_changes_nothing_is_not_seen() -> None:
    async def test(own: Meddled) -> None:
        for case in (host_case(CHAT, SPELLED), guest_case(Step(do="tell", args={"text": "hello"}))):
            assert (await judge(case, own, patience=PATIENCE)).verdict.outcome is Outcome.PASS

    await with_own(test, Meddled())


@asynchronous
async def test_a_guest_that_connects_somewhere_else_is_seen() -> None:
    """LINK-7."""
    case = a_case(Role.GUEST, Step(do="serve"), Step(do="accept", expect="dialled"))

    async def test(own: Meddled) -> None:
        verdict = (await judge(case, own, patience=PATIENCE)).verdict

        assert verdict.got == "a connection at /elsewhere"

    await with_own(test, Meddled(path="/elsewhere"))
