"""The guest notices every end of its tunnel, and says why."""

from collections.abc import Callable
from math import inf
from typing import TypeAlias

import pytest

from tests.conversation import Tunnel, fill, message
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.effects import Effect, Ended, HangUp, NotSaid, Ping, Said, Send
from tunnel.core.guest import HOST, Guest
from tunnel.core.instant import Instant
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import (
    IDLE_SECONDS,
    PING_SECONDS,
    SILENCE_SECONDS,
    SYSTEM_MESSAGES,
    TEXT_BYTES,
    TRANSCRIPT_BYTES,
    TRANSCRIPT_MESSAGES,
)
from tunnel.spec.v1.guest import State
from tunnel.spec.v1.refusals import CAUSES, Cause, Closing, Failure

Handle: TypeAlias = Callable[[Guest, Instant], list[Effect]]


# --- A full transcript ------------------------------------------------------------------------------------------------


def test_nothing_more_can_be_said_when_the_transcript_is_full(tunnel: Tunnel) -> None:
    """SIZE-10."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_MESSAGES - 1)
    first, second = bob.say("the last one"), bob.say("one more")

    assert (first, second) == (None, NotSaid(2, Failure.TRANSCRIPT_FULL))
    assert len(host.drafts) == 1


def test_bytes_that_wait_for_their_number_count_as_well(tunnel: Tunnel) -> None:
    """SIZE-10."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_BYTES // 2**18 - 2, body="x" * 2**18)
    first, second = bob.say("y" * TEXT_BYTES), bob.say("y" * TEXT_BYTES)

    assert (first, second) == (None, NotSaid(2, Failure.TRANSCRIPT_FULL))
    assert len(host.drafts) == 1


def test_a_few_system_messages_beyond_a_full_transcript_are_taken(tunnel: Tunnel) -> None:
    """SIZE-10."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_MESSAGES)
    host.tell(*(message(TRANSCRIPT_MESSAGES + n, "text", kind="system") for n in range(1, SYSTEM_MESSAGES + 1)))

    assert bob.state is State.JOINED


def test_a_host_that_sends_more_than_a_session_holds_is_left(tunnel: Tunnel) -> None:
    """SIZE-10, CLOSE-4."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_MESSAGES + SYSTEM_MESSAGES)
    host.tell(message(TRANSCRIPT_MESSAGES + SYSTEM_MESSAGES + 1, "text", kind="system"))

    assert bob.cause is Cause.HOST_FLOOD
    assert host.closed_because is Closing.TRANSCRIPT_FULL


