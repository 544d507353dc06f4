"""Nobody makes the host hold more, wait longer, or tell more than it wants to."""

from collections.abc import Callable

import pytest

from tests.conversation import Stranger, Tunnel, draft, fill
from tunnel.core.effects import Arrived, Effect, HangUp, NotSaid, PeerLeft, Said
from tunnel.core.host import Host
from tunnel.core.instant import Instant
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import (
    BACKLOG_FRAME_BYTES,
    CONTROL_FRAMES,
    GOAL_BYTES,
    GUEST_FRAME_BYTES,
    OUTBOX_BYTES,
    PING_SECONDS,
    STRANGER_CONNECTIONS,
    STRANGER_FRAME_BYTES,
    TEXT_BYTES,
    TRANSCRIPT_BYTES,
    TRANSCRIPT_MESSAGES,
)
from tunnel.spec.v1.refusals import Closing, Failure
from tunnel.spec.v1.session import State

# --- Strangers --------------------------------------------------------------------------------------------------------


def test_what_a_stranger_sends_is_not_heard(tunnel: Tunnel) -> None:
    """LOCK-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.stranger().chat("from a stranger")

    assert [message.seq for message in bob.messages] == [1, 2]
    assert len(tunnel.host.texts) == 2


def test_a_stranger_that_leaves_leaves_no_trace(tunnel: Tunnel) -> None:
    """LOCK-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.stranger().leave()
    bob.chat()

    assert PeerLeft() not in tunnel.host.did
    assert bob.messages[-1].seq == 3


def test_a_stranger_learns_nothing_of_what_is_said(tunnel: Tunnel) -> None:
    """LOCK-2, AUTH-1."""
    tunnel.host.open(goal="a secret goal")
    bob = tunnel.admitted()
    eve = tunnel.stranger()
    tunnel.host.say("hello")
    bob.chat()
    tunnel.host.close("all done")

    assert [type(frame) for frame in eve.got] == [frames.Challenge]


NOISE = [
    pytest.param("", id="nothing"),
    pytest.param("not JSON", id="no JSON"),
    pytest.param("null", id="null"),
    pytest.param("[]", id="a list"),
    pytest.param('"auth"', id="a string"),
    pytest.param("5", id="a number"),
    pytest.param("{}", id="an empty object"),
    pytest.param('{"t":5}', id="a number as name"),
    pytest.param('{"t":null}', id="null as name"),
    pytest.param('{"T":"auth"}', id="no name"),
    pytest.param('{"t":"no-such-frame"}', id="an unknown frame"),
    pytest.param('{"t":"challenge","nonce":"N"}', id="challenge"),
    pytest.param('{"t":"auth_ok","goal":"g","peerName":"x","backlog":[]}', id="auth_ok"),
    pytest.param('{"t":"auth_fail","reason":"bad key"}', id="auth_fail"),
    pytest.param('{"t":"msg","msg":{"id":"i","seq":9,"from":"host","kind":"system","body":"b","ts":0}}', id="msg"),
    pytest.param('{"t":"roster","members":[]}', id="a frame of a later version"),
    pytest.param('{"t":"send"}', id="send without a message"),
    pytest.param('{"t":"send","msg":null}', id="send with null"),
    pytest.param('{"t":"send","msg":{"kind":"chat","body":"b"}}', id="send without an id"),
    pytest.param('{"t":"send","msg":{"id":"i","kind":"chat"}}', id="send without a body"),
    pytest.param('{"t":"send","msg":{"id":5,"kind":"chat","body":"b"}}', id="send with a number as id"),
    pytest.param('{"t":"send","msg":{"id":"i","kind":"chat","body":{}}}', id="send with an object as body"),
    pytest.param('{"t":"send","msg":{"id":"i","body":"b"}}', id="send without a kind"),
    pytest.param('{"t":"send","msg":{"id":"i","kind":"system","body":"b"}}', id="a forged system message"),
    pytest.param('{"t":"send","msg":{"id":"i","kind":"artifact","body":"b"}}', id="a kind of a later version"),
    pytest.param(draft(id="i" * 65), id="an id that is too long"),
    pytest.param(draft("half \ud800"), id="half a surrogate pair"),
    pytest.param('\ufeff{"t":"auth"}', id="a byte-order mark"),
    pytest.param("[" * 5000 + "]" * 5000, id="deep nesting"),
    pytest.param('{"t":"auth","x":' + "[" * 40 + "]" * 40 + "}", id="a deep auth"),
]


@pytest.mark.parametrize("text", NOISE)
def test_noise_from_a_stranger_costs_it_nothing(tunnel: Tunnel, text: str) -> None:
    """WIRE-4, LOCK-2, SIZE-4."""
    link = tunnel.host.open()
    stranger = tunnel.stranger()
    effects = tunnel.host.core.receive(stranger.number, text, tunnel.now)
    stranger.auth(link.key)

    assert effects == []
    assert stranger.welcome is not None


