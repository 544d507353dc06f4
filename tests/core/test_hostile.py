"""Whatever a peer writes, in whatever state: effects, never an exception, and soon."""

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conversation import GuestEnd, ScriptedHost, Stranger, Tunnel, draft, read
from tunnel.core import codec
from tunnel.core.effects import Effect, Send
from tunnel.core.transcript import Transcript
from tunnel.spec.v1.constants import STRANGER_FRAME_BYTES

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

any_text = st.text(st.characters(codec=None), max_size=60)
any_bytes = st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
numbers = (
    st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**309, -(10**400), 2**53, 2**63, 2**64, -1, 0])
)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | numbers | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)

FIELDS = [
    "t",
    "response",
    "name",
    "sinceSeq",
    "msg",
    "id",
    "seq",
    "from",
    "kind",
    "body",
    "ts",
    "nonce",
    "goal",
    "backlog",
]
TAGS = ["auth", "send", "challenge", "auth_ok", "auth_fail", "msg", "roster", ""]
KINDS = ["chat", "system", "artifact", "host", "guest"]
SPELLED = [
    '{"t":"auth","response":"R","name":"n","sinceSeq":0}',
    '{"t":"challenge","nonce":"N"}',
    '{"t":"auth_ok","goal":"g","peerName":"x","backlog":[{"id":"i","seq":1,"from":"host","kind":"chat","body":"b","ts":0}]}',
    '{"t":"auth_fail","reason":"bad key"}',
    '{"t":"msg","msg":{"id":"i","seq":1,"from":"guest","kind":"chat","body":"b","ts":0}}',
    draft(),
]

fields = st.tuples(st.sampled_from(FIELDS), values | st.sampled_from([*TAGS, *KINDS]))


def spelled(pairs: list[tuple[str, Json]]) -> str:
    """An object in JSON with these fields, as often as they come."""
    return "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"


