"""The host keeps every deadline to the nanosecond, and a due timer comes before any input."""

from collections.abc import Callable

import pytest

from tests.conversation import Stranger, Tunnel
from tunnel.core.effects import Ended, HangUp, NotSaid, PeerLeft, Ping
from tunnel.spec.v1.constants import (
    AUTH_SECONDS,
    IDLE_SECONDS,
    LINK_SECONDS,
    PING_SECONDS,
    SILENCE_SECONDS,
    TEXT_BYTES,
)
from tunnel.spec.v1.refusals import Cause, Closing, Failure, Refusal
from tunnel.spec.v1.session import State

IDLE_TEXT = "idle timeout — closing tunnel"


# --- Lifetime of the link ---------------------------------------------------------------------------------------------


def test_the_link_is_good_at_the_last_moment(tunnel: Tunnel) -> None:
    """LINK-2."""
    link = tunnel.host.open()
    tunnel.advance(LINK_SECONDS)

    assert tunnel.dial("Bob", link).refused_because is None
    assert tunnel.host.state is State.LOCKED


def test_the_link_is_dead_a_nanosecond_after_its_last_moment(tunnel: Tunnel) -> None:
    """LINK-2."""
    link = tunnel.host.open()
    tunnel.advance(LINK_SECONDS, nanoseconds=1)

    assert tunnel.dial("Bob", link).refused_because is Refusal.JOIN_LINK_EXPIRED
    assert tunnel.host.state is State.WAITING


def test_the_life_of_the_link_begins_when_it_is_handed_out(tunnel: Tunnel) -> None:
    """LINK-2."""
    link = tunnel.host.start()
    tunnel.advance(60)
    tunnel.host.perform(tunnel.host.core.reachable(tunnel.now))
    expires_at = tunnel.host.core.link_expires_at()
    tunnel.advance(LINK_SECONDS)

    assert expires_at == tunnel.ticks
    assert tunnel.dial("Bob", link).refused_because is None


@pytest.mark.parametrize("seconds", [10, LINK_SECONDS + 1], ids=["while the link is young", "when the link is old"])
def test_the_life_of_the_link_is_the_same_whatever_is_said(tunnel: Tunnel, seconds: int) -> None:
    """LINK-2."""
    tunnel.host.open()
    before = tunnel.host.core.link_expires_at()
    tunnel.advance(seconds)
    tunnel.host.say("hello?")

    assert tunnel.host.core.link_expires_at() == before


# --- Idle -------------------------------------------------------------------------------------------------------------


def test_a_session_ends_exactly_when_it_was_idle_for_long_enough(tunnel: Tunnel) -> None:
    """IDLE-1."""
    tunnel.host.open()
    tunnel.advance(IDLE_SECONDS, nanoseconds=-1)
    before = tunnel.host.cause
    tunnel.advance(nanoseconds=1)

    assert before is None
    assert tunnel.host.cause is Cause.IDLE


def test_an_idle_end_is_the_last_system_message_and_told_in_the_close_frame(tunnel: Tunnel) -> None:
    """IDLE-3, CLOSE-4, CLOSE-5."""
    tunnel.host.open()
    bob = tunnel.admitted()
    guard = tunnel.stranger()
    tunnel.advance(IDLE_SECONDS)

    assert bob.messages[-1].body == tunnel.host.last == IDLE_TEXT
    assert bob.closed_because is Closing.IDLE
    assert guard.closed_because is Closing.AUTH_TIMEOUT
    assert tunnel.host.did[-1] == Ended(Cause.IDLE)