def test_a_host_that_sends_more_bytes_than_a_session_holds_is_left(tunnel: Tunnel) -> None:
    """SIZE-10."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_BYTES // 2**18, body="x" * 2**18)
    full = bob.core.transcript.last
    host.tell(*(message(full + n, "x" * 2**18) for n in range(1, 64)))

    assert bob.cause is Cause.HOST_FLOOD
    assert bob.core.transcript.last <= full + SYSTEM_MESSAGES


def test_an_honest_host_that_is_full_of_bytes_can_still_say_how_it_ends(tunnel: Tunnel) -> None:
    """SIZE-10, CLOSE-5."""
    host, bob = tunnel.joined()
    fill(bob.core.transcript, messages=TRANSCRIPT_BYTES // 2**18, body="x" * 2**18)
    last = bob.core.transcript.last
    host.tell(message(last + 1, "Bob joined", kind="system"), message(last + 2, "closed — all done", kind="system"))
    host.leave()

    assert bob.cause is Cause.CLOSED_BY_HOST


def test_a_backlog_beyond_what_a_session_holds_ends_the_join(tunnel: Tunnel) -> None:
    """SIZE-10."""
    host, bob = tunnel.dialled()
    host.challenge()
    host.admit(*(message(n, "", kind="system") for n in range(1, TRANSCRIPT_MESSAGES + SYSTEM_MESSAGES + 2)))

    assert bob.cause is Cause.HOST_FLOOD


# --- Keepalive --------------------------------------------------------------------------------------------------------


def test_the_host_is_pinged_regularly(tunnel: Tunnel) -> None:
    """KEEP-1."""
    host, _ = tunnel.joined()
    tunnel.advance(PING_SECONDS, nanoseconds=-1)
    before = host.pings
    tunnel.advance(nanoseconds=1)
    first = host.pings
    tunnel.advance(3 * PING_SECONDS)

    assert (before, first, host.pings) == (0, 1, 4)


def test_a_dead_host_is_noticed_exactly_in_time(tunnel: Tunnel) -> None:
    """KEEP-2, KEEP-3, CLOSE-4."""
    host, bob = tunnel.joined()
    host.answers_pings = False
    tunnel.advance(SILENCE_SECONDS, nanoseconds=-1)
    before = bob.cause
    tunnel.advance(nanoseconds=1)

    assert (before, bob.cause) == (None, Cause.HOST_SILENT)
    assert host.closed_because is Closing.SILENT
    assert bob.did[-1] == Ended(Cause.HOST_SILENT)


def test_any_byte_is_a_sign_of_life(tunnel: Tunnel) -> None:
    """KEEP-2."""
    host, bob = tunnel.joined()
    host.answers_pings = False
    tunnel.advance(SILENCE_SECONDS - 1)
    bob.perform(bob.core.heard(tunnel.now))
    tunnel.advance(SILENCE_SECONDS, nanoseconds=-1)
    before = bob.cause
    tunnel.advance(nanoseconds=1)

    assert (before, bob.cause) == (None, Cause.HOST_SILENT)


def test_a_host_that_answers_pings_is_kept(tunnel: Tunnel) -> None:
    """KEEP-2."""
    _, bob = tunnel.joined()
    tunnel.advance(10 * SILENCE_SECONDS)

    assert bob.state is State.JOINED


def test_after_a_suspend_the_guest_pings_and_finds_the_host_dead_in_this_order(tunnel: Tunnel) -> None:
    """TIME-1, KEEP-2."""
    _, bob = tunnel.joined()
    tunnel.sleep(3600)

    pings = [Ping(HOST)] * (SILENCE_SECONDS // PING_SECONDS)

    assert bob.core.expire(tunnel.now) == [*pings, HangUp(HOST, Closing.SILENT), Ended(Cause.HOST_SILENT)]


def test_two_honest_ends_keep_each_other_alive_until_they_are_idle(tunnel: Tunnel) -> None:
    """KEEP-1, KEEP-2, IDLE-1, IDLE-2."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    tunnel.advance(IDLE_SECONDS, nanoseconds=-1)
    before = bob.cause
    tunnel.advance(nanoseconds=1)

    assert (before, bob.cause) == (None, Cause.IDLE)


# --- Ends -------------------------------------------------------------------------------------------------------------


BREACHES: dict[str, tuple[Handle, Closing, Cause]] = {
    "a frame that is too big": (lambda bob, now: bob.oversize(now), Closing.TOO_BIG, Cause.HOST_TOO_BIG),
    "a text message that is not UTF-8": (lambda bob, now: bob.not_text(now), Closing.NOT_TEXT, Cause.BAD_HOST),
    "not reading": (lambda bob, now: bob.overflow(now), Closing.SLOW, Cause.HOST_SLOW),
}


@pytest.mark.parametrize(("breach", "closing", "cause"), BREACHES.values(), ids=BREACHES)
@pytest.mark.parametrize("joined", [False, True], ids=["within the join", "after the join"])
def test_a_host_that_breaks_a_bound_is_left(
    tunnel: Tunnel, breach: Handle, closing: Closing, cause: Cause, *, joined: bool
) -> None:
    """SIZE-3, SIZE-9, WIRE-5, CLOSE-4."""
    _, bob = tunnel.joined() if joined else tunnel.dialled()

    assert breach(bob.core, tunnel.now) == [HangUp(HOST, closing), Ended(cause)]


TOLD = [(Closing(name), cause) for cause, row in CAUSES.items() for name in row.closings]


@pytest.mark.parametrize(
    ("closing", "cause"), TOLD, ids=[f"{closing.value} means {cause.value}" for closing, cause in TOLD]
)
def test_a_guest_concludes_the_cause_from_the_close_frame(tunnel: Tunnel, closing: Closing, cause: Cause) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.leave(closing)

    assert bob.cause is cause


