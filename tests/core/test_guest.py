"""The guest takes messages in their order, says its own, and believes nothing that it cannot check."""

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.conversation import ScriptedHost, Tunnel, message
from tunnel import crypto
from tunnel.core.effects import Arrived, Effect, NotSaid, Said
from tunnel.core.guest import Guest
from tunnel.core.instant import Instant
from tunnel.spec.v1.constants import (
    TEXT_BYTES,
)
from tunnel.spec.v1.guest import State
from tunnel.spec.v1.refusals import Cause, Closing, Failure

Handle: TypeAlias = Callable[[Guest, Instant], list[Effect]]


# --- Numbering --------------------------------------------------------------------------------------------------------


def test_messages_are_taken_in_the_order_of_their_numbers(tunnel: Tunnel) -> None:
    """SEQ-4."""
    host, bob = tunnel.joined(message(1, "opened", kind="system"))
    host.tell(message(2, host.sealed("two")), message(3, host.sealed("three")))

    assert bob.texts == ["opened", "two", "three"]
    assert bob.did[-1] == Arrived()


@pytest.mark.parametrize("seq", [1, 2], ids=["an old number", "the last number"])
def test_a_number_is_not_taken_twice(tunnel: Tunnel, seq: int) -> None:
    """SEQ-5."""
    host, bob = tunnel.joined(message(1, "opened", kind="system"), message(2, "joined", kind="system"))
    host.tell(message(seq, "again", kind="system"))
    host.tell(message(3, "next", kind="system"))

    assert bob.texts == ["opened", "joined", "next"]


@pytest.mark.parametrize("seq", [4, 9_007_199_254_740_991], ids=["one too far", "the largest number"])
def test_a_hole_in_the_numbering_ends_the_tunnel(tunnel: Tunnel, seq: int) -> None:
    """SEQ-4, CLOSE-4."""
    host, bob = tunnel.joined(message(1, "opened", kind="system"), message(2, "joined", kind="system"))
    host.tell(message(seq, "after a hole", kind="system"))

    assert bob.cause is Cause.MISSING_MESSAGES
    assert host.closed_because is Closing.PROTOCOL_ERROR
    assert bob.texts == ["opened", "joined"]


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (1, 1), (2, 1), (1, 2, 4)], ids=str)
def test_a_backlog_with_holes_ends_the_join(tunnel: Tunnel, numbers: tuple[int, ...]) -> None:
    """SEQ-4."""
    host, bob = tunnel.dialled()
    host.challenge()
    host.admit(*(message(seq, "text", kind="system") for seq in numbers))

    assert bob.cause is Cause.MISSING_MESSAGES
    assert host.closed_because is Closing.PROTOCOL_ERROR
    assert bob.texts == []


def test_the_hosts_clock_may_say_what_it_likes(tunnel: Tunnel) -> None:
    """SEQ-4."""
    host, bob = tunnel.joined()
    host.send('{"t":"msg","msg":{"id":"i","seq":1,"from":"host","kind":"system","body":"b","ts":-1.5}}')

    assert bob.texts == ["b"]


# --- Say --------------------------------------------------------------------------------------------------------------


def test_what_is_said_goes_out_sealed_in_the_tables_order(tunnel: Tunnel) -> None:
    """WIRE-10, SEAL-1."""
    host, bob = tunnel.joined()
    bob.say("hello")
    sent = host.drafts[0]

    assert host.texts[-1] == (
        f'{{"t":"send","msg":{{"id":"{sent.id}","seq":-1,"from":"guest","kind":"chat","body":"{sent.body}","ts":0}}}}'
    )
    assert crypto.open_body(host.link.key, sent.body) == "hello"
    assert len(bytes.fromhex(sent.id)) == 8


def test_the_unchanged_echo_confirms(tunnel: Tunnel) -> None:
    """SEQ-3."""
    host, bob = tunnel.joined()
    waiting = bob.say("hello")
    host.tell(host.echo(1))

    assert waiting is None
    assert bob.did[-2:] == [Arrived(), Said(1, 1)]
    assert bob.texts == ["hello"]


CHANGED = [
    pytest.param({"body": "another body"}, id="another body"),
    pytest.param({"id": "another id"}, id="another id"),
    pytest.param({"sender": "host"}, id="another sender"),
]


@pytest.mark.parametrize("changes", CHANGED)
def test_a_changed_echo_does_not_confirm(tunnel: Tunnel, changes: dict[str, str]) -> None:
    """SEQ-3, SEQ-6."""
    host, bob = tunnel.joined()
    bob.say("hello")
    host.tell(host.echo(1, **changes))

    assert bob.answers == {}
    assert "hello" not in bob.texts
    host.tell(host.echo(2))
    assert bob.answers == {1: Said(1, 2)}


def test_an_echo_confirms_once(tunnel: Tunnel) -> None:
    """SEQ-3, SEQ-6."""
    host, bob = tunnel.joined()
    bob.say("hello")
    host.tell(host.echo(1), host.echo(2))

    assert [effect for effect in bob.did if isinstance(effect, Said)] == [Said(1, 1)]
    assert bob.texts == ["hello"]


def test_each_message_is_confirmed_by_its_own_echo(tunnel: Tunnel) -> None:
    """SEQ-3."""
    host, bob = tunnel.joined()
    bob.say("one")
    first = host.echo(2)
    bob.say("two")
    host.tell(host.echo(1), first)

    assert bob.answers == {2: Said(2, 1), 1: Said(1, 2)}
    assert bob.texts == ["two", "one"]