@pytest.mark.parametrize("text", NOISE)
def test_noise_from_the_guest_costs_it_nothing(tunnel: Tunnel, text: str) -> None:
    """WIRE-4, SIZE-4."""
    tunnel.host.open()
    bob = tunnel.admitted()
    effects = tunnel.host.core.receive(bob.number, text, tunnel.now)
    bob.chat("still here")

    assert effects == []
    assert bob.messages[-1].body == "still here"


def test_a_binary_message_that_is_no_text_is_ignored(tunnel: Tunnel) -> None:
    """WIRE-5."""
    tunnel.host.open()
    bob = tunnel.admitted()

    assert tunnel.host.core.noise(bob.number, tunnel.now) == []


def test_a_connection_that_nobody_knows_is_ignored(tunnel: Tunnel) -> None:
    """LOCK-2."""
    tunnel.host.open()
    stranger = tunnel.stranger()
    stranger.leave()

    assert tunnel.host.core.receive(stranger.number, stranger.auth_text(tunnel.host.link.key), tunnel.now) == []
    assert tunnel.host.core.control(stranger.number, tunnel.now) == []
    assert tunnel.host.core.lost(99, tunnel.now) == []


# --- A full transcript ------------------------------------------------------------------------------------------------

FULL = [
    pytest.param(TRANSCRIPT_MESSAGES - 3, "", id="of messages"),
    pytest.param(TRANSCRIPT_BYTES // 2**18, "x" * 2**18, id="of bytes"),
]


@pytest.mark.parametrize(("messages", "body"), FULL)
def test_nothing_more_can_be_said_when_the_transcript_is_full(tunnel: Tunnel, messages: int, body: str) -> None:
    """SIZE-10."""
    tunnel.host.open()
    tunnel.admitted()
    before = tunnel.host.say("one")
    fill(tunnel.host.core.transcript, messages=messages, body=body)

    assert before == Said(1, 3)
    assert tunnel.host.say("one more") == NotSaid(2, Failure.TRANSCRIPT_FULL)


@pytest.mark.parametrize(("messages", "body"), FULL)
def test_a_guest_that_overfills_the_transcript_is_hung_up_on(tunnel: Tunnel, messages: int, body: str) -> None:
    """SIZE-10, CLOSE-4."""
    tunnel.host.open()
    bob = tunnel.admitted(name="Bob")
    bob.chat()
    fill(tunnel.host.core.transcript, messages=messages, body=body)
    bob.chat("one more")

    assert bob.closed_because is Closing.TRANSCRIPT_FULL
    assert tunnel.host.last == "Bob left"
    assert tunnel.host.core.transcript.last == messages + 4


def test_the_last_message_that_fits_is_numbered(tunnel: Tunnel) -> None:
    """SIZE-10."""
    tunnel.host.open()
    bob = tunnel.admitted()
    fill(tunnel.host.core.transcript, messages=TRANSCRIPT_MESSAGES - 3)
    bob.chat()

    assert tunnel.host.core.transcript.last == TRANSCRIPT_MESSAGES
    assert bob.closed_because is None


def test_a_full_session_still_says_how_it_ends(tunnel: Tunnel) -> None:
    """SIZE-10, CLOSE-1."""
    tunnel.host.open()
    fill(tunnel.host.core.transcript, messages=TRANSCRIPT_MESSAGES)
    tunnel.host.close("all done")

    assert tunnel.host.core.transcript.at(tunnel.host.core.transcript.last).body == "closed — all done"


# --- A backlog that does not fit into one frame -----------------------------------------------------------------------

LONG = "x" * 200_000


def slow_reader(tunnel: Tunnel) -> Stranger:
    """A guest that was admitted to a long backlog, and reads only when it is told to."""
    tunnel.host.open()
    for _ in range(12):
        tunnel.host.say(LONG)
    bob = tunnel.stranger()
    bob.reads = False
    bob.auth(tunnel.host.link.key)
    return bob


def test_the_first_part_of_a_long_backlog_fits_into_one_frame(tunnel: Tunnel) -> None:
    """SIZE-11."""
    bob = slow_reader(tunnel)
    bob.read_on()

    assert bob.welcome is not None
    assert 2 < len(bob.welcome.backlog) < 13
    assert len(bob.texts[1].encode()) <= BACKLOG_FRAME_BYTES


def test_a_backlog_of_many_messages_fits_into_one_frame_with_the_longest_goal(tunnel: Tunnel) -> None:
    """SIZE-11."""
    tunnel.host.open(goal="g" * GOAL_BYTES)
    fill(tunnel.host.core.transcript, messages=5000, body="x" * 200)
    bob = tunnel.admitted()

    assert BACKLOG_FRAME_BYTES - 1000 < len(bob.texts[1].encode()) <= BACKLOG_FRAME_BYTES
    assert [message.seq for message in bob.messages] == list(range(1, 5003))


def test_the_rest_of_a_long_backlog_waits_until_the_guest_has_read(tunnel: Tunnel) -> None:
    """SIZE-11, SIZE-9."""
    bob = slow_reader(tunnel)
    before = len(bob.unread)
    bob.read_on()
    tunnel.host.say("newer")

    assert before == 1
    assert 0 < sum(len(text) for text in bob.unread) <= BACKLOG_FRAME_BYTES + 1000


def test_a_guest_that_is_behind_still_gets_the_last_word(tunnel: Tunnel) -> None:
    """CLOSE-1, SEQ-1, SIZE-11."""
    bob = slow_reader(tunnel)
    was_behind = tunnel.host.core.is_behind
    tunnel.host.close("all done")
    while bob.waiting:
        bob.read_on()

    assert was_behind
    assert [message.seq for message in bob.messages] == list(range(1, tunnel.host.core.transcript.last + 1))
    assert bob.messages[-1].body == "closed \u2014 all done"


def test_a_guest_that_is_far_behind_gets_as_much_as_may_wait_for_it_and_no_hole(tunnel: Tunnel) -> None:
    """SIZE-9, SEQ-1, CLOSE-1."""
    bob = slow_reader(tunnel)
    for _ in range(2 * OUTBOX_BYTES // TEXT_BYTES):
        tunnel.host.say("x" * TEXT_BYTES)
    tunnel.host.close("all done")
    while bob.waiting:
        bob.read_on()

    taken = [message.seq for message in bob.messages]
    assert taken == list(range(1, len(taken) + 1))
    assert len(taken) < tunnel.host.core.transcript.last
    assert sum(len(message.body) for message in bob.messages) > OUTBOX_BYTES // 2


def test_a_connection_that_is_gone_is_forgotten(tunnel: Tunnel) -> None:
    """CLOSE-2."""
    tunnel.host.open()
    gone = tunnel.stranger()
    gone.leave()

    assert tunnel.host.core._connections == {}


def test_a_long_backlog_comes_whole_and_before_anything_newer(tunnel: Tunnel) -> None:
    """SIZE-11, SEQ-1."""
    bob = slow_reader(tunnel)
    tunnel.host.say("newer")
    was_behind = tunnel.host.core.is_behind
    while bob.waiting:
        bob.read_on()

    assert was_behind
    assert not tunnel.host.core.is_behind
    assert [message.seq for message in bob.messages] == list(range(1, 16))
    assert bob.messages[-2].body == "Eve joined"


def test_what_the_guest_says_within_its_backlog_comes_behind_it(tunnel: Tunnel) -> None:
    """SIZE-11, SEQ-1, SEQ-3."""
    bob = slow_reader(tunnel)
    bob.read_on()
    bob.chat("mine")
    bob.reads = True
    bob.read_on()

    assert [message.seq for message in bob.messages] == list(range(1, 16))
    assert bob.messages[-1].body == "mine"


def test_an_honest_guest_gets_a_long_backlog(tunnel: Tunnel) -> None:
    """SIZE-11, SEQ-4."""
    link = tunnel.host.open()
    for _ in range(12):
        tunnel.host.say(LONG)
    bob = tunnel.dial("Bob", link)

    assert bob.cause is None
    assert bob.texts == ["tunnel opened — goal: pair on checkout", *[LONG] * 12, "Bob joined"]


def test_a_message_as_large_as_a_guest_may_send_does_not_stop_what_follows(tunnel: Tunnel) -> None:
    """SIZE-11, SIZE-2, SEQ-1."""
    bob = slow_reader(tunnel)
    begin, end = '{"t":"send","msg":{"id":"i","kind":"chat","body":"', '"}}'
    bob.send(begin + "x" * (GUEST_FRAME_BYTES - len(begin + end)) + end)
    tunnel.host.say("newer")
    bob.reads = True
    bob.read_on()

    assert [message.seq for message in bob.messages] == list(range(1, 17))


# --- Bounds and floods ------------------------------------------------------------------------------------------------


def test_a_guest_may_send_larger_frames_than_a_stranger(tunnel: Tunnel) -> None:
    """SIZE-1, SIZE-2."""
    tunnel.host.open()
    bob, eve = tunnel.admitted(), tunnel.stranger()
    while_in = tunnel.host.core.largest_frame(bob.number)
    bob.leave()

    assert while_in == GUEST_FRAME_BYTES
    assert tunnel.host.core.largest_frame(bob.number) == STRANGER_FRAME_BYTES
    assert tunnel.host.core.largest_frame(eve.number) == STRANGER_FRAME_BYTES


def flood(host: Host, number: int, now: Instant) -> list[Effect]:
    return [effect for _ in range(CONTROL_FRAMES + 1) for effect in host.control(number, now)]


BREACHES = [
    pytest.param(Host.oversize, Closing.TOO_BIG, id="a frame that is too big"),
    pytest.param(Host.not_text, Closing.NOT_TEXT, id="a text message that is not UTF-8"),
    pytest.param(Host.overflow, Closing.SLOW, id="not reading"),
    pytest.param(flood, Closing.FLOOD, id="a flood of pings"),
]


@pytest.mark.parametrize(("breach", "closing"), BREACHES)
def test_a_stranger_that_breaks_a_bound_is_hung_up_on(
    tunnel: Tunnel, breach: Callable[[Host, int, Instant], list[Effect]], closing: Closing
) -> None:
    """SIZE-1, SIZE-8, SIZE-9, WIRE-5, CLOSE-4."""
    link = tunnel.host.open()
    eve = tunnel.stranger()
    effects = breach(tunnel.host.core, eve.number, tunnel.now)
    tunnel.host.perform(effects)

    assert effects == [HangUp(eve.number, closing)]
    assert tunnel.dial("Bob", link).refused_because is None


@pytest.mark.parametrize(("breach", "closing"), BREACHES)
def test_a_guest_that_breaks_a_bound_counts_as_left(
    tunnel: Tunnel, breach: Callable[[Host, int, Instant], list[Effect]], closing: Closing
) -> None:
    """SIZE-2, SIZE-8, SIZE-9, WIRE-5, CLOSE-4, LOCK-1."""
    tunnel.host.open()
    bob = tunnel.admitted(name="Bob")
    effects = breach(tunnel.host.core, bob.number, tunnel.now)

    assert effects == [HangUp(bob.number, closing), Arrived(), PeerLeft()]
    assert tunnel.host.last == "Bob left"
    assert tunnel.host.state is State.VACATED


def test_as_many_pings_as_are_allowed_cost_nothing(tunnel: Tunnel) -> None:
    """SIZE-8."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.ping(CONTROL_FRAMES)
    tunnel.advance(PING_SECONDS)
    bob.ping(CONTROL_FRAMES - 2)

    assert bob.closed_because is None


def test_one_ping_more_than_is_allowed_is_a_flood(tunnel: Tunnel) -> None:
    """SIZE-8."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.ping(CONTROL_FRAMES + 1)

    assert bob.closed_because is Closing.FLOOD


@pytest.mark.parametrize(
    ("nanoseconds", "pongs", "closing"),
    [(-1, 0, Closing.FLOOD), (0, 1, None)],
    ids=["within the time", "at its end"],
)
def test_the_time_of_a_flood_is_exact(tunnel: Tunnel, nanoseconds: int, pongs: int, closing: Closing | None) -> None:
    """SIZE-8: at the end of the time the host pings, and the pong counts as well."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.ping()
    tunnel.advance(1)
    bob.ping(CONTROL_FRAMES - 1 - pongs)
    tunnel.advance(PING_SECONDS - 1, nanoseconds=nanoseconds)
    bob.ping()

    assert bob.closed_because is closing


def test_a_flood_is_a_flood_wherever_it_begins(tunnel: Tunnel) -> None:
    """SIZE-8."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(PING_SECONDS - 1)
    bob.ping(CONTROL_FRAMES - 10)
    tunnel.advance(2)
    bob.ping(CONTROL_FRAMES - 10)

    assert bob.closed_because is Closing.FLOOD


def test_one_stranger_too_many_evicts_the_oldest(tunnel: Tunnel) -> None:
    """SIZE-7."""
    link = tunnel.host.open()
    waiting = [tunnel.stranger() for _ in range(STRANGER_CONNECTIONS)]
    before = [stranger.closed_because for stranger in waiting]
    newest = tunnel.stranger()
    newest.auth(link.key)

    assert set(before) == {None}
    assert waiting[0].closed_because is Closing.EVICTED
    assert {stranger.closed_because for stranger in waiting[1:]} == {None}
    assert newest.welcome is not None


def test_only_those_who_wait_for_authentication_are_counted_and_evicted(tunnel: Tunnel) -> None:
    """SIZE-7."""
    tunnel.host.open()
    bob = tunnel.admitted()
    for _ in range(STRANGER_CONNECTIONS):
        tunnel.stranger().auth(b"\0" * 32)
    waiting = [tunnel.stranger(upgraded=False) for _ in range(STRANGER_CONNECTIONS)]
    before = waiting[0].closed_because
    tunnel.stranger()

    assert before is None
    assert waiting[0].closed_because is Closing.EVICTED
    assert bob.closed_because is None