LAST_WORDS = [
    pytest.param("idle timeout — closing tunnel", Cause.IDLE, id="idle"),
    pytest.param("closed — all done", Cause.CLOSED_BY_HOST, id="a summary"),
    pytest.param("closed — process exit", Cause.PROCESS_EXIT, id="the end of the process"),
    pytest.param("Bob joined", Cause.HOST_GONE, id="something else"),
    pytest.param("closed - all done", Cause.HOST_GONE, id="another dash"),
]


@pytest.mark.parametrize(("text", "cause"), LAST_WORDS)
def test_a_guest_concludes_the_cause_from_the_last_system_message(tunnel: Tunnel, text: str, cause: Cause) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.tell(message(1, text, kind="system"))
    host.leave()

    assert bob.cause is cause


@pytest.mark.parametrize(("text", "cause"), LAST_WORDS)
def test_a_last_word_that_was_not_the_last_tells_nothing(tunnel: Tunnel, text: str, cause: Cause) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.tell(message(1, text, kind="system"), message(2, host.sealed("still here")))
    host.leave()

    assert bob.cause is Cause.HOST_GONE


def test_a_chat_is_no_last_word(tunnel: Tunnel) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.tell(message(1, "closed — all done"))
    host.leave()

    assert bob.cause is Cause.HOST_GONE


def test_the_close_frame_is_believed_before_the_last_system_message(tunnel: Tunnel) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.tell(message(1, "idle timeout — closing tunnel", kind="system"))
    host.leave(Closing.PROCESS_EXIT)

    assert bob.cause is Cause.PROCESS_EXIT


@pytest.mark.parametrize("reason", ["", "bye", "CLOSED BY HOST", "\ud800"], ids=ascii)
def test_a_reason_that_nobody_knows_tells_nothing(tunnel: Tunnel, reason: str) -> None:
    """CLOSE-5."""
    _, bob = tunnel.joined()

    assert bob.core.lost(reason, tunnel.now) == [Ended(Cause.HOST_GONE)]


def test_a_host_that_vanishes_is_told_at_once(tunnel: Tunnel) -> None:
    """CLOSE-5."""
    host, bob = tunnel.joined()
    host.leave()

    assert bob.did[-1] == Ended(Cause.HOST_GONE)


def test_what_is_not_confirmed_when_the_tunnel_ends_is_told_so(tunnel: Tunnel) -> None:
    """SEQ-3, CLOSE-5."""
    host, bob = tunnel.joined()
    bob.say("one")
    host.tell(host.echo(1))
    bob.say("two")
    bob.say("three")
    host.leave()

    assert bob.answers == {1: Said(1, 1), 2: NotSaid(2, Failure.UNCONFIRMED), 3: NotSaid(3, Failure.UNCONFIRMED)}
    assert bob.did[-1] == Ended(Cause.HOST_GONE)


def test_a_guest_that_closes_says_goodbye(tunnel: Tunnel) -> None:
    """CLOSE-4."""
    host, bob = tunnel.joined()
    bob.close()

    assert host.closed_because is Closing.LEFT
    assert bob.did[-1] == Ended(Cause.CLOSED_BY_GUEST)
    assert host.drafts == []


def test_a_summary_is_the_last_chat_of_a_guest(tunnel: Tunnel) -> None:
    """CLOSE-6."""
    host, bob = tunnel.joined()
    bob.close("thank you")

    assert [crypto.open_body(host.link.key, draft.body) for draft in host.drafts] == ["thank you"]
    assert [type(effect) for effect in bob.did[-3:]] == [Send, HangUp, Ended]


