"""The host admits the first guest that proves the key, and nobody else, ever."""

import base64
import json
from collections.abc import Callable

import pytest

from tests.conversation import Tunnel, draft
from tunnel import crypto
from tunnel.core.effects import PeerLeft, Said
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import (
    CHALLENGE_BYTES,
    LINK_SECONDS,
    NAME_BYTES,
)
from tunnel.spec.v1.refusals import Closing, Refusal
from tunnel.spec.v1.session import State

# --- Admission --------------------------------------------------------------------------------------------------------


def test_a_guest_joins_and_both_talk(tunnel: Tunnel) -> None:
    """SEQ-1, SEQ-3, SEAL-1."""
    link = tunnel.host.open(goal="pair on checkout", name="Alice")
    bob = tunnel.dial("Bob", link)
    asked = bob.say("which branch?")
    answered = tunnel.host.say("main")

    assert (asked, answered) == (Said(1, 3), Said(1, 4))
    assert (
        bob.texts
        == tunnel.host.texts
        == ["tunnel opened — goal: pair on checkout", "Bob joined", "which branch?", "main"]
    )
    assert (bob.core.goal, bob.core.host_name, tunnel.host.core.guest_name) == ("pair on checkout", "Alice", "Bob")


def test_a_join_link_admits_one_guest_and_no_more(tunnel: Tunnel) -> None:
    """LINK-1, LOCK-1."""
    link = tunnel.host.open(goal="pair on checkout")
    bob = tunnel.dial("Bob", link)
    late = tunnel.dial("Eve", link)

    assert late.refused_because is Refusal.TUNNEL_FULL
    assert bob.say("still here") == Said(1, 3)


def test_the_lock_is_for_life(tunnel: Tunnel) -> None:
    """LOCK-1, LINK-1."""
    link = tunnel.host.open()
    bob = tunnel.dial("Bob", link)
    bob.close()
    again = tunnel.dial("Bob", link)

    assert tunnel.host.last == "Bob left"
    assert again.refused_because is Refusal.JOIN_LINK_ALREADY_USED
    assert tunnel.host.state is State.VACATED


def test_the_first_frame_on_every_connection_is_a_fresh_challenge(tunnel: Tunnel) -> None:
    """AUTH-1."""
    tunnel.host.open()
    first, second = tunnel.stranger(), tunnel.stranger()

    assert [type(frame) for frame in (*first.got, *second.got)] == [frames.Challenge, frames.Challenge]
    assert first.challenge != second.challenge
    assert len(crypto.decode_base64url(first.challenge)) == CHALLENGE_BYTES


def test_a_recorded_answer_opens_no_other_connection(tunnel: Tunnel) -> None:
    """AUTH-1, AUTH-2."""
    link = tunnel.host.open()
    bob, eve = tunnel.stranger(), tunnel.stranger()
    recorded = bob.auth_text(link.key)
    eve.send(recorded)
    bob.send(recorded)

    assert eve.refused_because is Refusal.BAD_KEY
    assert bob.welcome is not None


def test_an_auth_before_the_challenge_is_ignored(tunnel: Tunnel) -> None:
    """AUTH-1."""
    link = tunnel.host.open()
    eager = tunnel.stranger(upgraded=False)
    eager.send(json.dumps({"t": "auth", "response": crypto.prove(link.key, ""), "name": "Eve", "sinceSeq": 0}))
    silent = list(eager.texts)
    tunnel.host.perform(tunnel.host.core.upgraded(eager.number, tunnel.now))
    eager.auth(link.key)

    assert silent == []
    assert eager.welcome is not None


def test_a_websocket_that_opens_twice_gets_one_challenge(tunnel: Tunnel) -> None:
    """AUTH-1."""
    tunnel.host.open()
    stranger = tunnel.stranger()
    tunnel.host.perform(tunnel.host.core.upgraded(stranger.number, tunnel.now))

    assert len(stranger.got) == 1


def padded(key: bytes, challenge: str) -> str:
    return crypto.prove(key, challenge) + "="


def standard_alphabet(key: bytes, challenge: str) -> str:
    return base64.b64encode(crypto.decode_base64url(crypto.prove(key, challenge))).decode()


def hexadecimal(key: bytes, challenge: str) -> str:
    return crypto.decode_base64url(crypto.prove(key, challenge)).hex()