def test_a_guest_learns_that_the_session_was_idle(tunnel: Tunnel) -> None:
    """IDLE-3, CLOSE-5."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    tunnel.advance(IDLE_SECONDS)

    assert bob.cause is Cause.IDLE
    assert bob.texts[-1] == IDLE_TEXT


def test_a_tunnel_that_nobody_can_reach_is_idle_since_the_start_of_the_relay(tunnel: Tunnel) -> None:
    """IDLE-1."""
    tunnel.host.start()
    tunnel.advance(IDLE_SECONDS, nanoseconds=-1)
    before = tunnel.host.cause
    tunnel.advance(nanoseconds=1)

    assert (before, tunnel.host.cause) == (None, Cause.IDLE)
    assert tunnel.host.texts == []


def say_something(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.host.say("thinking")


def hear_something(tunnel: Tunnel, bob: Stranger) -> None:
    bob.chat()


def see_the_guest_leave(tunnel: Tunnel, bob: Stranger) -> None:
    bob.leave()


@pytest.mark.parametrize("act", [say_something, hear_something, see_the_guest_leave])
def test_every_numbered_message_is_activity(tunnel: Tunnel, act: Callable[[Tunnel, Stranger], None]) -> None:
    """IDLE-1, IDLE-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(IDLE_SECONDS - 1)
    act(tunnel, bob)

    assert tunnel.host.core.idle_ends_at() == tunnel.ticks + IDLE_SECONDS * 10**9


def test_a_join_is_activity(tunnel: Tunnel) -> None:
    """IDLE-1, IDLE-2."""
    link = tunnel.host.open()
    tunnel.advance(LINK_SECONDS)
    tunnel.dial("Bob", link)

    assert tunnel.host.core.idle_ends_at() == tunnel.ticks + IDLE_SECONDS * 10**9