objects = st.lists(fields, max_size=8).map(spelled)
tagged = st.tuples(st.sampled_from(TAGS), st.lists(fields, max_size=8)).map(lambda it: spelled([("t", it[0]), *it[1]]))
wrapped = st.tuples(st.sampled_from(["send", "msg"]), objects).map(lambda it: f'{{"t":"{it[0]}","msg":{it[1]}}}')


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good frame with a piece of it replaced."""
    text = draw(st.sampled_from(SPELLED))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 12)))
    return (
        text[:start]
        + draw(any_text | st.sampled_from(["\\ud800", "1e999", "NaN", "9" * 400, "[" * 50, '"', "\\"]))
        + text[end:]
    )


hostile = any_text | any_bytes | objects | tagged | wrapped | mutated()

# --- The host ---------------------------------------------------------------------------------------------------------


def opening(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    return tunnel.stranger(upgraded=False)


def before_the_link(tunnel: Tunnel) -> Stranger:
    tunnel.host.start()
    return tunnel.stranger()


def challenged(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    return tunnel.stranger()


def admitted(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    return tunnel.admitted()


def beside_the_guest(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    tunnel.admitted()
    return tunnel.stranger()


def behind_the_guest(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    tunnel.admitted().leave()
    return tunnel.stranger()


def finished(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    refused = tunnel.stranger()
    tunnel.host.core.oversize(refused.number, tunnel.now)
    return refused


def gone(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    left = tunnel.stranger()
    left.leave()
    return left


def after_the_end(tunnel: Tunnel) -> Stranger:
    tunnel.host.open()
    stranger = tunnel.stranger()
    tunnel.host.core.close("", tunnel.now)
    return stranger


STATES = [
    opening,
    before_the_link,
    challenged,
    admitted,
    beside_the_guest,
    behind_the_guest,
    finished,
    gone,
    after_the_end,
]


def is_sound(transcript: Transcript) -> bool:
    """Numbered from 1 without a gap, and every message can be shown."""
    return [message.seq for message in transcript.after(0)] == list(range(1, transcript.last + 1)) and all(
        text.encode() or not text for text in read(transcript)
    )


def can_be_sent(effects: list[Effect]) -> bool:
    return all(codec.encode(effect.frame) for effect in effects if isinstance(effect, Send))


@pytest.mark.parametrize("reach", STATES)
@given(texts=st.lists(hostile, min_size=1, max_size=4))
@example(texts=['{"t":"auth","response":"R","name":"n","sinceSeq":' + "9" * 400 + "}"])
@example(texts=['{"t":"auth","response":"R","name":"\\ud800","sinceSeq":1e400}'])
@settings(deadline=2000)
def test_a_host_answers_any_text_with_effects(reach: Callable[[Tunnel], Stranger], texts: list[str]) -> None:
    """WIRE-4, WIRE-6, SIZE-4."""
    tunnel = Tunnel()
    stranger = reach(tunnel)
    out = [effect for text in texts for effect in tunnel.host.core.receive(stranger.number, text, tunnel.now)]

    assert can_be_sent(out)
    assert is_sound(tunnel.host.core.transcript)


@given(name=any_text | any_bytes, since=values, body=any_text | any_bytes, id=any_text, ts=values)
@settings(deadline=2000)
def test_whoever_has_the_key_may_write_what_it_likes(name: str, since: Json, body: str, id: str, ts: Json) -> None:
    """AUTH-3, SEQ-2, NAME-1."""
    tunnel = Tunnel()
    link = tunnel.host.open()
    eve = tunnel.stranger()
    eve.auth(link.key, name=name, sinceSeq=since)
    eve.chat(body, id=id, seq=ts, ts=ts)

    assert (eve.welcome is None) == (eve.refused_because is not None)
    assert is_sound(tunnel.host.core.transcript)
    assert not any(
        ord(character) < 32 or character in "\u2028\u2029\u202e" for character in "".join(tunnel.host.texts[:2])
    )


# --- The guest --------------------------------------------------------------------------------------------------------


def dialing(tunnel: Tunnel) -> GuestEnd:
    return GuestEnd(tunnel, "Bob", ScriptedHost(tunnel).link)


def greeting(tunnel: Tunnel) -> GuestEnd:
    return tunnel.dialled()[1]


def proving(tunnel: Tunnel) -> GuestEnd:
    host, guest = tunnel.dialled()
    host.challenge()
    return guest


def joined(tunnel: Tunnel) -> GuestEnd:
    return tunnel.joined()[1]


def waiting_for_an_echo(tunnel: Tunnel) -> GuestEnd:
    guest = tunnel.joined()[1]
    guest.say("hello")
    return guest


def ended(tunnel: Tunnel) -> GuestEnd:
    guest = tunnel.joined()[1]
    guest.core.close("", tunnel.now)
    return guest


@pytest.mark.parametrize("reach", [dialing, greeting, proving, joined, waiting_for_an_echo, ended])
@given(texts=st.lists(hostile, min_size=1, max_size=4), reason=any_text)
@example(texts=['{"t":"challenge","nonce":"\\ud800"}'], reason="\ud800")
@example(
    texts=['{"t":"msg","msg":{"id":"i","seq":1,"from":"host","kind":"system","body":"b","ts":' + "9" * 400 + "}}"],
    reason="",
)
@settings(deadline=2000)
def test_a_guest_answers_any_text_with_effects(
    reach: Callable[[Tunnel], GuestEnd], texts: list[str], reason: str
) -> None:
    """WIRE-4, WIRE-6, SIZE-4, AUTH-12."""
    tunnel = Tunnel()
    guest = reach(tunnel).core
    out = [effect for text in texts for effect in guest.receive(text, tunnel.now)]
    out += guest.lost(reason, tunnel.now)

    assert can_be_sent(out)
    assert is_sound(guest.transcript)
    assert (guest.goal + guest.host_name + guest.refused_because).isprintable()


# --- Time -------------------------------------------------------------------------------------------------------------

MANY = 1_000_000
HEAVY = {
    "brackets": "[" * MANY,
    "brackets in an auth": '{"t":"auth","x":' + "[" * MANY,
    "flat brackets": "[" + "[]," * (MANY // 3) + "[]]",
    "objects": '{"t":' * (MANY // 5),
    "quotes": '"' * MANY,
    "backslashes": "\\" * MANY,
    "escaped quotes": '"' + '\\"' * (MANY // 2),
    "brackets behind quotes": '["' * (MANY // 2),
    "digits": '{"t":"auth","response":"R","name":"n","sinceSeq":' + "9" * MANY + "}",
    "digits beside half a pair": '{"t":"auth","response":"\\ud800","name":"n","sinceSeq":' + "9" * MANY + "}",
    "a long exponent": '{"t":"auth","response":"R","name":"n","sinceSeq":1e' + "9" * MANY + "}",
    "halves of pairs": '{"t":"auth","response":"' + "\\ud800" * (MANY // 6) + '","name":"n"}',
    "many fields": '{"t":"auth",' + ",".join(f'"f{n}":0' for n in range(MANY // 10)) + "}",
    "one field often": '{"t":"auth",' + '"t":"auth",' * (MANY // 11) + '"x":0}',
    "blanks": " " * MANY,
    "null characters": "\x00" * MANY,
    "a long name": '{"t":"auth","response":"R","name":"' + "\u200b" * (MANY // 3) + '"}',
    "a long body": draft("\U0001f642" * (MANY // 12)),
}


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_no_text_of_the_largest_size_takes_long(tunnel: Tunnel, text: str) -> None:
    """SIZE-4, WIRE-4."""
    tunnel.host.open()
    bob = tunnel.admitted()
    guest = joined(tunnel).core

    assert len(text) > STRANGER_FRAME_BYTES
    assert can_be_sent(tunnel.host.core.receive(bob.number, text, tunnel.now))
    assert can_be_sent(guest.receive(text, tunnel.now))


@pytest.mark.timeout(20)
def test_a_long_system_text_is_shown_soon(tunnel: Tunnel) -> None:
    """SIZE-6, NAME-1."""
    host, bob = tunnel.joined()
    body = json.dumps("\u200b" * 4_000_000, ensure_ascii=False)
    host.send('{"t":"msg","msg":{"id":"i","seq":1,"from":"host","kind":"system","body":' + body + ',"ts":0}}')

    assert bob.texts[0].startswith(r"\u200b\u200b")
    assert len(bob.texts[0]) < 1_000_000


# --- Any conversation -------------------------------------------------------------------------------------------------


def join(tunnel: Tunnel, peers: list[Stranger]) -> None:
    peers.append(tunnel.stranger())
    if peers[-1].got:
        peers[-1].auth(tunnel.host.link.key)


def connect(tunnel: Tunnel, peers: list[Stranger]) -> None:
    peers.append(tunnel.stranger(upgraded=False))


def prove_again(tunnel: Tunnel, peers: list[Stranger]) -> None:
    for peer in peers:
        if peer.got:
            peer.auth(tunnel.host.link.key)


def chat(tunnel: Tunnel, peers: list[Stranger]) -> None:
    for peer in peers:
        peer.chat()


def fall_silent(tunnel: Tunnel, peers: list[Stranger]) -> None:
    for peer in peers:
        peer.answers_pings = False


def leave(tunnel: Tunnel, peers: list[Stranger]) -> None:
    if peers:
        peers.pop(0).leave()


def say(tunnel: Tunnel, peers: list[Stranger]) -> None:
    tunnel.host.say("words")


def wait(tunnel: Tunnel, peers: list[Stranger]) -> None:
    tunnel.advance(61)


def sleep(tunnel: Tunnel, peers: list[Stranger]) -> None:
    tunnel.sleep(601)


def close(tunnel: Tunnel, peers: list[Stranger]) -> None:
    tunnel.host.close("all done")


@given(
    st.lists(
        st.sampled_from([join, connect, prove_again, chat, fall_silent, leave, say, wait, sleep, close]), max_size=12
    )
)
@settings(deadline=5000)
def test_any_conversation_admits_one_guest_and_numbers_without_a_gap(
    acts: list[Callable[[Tunnel, list[Stranger]], None]],
) -> None:
    """LOCK-1, LINK-1, SEQ-1, CLOSE-3."""
    tunnel = Tunnel()
    tunnel.host.open()
    peers: list[Stranger] = []
    everybody: list[Stranger] = []
    for act in acts:
        act(tunnel, peers)
        everybody += [peer for peer in peers if peer not in everybody]

    welcomed = [peer for peer in everybody if peer.welcome]
    assert len(welcomed) <= 1
    assert all([m.seq for m in peer.messages] == list(range(1, len(peer.messages) + 1)) for peer in welcomed)
    assert is_sound(tunnel.host.core.transcript)