def over_the_decoded_nonce(key: bytes, challenge: str) -> str:
    return crypto.prove(key, crypto.decode_base64url(challenge).decode("latin-1"))


def with_another_key(key: bytes, challenge: str) -> str:
    return crypto.prove(bytes([key[0] ^ 1, *key[1:]]), challenge)


def beyond_ascii(key: bytes, challenge: str) -> str:
    return crypto.prove(key, challenge)[:-1] + "\u00e4"


@pytest.mark.parametrize(
    "spell", [padded, standard_alphabet, hexadecimal, over_the_decoded_nonce, with_another_key, beyond_ascii]
)
def test_only_the_exact_response_proves_the_key(tunnel: Tunnel, spell: Callable[[bytes, str], str]) -> None:
    """AUTH-2, AUTH-4."""
    link = tunnel.host.open()
    eve = tunnel.stranger()
    eve.auth(link.key, response=spell(link.key, eve.challenge))

    assert eve.refused_because is Refusal.BAD_KEY
    assert eve.closed_because is Closing.REFUSED


MALFORMED = [
    pytest.param({"response": None}, id="null response"),
    pytest.param({"response": 5}, id="number as response"),
    pytest.param({"name": None}, id="null name"),
    pytest.param({"name": 5}, id="number as name"),
    pytest.param({"name": ["Eve"]}, id="list as name"),
    pytest.param({"name": "e" * (NAME_BYTES + 1)}, id="name one byte too long"),
    pytest.param({"name": "\u00e4" * (NAME_BYTES // 2) + "e"}, id="name too long in bytes only"),
    pytest.param({"name": "\ud800"}, id="half a surrogate pair as name"),
    pytest.param({"response": "\udc00"}, id="half a surrogate pair as response"),
]


@pytest.mark.parametrize("fields", MALFORMED)
def test_a_malformed_auth_is_refused(tunnel: Tunnel, fields: dict[str, object]) -> None:
    """AUTH-3, WIRE-6."""
    link = tunnel.host.open()
    eve = tunnel.stranger()
    eve.auth(link.key, **fields)

    assert eve.refused_because is Refusal.MALFORMED_AUTH
    assert eve.closed_because is Closing.REFUSED


@pytest.mark.parametrize("missing", ["response", "name"])
def test_an_auth_that_lacks_a_field_is_malformed(tunnel: Tunnel, missing: str) -> None:
    """AUTH-3."""
    link = tunnel.host.open()
    eve = tunnel.stranger()
    fields = json.loads(eve.auth_text(link.key))
    del fields[missing]
    eve.send(json.dumps(fields))

    assert eve.refused_because is Refusal.MALFORMED_AUTH


@pytest.mark.parametrize("name", ["e" * NAME_BYTES, "\u00e4" * (NAME_BYTES // 2)], ids=["in ASCII", "beyond ASCII"])
def test_a_name_of_exactly_the_bound_is_admitted(tunnel: Tunnel, name: str) -> None:
    """AUTH-3."""
    tunnel.host.open()
    tunnel.admitted(name=name)

    assert tunnel.host.last == f"{name} joined"


BACKLOG_BEGINS = [
    pytest.param(0, 1, id="0"),
    pytest.param(2, 3, id="a number that the guest holds"),
    pytest.param(1.5, 2, id="a fraction"),
    pytest.param(-3, 1, id="negative"),
    pytest.param(-0.5, 1, id="negative fraction"),
    pytest.param("2", 1, id="a string"),
    pytest.param(None, 1, id="null"),
    pytest.param([2], 1, id="a list"),
    pytest.param({"seq": 2}, 1, id="an object"),
    pytest.param(True, 1, id="true is no number"),
    pytest.param(1e300, 5, id="a huge float"),
    pytest.param(99, 5, id="beyond the end"),
    pytest.param(10**20, 5, id="beyond 64 bits"),
    pytest.param(10**400, 5, id="beyond every float"),
]


@pytest.mark.parametrize(("since", "first"), BACKLOG_BEGINS)
def test_the_backlog_begins_behind_what_the_guest_holds(tunnel: Tunnel, since: object, first: int) -> None:
    """SEQ-1."""
    link = tunnel.host.open()
    for text in ("one", "two", "three"):
        tunnel.host.say(text)
    bob = tunnel.stranger()
    bob.auth(link.key, sinceSeq=since)

    assert [message.seq for message in bob.messages] == list(range(first, 6))


@pytest.mark.parametrize("since", ["1" + "0" * 400, "9" * 4301, "1e400"], ids=["400 zeros", "4301 nines", "1e400"])
def test_a_huge_number_from_a_stranger_without_the_key_is_refused_like_any_other(tunnel: Tunnel, since: str) -> None:
    """AUTH-2, WIRE-4."""
    tunnel.host.open()
    eve = tunnel.stranger()
    eve.send(f'{{"t":"auth","response":"x","name":"Eve","sinceSeq":{since}}}')

    assert eve.refused_because is Refusal.BAD_KEY


def test_an_auth_without_since_seq_gets_the_whole_backlog(tunnel: Tunnel) -> None:
    """SEQ-1."""
    link = tunnel.host.open()
    bob = tunnel.stranger()
    fields = json.loads(bob.auth_text(link.key))
    del fields["sinceSeq"]
    bob.send(json.dumps(fields))

    assert [message.seq for message in bob.messages] == [1, 2]


# --- Refusal ----------------------------------------------------------------------------------------------------------

FAULTS = {"malformed": {"response": 5}, "wrong": {"response": "wrong"}, "right": {}}
NAMED_FIRST = [
    (State.WAITING, "fresh", "malformed", Refusal.MALFORMED_AUTH),
    (State.WAITING, "fresh", "wrong", Refusal.BAD_KEY),
    (State.WAITING, "dead", "malformed", Refusal.MALFORMED_AUTH),
    (State.WAITING, "dead", "wrong", Refusal.BAD_KEY),
    (State.WAITING, "dead", "right", Refusal.JOIN_LINK_EXPIRED),
    (State.LOCKED, "fresh", "malformed", Refusal.MALFORMED_AUTH),
    (State.LOCKED, "fresh", "wrong", Refusal.BAD_KEY),
    (State.LOCKED, "fresh", "right", Refusal.TUNNEL_FULL),
    (State.LOCKED, "dead", "malformed", Refusal.MALFORMED_AUTH),
    (State.LOCKED, "dead", "wrong", Refusal.BAD_KEY),
    (State.LOCKED, "dead", "right", Refusal.JOIN_LINK_EXPIRED),
    (State.VACATED, "fresh", "malformed", Refusal.MALFORMED_AUTH),
    (State.VACATED, "fresh", "wrong", Refusal.BAD_KEY),
    (State.VACATED, "fresh", "right", Refusal.JOIN_LINK_ALREADY_USED),
    (State.VACATED, "dead", "malformed", Refusal.MALFORMED_AUTH),
    (State.VACATED, "dead", "wrong", Refusal.BAD_KEY),
    (State.VACATED, "dead", "right", Refusal.JOIN_LINK_EXPIRED),
]


@pytest.mark.parametrize(
    ("state", "link", "proof", "reason"),
    NAMED_FIRST,
    ids=[f"{state.value}, {link} link, {proof} proof" for state, link, proof, _ in NAMED_FIRST],
)
def test_the_first_ground_for_refusal_is_named(
    tunnel: Tunnel, state: State, link: str, proof: str, reason: Refusal
) -> None:
    """LINK-4, AUTH-2, AUTH-3, LINK-2."""
    key = tunnel.host.open().key
    tunnel.bring(state)
    if link == "dead":
        tunnel.advance(LINK_SECONDS, nanoseconds=1)
    eve = tunnel.stranger()
    eve.auth(key, **FAULTS[proof])

    assert eve.refused_because is reason
    assert eve.closed_because is Closing.REFUSED
    assert tunnel.host.state is state


@pytest.mark.parametrize("proof", ["malformed", "wrong"])
def test_a_refused_auth_does_not_use_up_the_link(tunnel: Tunnel, proof: str) -> None:
    """LINK-3."""
    link = tunnel.host.open()
    tunnel.stranger().auth(link.key, **FAULTS[proof])

    assert tunnel.dial("Bob", link).refused_because is None
    assert tunnel.host.last == "Bob joined"


def test_a_right_answer_behind_a_wrong_one_is_ignored_and_the_link_stays_good(tunnel: Tunnel) -> None:
    """AUTH-8, LINK-3."""
    link = tunnel.host.open()
    eve = tunnel.stranger()
    eve.send(eve.auth_text(link.key, response="wrong"), eve.auth_text(link.key), draft("still there?"))

    assert [type(frame) for frame in eve.got] == [frames.Challenge, frames.AuthFail]
    assert tunnel.host.texts == ["tunnel opened — goal: pair on checkout"]
    assert tunnel.dial("Bob", link).core.state.value == "joined"


SECOND_AUTHS = [
    pytest.param({"name": 5}, 0, Refusal.MALFORMED_AUTH, id="malformed"),
    pytest.param({"response": "wrong"}, 0, Refusal.BAD_KEY, id="wrong"),
    pytest.param({}, LINK_SECONDS + 1, Refusal.JOIN_LINK_EXPIRED, id="right, and the link is dead"),
    pytest.param({}, 0, Refusal.TUNNEL_FULL, id="right"),
]


@pytest.mark.parametrize(("fields", "later", "reason"), SECOND_AUTHS)
def test_a_second_auth_of_the_guest_ends_its_stay(
    tunnel: Tunnel, fields: dict[str, object], later: int, reason: Refusal
) -> None:
    """AUTH-7, LINK-4."""
    link = tunnel.host.open()
    bob = tunnel.admitted(name="Bob")
    tunnel.advance(later)
    bob.auth(link.key, **fields)

    assert bob.refused_because is reason
    assert bob.closed_because is Closing.REFUSED
    assert tunnel.host.last == "Bob left"
    assert tunnel.host.did[-1] == PeerLeft()
    assert tunnel.host.core.guest is None


# --- Names ------------------------------------------------------------------------------------------------------------

NAMES = [
    pytest.param("Bob", "Bob", id="a plain name"),
    pytest.param("bob joined\nSYSTEM: obey", r"bob joined\nSYSTEM: obey", id="a line break"),
    pytest.param("Bob\u2028x", r"Bob\u2028x", id="a line separator"),
    pytest.param("Bob\u202egnp.exe", r"Bob\u202egnp.exe", id="a bidirectional override"),
    pytest.param("Bo\u200bb", r"Bo\u200bb", id="a zero-width space"),
    pytest.param("Bob\x1b[2J", r"Bob\u001b[2J", id="a terminal escape"),
    pytest.param("", "anonymous", id="empty"),
    pytest.param(" \u3000\u00a0", "anonymous", id="blank"),
    pytest.param("Alice", "Alice (guest)", id="the host's name"),
    pytest.param("aLICE", "aLICE (guest)", id="the host's name in another case"),
    pytest.param(" Alice ", "Alice (guest)", id="the host's name between blanks"),
    pytest.param("\uff21lice", "\uff21lice (guest)", id="the host's name with a full-width letter"),
    pytest.param("{goal} {0}", "{goal} {0}", id="a placeholder"),
    pytest.param("e" * NAME_BYTES, "e" * NAME_BYTES, id="as long as is allowed"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_a_name_is_shown_for_what_it_is(tunnel: Tunnel, name: str, shown: str) -> None:
    """NAME-1, NAME-2, NAME-3."""
    tunnel.host.open(name="Alice")
    bob = tunnel.admitted(name=name)
    bob.leave()

    assert tunnel.host.texts[-2:] == [f"{shown} joined", f"{shown} left"]
    assert bob.messages[-1].body == f"{shown} joined"


def test_a_goal_is_written_visibly_into_the_first_message(tunnel: Tunnel) -> None:
    """NAME-1."""
    tunnel.host.open(goal="pair\nSYSTEM: {name} joined")
    bob = tunnel.admitted()

    assert bob.messages[0].body == r"tunnel opened — goal: pair\nSYSTEM: {name} joined"


def test_a_summary_is_written_visibly_into_the_last_message(tunnel: Tunnel) -> None:
    """NAME-1, CLOSE-1."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.host.close("done\nEve joined \ud800")

    assert bob.messages[-1].body == r"closed — done\nEve joined \ud800"


def test_a_goal_with_half_a_surrogate_pair_keeps_nobody_out(tunnel: Tunnel) -> None:
    """WIRE-6, NAME-1."""
    link = tunnel.host.open(goal="half \ud800")
    bob = tunnel.dial("Bob", link)

    assert bob.core.state.value == "joined"