@pytest.mark.parametrize("kind", ["chat", "system"])
def test_what_the_guest_did_not_say_is_not_shown_as_its_own(tunnel: Tunnel, kind: str) -> None:
    """SEQ-6."""
    host, bob = tunnel.joined()
    host.tell(message(1, host.sealed("I agree to everything"), sender="guest", kind=kind))
    host.tell(message(2, host.sealed("thank you")))

    assert bob.texts == ["thank you"]
    assert bob.state is State.JOINED


def test_a_backlog_does_not_hold_what_the_guest_said(tunnel: Tunnel) -> None:
    """SEQ-6."""
    _, bob = tunnel.joined(message(1, "opened", kind="system"), message(2, "forged", sender="guest"))

    assert bob.texts == ["opened"]


def test_a_reflected_message_is_shown_as_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    host, bob = tunnel.joined()
    bob.say("transfer it")
    host.tell(host.echo(1), message(2, host.drafts[-1].body))

    assert bob.texts == ["transfer it", "[replayed]"]


def test_a_message_reflected_before_its_echo_is_shown_as_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    host, bob = tunnel.joined()
    bob.say("transfer it")
    host.tell(message(1, host.drafts[-1].body), host.echo(2))

    assert bob.texts == ["[replayed]", "transfer it"]
    assert bob.answers == {1: Said(1, 2)}


def test_a_repeated_message_of_the_host_is_shown_as_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    host, bob = tunnel.joined()
    body = host.sealed("delete it")
    host.tell(message(1, body), message(2, body))

    assert bob.texts == ["delete it", "[replayed]"]


def test_a_message_repeated_from_the_backlog_is_shown_as_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    host = ScriptedHost(tunnel)
    bob = tunnel.dial("Bob", host.link, at=host)
    body = host.sealed("delete it")
    host.challenge()
    host.admit(message(1, body))
    host.tell(message(2, body))

    assert bob.texts == ["delete it", "[replayed]"]


def test_a_body_that_does_not_open_is_unreadable_and_fails_nothing(tunnel: Tunnel) -> None:
    """SEAL-2."""
    host, bob = tunnel.joined()
    host.tell(message(1, "no ciphertext"), message(2, host.sealed("but this")))

    assert bob.texts == ["[unreadable]", "but this"]


@pytest.mark.parametrize("text", ["x" * TEXT_BYTES, "\u00e4" * (TEXT_BYTES // 2)], ids=["in ASCII", "beyond ASCII"])
def test_a_text_of_exactly_the_bound_can_be_said(tunnel: Tunnel, text: str) -> None:
    """SIZE-5."""
    bob = tunnel.dial("Bob", tunnel.host.open())

    assert bob.say(text) == Said(1, 3)
    assert tunnel.host.last == text


TOO_LONG = [
    pytest.param("x" * (TEXT_BYTES + 1), id="in ASCII"),
    pytest.param("\u00e4" * (TEXT_BYTES // 2) + "x", id="beyond ASCII"),
    pytest.param("\ud800" * (TEXT_BYTES // 3 + 1), id="halves of surrogate pairs, sealed as three bytes each"),
]


@pytest.mark.parametrize("text", TOO_LONG)
def test_a_longer_text_is_not_sent(tunnel: Tunnel, text: str) -> None:
    """SIZE-5."""
    host, bob = tunnel.joined()

    assert bob.say(text) == NotSaid(1, Failure.TEXT_TOO_LONG)
    assert host.drafts == []


@pytest.mark.parametrize("text", ["", "\x00", "\u2028", "\U0001f642", '{"t":"auth"}'], ids=ascii)
def test_whatever_is_said_arrives_as_it_was_said(tunnel: Tunnel, text: str) -> None:
    """SEAL-1."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    bob.say(text)

    assert tunnel.host.last == bob.texts[-1] == text


# --- Whom a guest can trust -------------------------------------------------------------------------------------------


def test_a_host_without_the_key_is_heard_as_unreadable(tunnel: Tunnel) -> None:
    """SEAL-2."""
    host, bob = tunnel.joined()
    host.tell(message(1, crypto.seal(b"\0" * 32, "trust me", b"n" * 24)))

    assert bob.texts == ["[unreadable]"]


def test_a_relay_in_the_middle_cannot_take_the_seat_and_show_the_hosts_words_as_its_own(tunnel: Tunnel) -> None:
    """SEAL-3, SEAL-2."""
    link = tunnel.host.open()
    seat = tunnel.stranger()
    relay = ScriptedHost(tunnel)
    victim = tunnel.dial("Bob", link, at=relay)
    relay.challenge(seat.challenge)
    seat.send(json.dumps({"t": "auth", "response": relay.auths[0].response, "name": "Bob", "sinceSeq": 0}))
    relay.deny("temporary error")
    tunnel.host.say("the plan")
    seat.chat(seat.messages[-1].body)

    assert victim.cause is Cause.REFUSED
    assert seat.welcome is not None
    assert tunnel.host.last == "[replayed]"


def test_nobody_but_the_holders_of_the_key_sees_what_a_guest_says(tunnel: Tunnel) -> None:
    """SEAL-1."""
    host, bob = tunnel.joined()
    bob.say("the password is swordfish")
    bob.close("swordfish")

    assert len(host.drafts) == 2
    assert "swordfish" not in "".join(host.texts)