def test_the_host_hears_the_summary_and_then_that_the_guest_has_left(tunnel: Tunnel) -> None:
    """CLOSE-6, LOCK-1."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    bob.close("thank you")

    assert tunnel.host.texts[-2:] == ["thank you", "Bob left"]


@pytest.mark.parametrize("challenged", [False, True], ids=["before the challenge", "before the admission"])
def test_a_summary_is_not_said_before_the_admission(tunnel: Tunnel, *, challenged: bool) -> None:
    """AUTH-10, CLOSE-6."""
    host, bob = tunnel.dialled()
    if challenged:
        host.challenge()
    bob.close("thank you")

    assert host.drafts == []
    assert bob.cause is Cause.CLOSED_BY_GUEST


def test_a_guest_whose_process_ends_says_goodbye(tunnel: Tunnel) -> None:
    """CLOSE-4."""
    host, bob = tunnel.joined()
    bob.exit()

    assert host.closed_because is Closing.LEFT
    assert bob.cause is Cause.CLOSED_BY_GUEST


INPUTS: dict[str, Handle] = {
    "connected": lambda bob, now: bob.connected(now),
    "unreachable": lambda bob, now: bob.unreachable(now),
    "challenge": lambda bob, now: bob.receive('{"t":"challenge","nonce":"N"}', now),
    "auth_ok": lambda bob, now: bob.receive('{"t":"auth_ok","goal":"g","peerName":"x","backlog":[]}', now),
    "auth_fail": lambda bob, now: bob.receive('{"t":"auth_fail","reason":"bad key"}', now),
    "msg": lambda bob, now: bob.receive(codec.encode(frames.Msg(msg=message(1, "late"))).decode(), now),
    "malformed": lambda bob, now: bob.receive('{"t":"challenge"}', now),
    "noise": lambda bob, now: bob.noise(now),
    "heard": lambda bob, now: bob.heard(now),
    "oversize": lambda bob, now: bob.oversize(now),
    "not text": lambda bob, now: bob.not_text(now),
    "overflow": lambda bob, now: bob.overflow(now),
    "lost": lambda bob, now: bob.lost("closed by host", now),
    "close": lambda bob, now: bob.close("late", now),
    "exit": lambda bob, now: bob.exit(now),
    "expire": lambda bob, now: bob.expire(now),
}
"""Everything that can happen to a guest; `say` has an answer of its own."""


@pytest.mark.parametrize("handle", INPUTS.values(), ids=INPUTS)
def test_nothing_wakes_a_tunnel_that_has_ended(tunnel: Tunnel, handle: Handle) -> None:
    """CLOSE-3."""
    _, bob = tunnel.joined()
    ended = bob.core.close("", tunnel.now)
    tunnel.sleep(3600)

    assert ended[-1] == Ended(Cause.CLOSED_BY_GUEST)
    assert handle(bob.core, tunnel.now) == []
    assert (bob.cause, bob.texts) == (Cause.CLOSED_BY_GUEST, [])
    assert bob.core.next_deadline() is None


@pytest.mark.parametrize("handle", INPUTS.values(), ids=INPUTS)
def test_every_input_lets_due_timers_go_first(tunnel: Tunnel, handle: Handle) -> None:
    """TIME-1."""
    _, bob = tunnel.joined()
    tunnel.sleep(SILENCE_SECONDS)
    pings = [Ping(HOST)] * (SILENCE_SECONDS // PING_SECONDS)

    assert handle(bob.core, tunnel.now) == [*pings, HangUp(HOST, Closing.SILENT), Ended(Cause.HOST_SILENT)]


def test_nothing_can_be_said_after_the_end(tunnel: Tunnel) -> None:
    """CLOSE-3."""
    _, bob = tunnel.joined()
    bob.close()

    assert bob.say("one more thing") == NotSaid(1, Failure.ENDED)


def test_what_was_not_read_stays_readable_after_the_end(tunnel: Tunnel) -> None:
    """CLOSE-7."""
    host, bob = tunnel.joined()
    host.tell(message(1, host.sealed("read me")))
    host.leave(Closing.CLOSED_BY_HOST)

    assert bob.texts == ["read me"]
    assert bob.cause is Cause.CLOSED_BY_HOST


def test_a_guest_says_until_when_nobody_has_to_ask_it(tunnel: Tunnel) -> None:
    """KEEP-1, CLOSE-3."""
    _, bob = tunnel.joined()
    ping = bob.core.next_deadline()

    assert ping is not None
    assert bob.core.quiet_until() == ping
    bob.core.close("", tunnel.now)
    assert bob.core.quiet_until() == inf