def try_to_join(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.stranger().auth(tunnel.host.link.key)


def try_to_join_without_the_key(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.stranger().auth(b"\0" * 32)


def try_to_join_malformed(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.stranger().auth(tunnel.host.link.key, name=5)


def connect_and_leave(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.stranger().leave()


def send_as_a_stranger(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.stranger().chat()


def send_a_ping(tunnel: Tunnel, bob: Stranger) -> None:
    bob.ping()


def send_an_unknown_frame(tunnel: Tunnel, bob: Stranger) -> None:
    bob.send('{"t":"no-such-frame"}')


def send_bytes(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.host.perform(tunnel.host.core.heard(bob.number, tunnel.now))


def send_a_forged_system_message(tunnel: Tunnel, bob: Stranger) -> None:
    bob.chat(kind="system")


def read_everything(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.host.perform(tunnel.host.core.drained(bob.number, tunnel.now))


def say_too_much(tunnel: Tunnel, bob: Stranger) -> None:
    tunnel.host.say("x" * (TEXT_BYTES + 1))


NO_ACTIVITY = [
    try_to_join,
    try_to_join_without_the_key,
    try_to_join_malformed,
    connect_and_leave,
    send_as_a_stranger,
    send_a_ping,
    send_an_unknown_frame,
    send_bytes,
    send_a_forged_system_message,
    read_everything,
    say_too_much,
]


@pytest.mark.parametrize("act", NO_ACTIVITY)
def test_nothing_else_is_activity(tunnel: Tunnel, act: Callable[[Tunnel, Stranger], None]) -> None:
    """IDLE-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(IDLE_SECONDS - 1)
    act(tunnel, bob)
    before = tunnel.host.cause
    tunnel.advance(1)

    assert (before, tunnel.host.cause) == (None, Cause.IDLE)


# --- Timers come first ------------------------------------------------------------------------------------------------


def test_what_is_said_at_the_moment_of_the_end_is_too_late(tunnel: Tunnel) -> None:
    """TIME-1."""
    tunnel.host.open()
    tunnel.sleep(IDLE_SECONDS)

    assert tunnel.host.say("wait!") == NotSaid(1, Failure.ENDED)
    assert tunnel.host.cause is Cause.IDLE


def test_an_auth_at_the_moment_of_its_deadline_is_too_late(tunnel: Tunnel) -> None:
    """TIME-1, AUTH-6."""
    link = tunnel.host.open()
    slow = tunnel.stranger()
    tunnel.sleep(AUTH_SECONDS)
    slow.auth(link.key)

    assert slow.welcome is None
    assert slow.closed_because is Closing.AUTH_TIMEOUT


def test_a_sign_of_life_at_the_moment_of_its_deadline_is_too_late(tunnel: Tunnel) -> None:
    """TIME-1, KEEP-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.answers_pings = False
    tunnel.sleep(SILENCE_SECONDS)
    bob.chat("I am here")

    assert bob.closed_because is Closing.SILENT
    assert tunnel.host.last == "Eve left"


def test_after_a_suspend_all_due_timers_take_effect_the_oldest_first(tunnel: Tunnel) -> None:
    """TIME-1, KEEP-1, KEEP-2, AUTH-6."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(AUTH_SECONDS - 1)
    silent = tunnel.stranger()
    tunnel.sleep(SILENCE_SECONDS)
    woken = tunnel.host.core.expire(tunnel.now)

    assert [effect for effect in woken if isinstance(effect, Ping | HangUp | PeerLeft)] == [
        Ping(bob.number),
        HangUp(silent.number, Closing.AUTH_TIMEOUT),
        Ping(bob.number),
        HangUp(bob.number, Closing.SILENT),
        PeerLeft(),
    ]
    assert tunnel.host.core.expire(tunnel.now) == []


def test_a_stranger_whose_time_was_over_before_the_sessions_is_told_so(tunnel: Tunnel) -> None:
    """TIME-1, AUTH-6, IDLE-1."""
    tunnel.host.open()
    tunnel.advance(IDLE_SECONDS - AUTH_SECONDS - 1)
    early = tunnel.stranger()
    tunnel.advance(2)
    late = tunnel.stranger()
    tunnel.sleep(AUTH_SECONDS)
    tunnel.expire()

    assert (early.closed_because, late.closed_because) == (Closing.AUTH_TIMEOUT, Closing.IDLE)
    assert tunnel.host.cause is Cause.IDLE


def test_of_a_session_and_a_connection_that_are_due_at_one_moment_the_session_goes_first(tunnel: Tunnel) -> None:
    """TIME-1."""
    tunnel.host.open()
    tunnel.advance(IDLE_SECONDS - AUTH_SECONDS)
    silent = tunnel.stranger()
    tunnel.advance(AUTH_SECONDS)

    assert silent.closed_because is Closing.IDLE


def test_of_connections_that_are_due_at_one_moment_the_first_accepted_goes_first(tunnel: Tunnel) -> None:
    """TIME-1."""
    tunnel.host.open()
    silent = [tunnel.stranger() for _ in range(3)]
    tunnel.sleep(AUTH_SECONDS)

    assert tunnel.host.core.expire(tunnel.now) == [HangUp(one.number, Closing.AUTH_TIMEOUT) for one in silent]


def test_after_a_long_suspend_a_waiting_session_is_over_and_its_link_dead(tunnel: Tunnel) -> None:
    """TIME-1, IDLE-1, LINK-2."""
    link = tunnel.host.open()
    tunnel.sleep(24 * 3600)
    late = tunnel.stranger()

    assert tunnel.host.cause is Cause.IDLE
    assert tunnel.host.core.link_expires_at() is None
    assert late.welcome is None
    assert link.key


def test_the_host_names_the_next_moment_at_which_it_has_something_to_do(tunnel: Tunnel) -> None:
    """TIME-1."""
    tunnel.host.open()
    waiting = tunnel.host.core.next_deadline()
    tunnel.stranger()
    with_a_stranger = tunnel.host.core.next_deadline()
    tunnel.host.close()

    assert waiting == tunnel.ticks + IDLE_SECONDS * 10**9
    assert with_a_stranger == tunnel.ticks + AUTH_SECONDS * 10**9
    assert tunnel.host.core.next_deadline() is None


# --- Time to authenticate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upgraded", [True, False], ids=["after the challenge", "before the HTTP request"])
def test_a_silent_connection_is_hung_up_on_in_time(tunnel: Tunnel, *, upgraded: bool) -> None:
    """AUTH-6."""
    tunnel.host.open()
    silent = tunnel.stranger(upgraded=upgraded)
    tunnel.advance(AUTH_SECONDS, nanoseconds=-1)
    before = silent.closed_because
    tunnel.advance(nanoseconds=1)

    assert before is None
    assert silent.closed_because is Closing.AUTH_TIMEOUT


def test_the_time_to_authenticate_runs_from_the_first_byte_to_the_last(tunnel: Tunnel) -> None:
    """AUTH-6."""
    tunnel.host.open()
    slow = tunnel.stranger(upgraded=False)
    tunnel.advance(AUTH_SECONDS - 1)
    tunnel.host.perform(tunnel.host.core.upgraded(slow.number, tunnel.now))
    slow.ping()
    slow.send("null")
    tunnel.advance(1)

    assert slow.closed_because is Closing.AUTH_TIMEOUT


def test_a_guest_that_is_in_is_not_timed_out(tunnel: Tunnel) -> None:
    """AUTH-6."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(10 * AUTH_SECONDS)

    assert bob.closed_because is None


# --- Keepalive --------------------------------------------------------------------------------------------------------


def test_the_guest_is_pinged_regularly(tunnel: Tunnel) -> None:
    """KEEP-1."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(PING_SECONDS, nanoseconds=-1)
    before = bob.pings
    tunnel.advance(nanoseconds=1)
    first = bob.pings
    tunnel.advance(3 * PING_SECONDS)

    assert (before, first, bob.pings) == (0, 1, 4)


def test_nobody_but_the_guest_is_pinged(tunnel: Tunnel) -> None:
    """KEEP-1."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.leave()
    tunnel.stranger()
    tunnel.advance(4 * PING_SECONDS)

    assert not [effect for effect in tunnel.host.did if isinstance(effect, Ping)]


def test_a_dead_guest_is_noticed_exactly_in_time(tunnel: Tunnel) -> None:
    """KEEP-2, KEEP-3, CLOSE-4."""
    tunnel.host.open()
    bob = tunnel.admitted(name="Bob")
    bob.answers_pings = False
    tunnel.advance(SILENCE_SECONDS, nanoseconds=-1)
    before = bob.closed_because
    tunnel.advance(nanoseconds=1)

    assert before is None
    assert bob.closed_because is Closing.SILENT
    assert tunnel.host.did[-1] == PeerLeft()
    assert tunnel.host.last == "Bob left"


def test_it_is_remembered_why_the_guest_was_hung_up_on_and_nobody_else(tunnel: Tunnel) -> None:
    """KEEP-3."""
    tunnel.host.open()
    tunnel.stranger()
    tunnel.advance(AUTH_SECONDS)
    bob = tunnel.admitted(name="Bob")
    bob.answers_pings = False
    before = tunnel.host.core.dropped_because
    tunnel.advance(SILENCE_SECONDS)

    assert before is None
    assert tunnel.host.core.dropped_because is Closing.SILENT


def test_any_byte_is_a_sign_of_life(tunnel: Tunnel) -> None:
    """KEEP-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.answers_pings = False
    tunnel.advance(SILENCE_SECONDS - 1)
    tunnel.host.perform(tunnel.host.core.heard(bob.number, tunnel.now))
    tunnel.advance(SILENCE_SECONDS, nanoseconds=-1)
    before = bob.closed_because
    tunnel.advance(nanoseconds=1)

    assert (before, bob.closed_because) == (None, Closing.SILENT)


def test_a_guest_that_answers_pings_stays(tunnel: Tunnel) -> None:
    """KEEP-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(10 * SILENCE_SECONDS)

    assert bob.closed_because is None
