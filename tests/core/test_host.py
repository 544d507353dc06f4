"""The host opens, numbers what both ends say, and ends when it says so."""

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.conversation import EPOCH_MS, Tunnel, draft
from tests.core.witness import Load, Scales
from tunnel import crypto
from tunnel.core.effects import Arrived, Effect, Ended, HandOutLink, NotSaid, Said, Send
from tunnel.core.host import Host
from tunnel.core.instant import Instant
from tunnel.spec.v1.constants import (
    IDLE_SECONDS,
    KEY_BYTES,
    MESSAGE_ID_BYTES,
    TEXT_BYTES,
)
from tunnel.spec.v1.frames import Message
from tunnel.spec.v1.refusals import Cause, Closing, Failure, Refusal
from tunnel.spec.v1.session import State

# --- Opening ----------------------------------------------------------------------------------------------------------


def test_the_first_message_says_what_the_tunnel_is_for(tunnel: Tunnel) -> None:
    """SEQ-1."""
    tunnel.host.open(goal="pair on checkout")

    assert tunnel.host.texts == ["tunnel opened — goal: pair on checkout"]
    assert tunnel.host.state is State.WAITING


def test_the_link_is_handed_out_once_and_not_before_somebody_can_reach_the_relay(tunnel: Tunnel) -> None:
    """LINK-2."""
    tunnel.host.start()
    before = tunnel.host.did.count(HandOutLink())
    tunnel.host.perform(tunnel.host.core.reachable(tunnel.now))
    tunnel.host.perform(tunnel.host.core.reachable(tunnel.now))

    assert before == 0
    assert tunnel.host.did.count(HandOutLink()) == 1
    assert tunnel.host.texts == ["tunnel opened — goal: pair on checkout"]


def test_nobody_is_admitted_before_the_link_was_handed_out(tunnel: Tunnel) -> None:
    """LINK-5, LINK-3."""
    link = tunnel.host.start()
    early = tunnel.stranger()
    early.auth(link.key)
    tunnel.host.perform(tunnel.host.core.reachable(tunnel.now))
    tunnel.admitted(name="Bob")

    assert early.refused_because is Refusal.BAD_KEY
    assert tunnel.host.last == "Bob joined"


def test_nothing_is_said_before_the_link_was_handed_out(tunnel: Tunnel) -> None:
    """LINK-5."""
    tunnel.host.start()

    assert tunnel.host.say("anybody?") == NotSaid(1, Failure.NOT_OPEN_YET)
    assert tunnel.host.texts == []


# --- One read ---------------------------------------------------------------------------------------------------------

NOISE = '{"t":"later"}'

READS = {
    "who proves itself, talks, makes noise and proves itself once more": (
        "proof",
        "chat",
        NOISE,
        "chat",
        "proof",
        "chat",
    ),
    "who guesses, and goes on": ("guess", "proof", "chat"),
    "who sends no frames at all": (NOISE, "[]", "{", NOISE),
    "who talks before it is asked in": ("chat", "proof", "chat"),
}


def taken(read: tuple[str, ...], load: Load, *, at_once: bool) -> tuple[list[Effect], list[Message], State, int | None]:
    """What comes of a stranger's messages, taken as one input or one by one, all at one moment."""
    tunnel = Tunnel()
    key = tunnel.host.open().key
    eve = tunnel.stranger()
    texts = {"proof": eve.auth_text(key), "guess": eve.auth_text(bytes(KEY_BYTES)), "chat": draft("sealed")}
    core, inputs = tunnel.host.core, [texts.get(name, name) for name in read]
    Scales(core.transcript).put(load)
    if at_once:
        did = core.receive_all(eve.number, inputs, tunnel.now)
    else:
        did = [effect for text in inputs for effect in core.receive(eve.number, text, tunnel.now)]
    return did, list(core.transcript.after(0)), core.state, core.guest


@pytest.mark.parametrize("load", Load)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_messages_of_one_read_do_what_they_do_one_by_one(read: tuple[str, ...], load: Load) -> None:
    """LOCK-2, SEQ-1, SIZE-10, AUTH-2."""
    assert taken(read, load, at_once=True) == taken(read, load, at_once=False)


def test_all_messages_of_one_read_are_taken() -> None:
    """SEQ-1."""
    did, messages, _, guest = taken(("proof", "chat", NOISE, "chat"), Load.LIGHT, at_once=True)

    assert guest is not None
    assert [message.body for message in messages][-2:] == ["sealed", "sealed"]
    assert did.count(Arrived()) == len(messages) - 1


# --- Numbering --------------------------------------------------------------------------------------------------------


def test_the_host_keeps_id_and_body_and_sets_everything_else(tunnel: Tunnel) -> None:
    """SEQ-2, SEQ-3, WIRE-3."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.chat("sealed", id="mine", seq=999, ts=5, extra="junk", **{"from": "host"})

    assert bob.texts[-1] == (
        '{"t":"msg","msg":{"id":"mine","seq":3,"from":"guest","kind":"chat","body":"sealed","ts":' + f"{EPOCH_MS}}}}}"
    )


@pytest.mark.parametrize("forged", [[], {}, "x", 1e300, None, True], ids=repr)
def test_the_fields_of_a_draft_that_are_not_read_may_hold_anything(tunnel: Tunnel, forged: object) -> None:
    """SEQ-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.chat("body", seq=forged, ts=forged, **{"from": forged})

    assert (bob.messages[-1].seq, bob.messages[-1].sender, bob.messages[-1].ts) == (3, "guest", EPOCH_MS)


def test_junk_beside_a_message_is_neither_kept_nor_passed_on(tunnel: Tunnel) -> None:
    """WIRE-3, SEQ-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.send(
        json.dumps(
            {"t": "send", "junk": "J" * 1000, "msg": {"id": "i", "kind": "chat", "body": "b", "junk": "J" * 1000}}
        )
    )

    assert bob.messages[-1].body == "b"
    assert "JJJ" not in bob.texts[-1]


def test_messages_are_numbered_without_gaps_whoever_says_them(tunnel: Tunnel) -> None:
    """SEQ-1."""
    tunnel.host.open()
    tunnel.host.say("before you come")
    bob = tunnel.admitted()
    bob.chat(id="a")
    tunnel.host.say("welcome")
    bob.chat(id="a")
    tunnel.host.close("all done")

    assert [message.seq for message in bob.messages] == [1, 2, 3, 4, 5, 6, 7]


def test_the_time_of_a_message_is_the_hosts_wall_time(tunnel: Tunnel) -> None:
    """SEQ-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.advance(5)
    bob.chat(ts=7)

    assert bob.messages[-1].ts == EPOCH_MS + 5000


def test_a_body_that_is_no_ciphertext_is_passed_on_and_shown_as_unreadable(tunnel: Tunnel) -> None:
    """SEAL-2."""
    tunnel.host.open()
    bob = tunnel.admitted()
    bob.chat("no ciphertext")

    assert bob.messages[-1].body == "no ciphertext"
    assert tunnel.host.last == "[unreadable]"


def test_a_message_that_is_sent_twice_is_shown_once_and_then_as_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    link = tunnel.host.open()
    bob = tunnel.admitted()
    body = crypto.seal(link.key, "transfer it", b"n" * 24)
    bob.chat(body, id="one")
    bob.chat(body, id="two")

    assert tunnel.host.texts[-2:] == ["transfer it", "[replayed]"]


def test_the_hosts_own_words_that_come_back_from_the_guest_are_replayed(tunnel: Tunnel) -> None:
    """SEAL-3."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.host.say("yes, delete it")
    bob.chat(bob.messages[-1].body)

    assert tunnel.host.texts[-2:] == ["yes, delete it", "[replayed]"]


# --- Say --------------------------------------------------------------------------------------------------------------


def test_what_is_said_before_the_guest_comes_waits_in_the_backlog(tunnel: Tunnel) -> None:
    """SEQ-1, SIZE-11."""
    link = tunnel.host.open()
    said = tunnel.host.say("read this first")
    bob = tunnel.dial("Bob", link)

    assert said == Said(1, 2)
    assert bob.texts == ["tunnel opened — goal: pair on checkout", "read this first", "Bob joined"]


def test_nothing_can_be_said_to_a_guest_that_has_left(tunnel: Tunnel) -> None:
    """LOCK-3."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    bob.close()

    assert tunnel.host.say("are you there?") == NotSaid(1, Failure.PEER_LEFT)
    assert tunnel.host.last == "Bob left"


@pytest.mark.parametrize("text", ["x" * TEXT_BYTES, "\u00e4" * (TEXT_BYTES // 2)], ids=["in ASCII", "beyond ASCII"])
def test_a_text_of_exactly_the_bound_can_be_said(tunnel: Tunnel, text: str) -> None:
    """SIZE-5."""
    bob = tunnel.dial("Bob", tunnel.host.open())

    assert tunnel.host.say(text) == Said(1, 3)
    assert bob.texts[-1] == text


TOO_LONG = [
    pytest.param("x" * (TEXT_BYTES + 1), id="in ASCII"),
    pytest.param("\u00e4" * (TEXT_BYTES // 2) + "x", id="beyond ASCII"),
    pytest.param("\ud800" * (TEXT_BYTES // 3 + 1), id="halves of surrogate pairs, sealed as three bytes each"),
]


@pytest.mark.parametrize("text", TOO_LONG)
def test_a_longer_text_is_not_sent(tunnel: Tunnel, text: str) -> None:
    """SIZE-5."""
    tunnel.host.open()

    assert tunnel.host.say(text) == NotSaid(1, Failure.TEXT_TOO_LONG)
    assert len(tunnel.host.texts) == 1


def test_a_text_that_is_too_long_is_not_even_sealed() -> None:
    """Who repeats a session with the same chance gets the same numbers and ids: no nonce is drawn for what is not sealed."""
    drawn: list[int] = []

    def chance(count: int) -> bytes:
        drawn.append(count)
        return bytes(count)

    now = Instant(0, EPOCH_MS)
    host = Host(key=bytes(KEY_BYTES), goal="pair on checkout", name="Alice", entropy=chance, now=now)
    host.reachable(now)
    drawn.clear()
    host.say(1, "x" * (TEXT_BYTES + 1), now)

    assert drawn == [MESSAGE_ID_BYTES]


# --- Ends -------------------------------------------------------------------------------------------------------------


def close_with_a_summary(tunnel: Tunnel) -> None:
    tunnel.host.close("all done")


def close_without_a_word(tunnel: Tunnel) -> None:
    tunnel.host.close()


def end_the_process(tunnel: Tunnel) -> None:
    tunnel.host.exit()


def lose_the_transport(tunnel: Tunnel) -> None:
    tunnel.host.lose_transport()


ENDS = [
    (close_with_a_summary, "closed — all done", Cause.CLOSED_BY_HOST, Closing.CLOSED_BY_HOST),
    (close_without_a_word, None, Cause.CLOSED_BY_HOST, Closing.CLOSED_BY_HOST),
    (end_the_process, "closed — process exit", Cause.PROCESS_EXIT, Closing.PROCESS_EXIT),
    (lose_the_transport, None, Cause.TRANSPORT_LOST, Closing.TRANSPORT_LOST),
]


@pytest.mark.parametrize(("end", "last", "cause", "closing"), ENDS)
def test_everybody_is_told_how_the_session_ends(
    tunnel: Tunnel, end: Callable[[Tunnel], None], last: str | None, cause: Cause, closing: Closing
) -> None:
    """CLOSE-1, CLOSE-2, CLOSE-4."""
    tunnel.host.open()
    bob, eve, raw = tunnel.admitted(name="Bob"), tunnel.stranger(), tunnel.stranger(upgraded=False)
    end(tunnel)

    assert tunnel.host.cause is cause
    assert tunnel.host.did[-1] == Ended(cause)
    assert bob.messages[-1].body == (last or "Bob joined")
    assert [end.closed_because for end in (bob, eve, raw)] == [closing] * 3


@pytest.mark.parametrize(("end", "last", "cause", "closing"), ENDS)
def test_a_guest_learns_how_the_session_ends(
    tunnel: Tunnel, end: Callable[[Tunnel], None], last: str | None, cause: Cause, closing: Closing
) -> None:
    """CLOSE-5."""
    bob = tunnel.dial("Bob", tunnel.host.open())
    end(tunnel)

    assert bob.cause is cause
    assert bob.texts[-1] == (last or "Bob joined")
    assert bob.closed_because is closing


@pytest.mark.parametrize("state", [State.WAITING, State.VACATED], ids=lambda state: state.value)
@pytest.mark.parametrize(("end", "last", "cause", "closing"), ENDS)
def test_a_session_ends_the_same_way_with_nobody_in_it(
    tunnel: Tunnel, state: State, end: Callable[[Tunnel], None], last: str | None, cause: Cause, closing: Closing
) -> None:
    """CLOSE-1, CLOSE-2."""
    tunnel.host.open()
    tunnel.bring(state)
    before = tunnel.host.last
    end(tunnel)

    assert tunnel.host.cause is cause
    assert tunnel.host.last == (last or before)


@pytest.mark.parametrize(("end", "last", "cause", "closing"), ENDS)
def test_a_tunnel_that_was_never_open_ends_without_a_message(
    tunnel: Tunnel, end: Callable[[Tunnel], None], last: str | None, cause: Cause, closing: Closing
) -> None:
    """CLOSE-2, LINK-5."""
    tunnel.host.start()
    end(tunnel)

    assert tunnel.host.cause is cause
    assert tunnel.host.texts == []


Handle: TypeAlias = Callable[[Host, Instant], list[Effect]]

INPUTS: dict[str, Handle] = {
    "reachable": lambda host, now: host.reachable(now),
    "unreachable": lambda host, now: host.unreachable(now),
    "upgraded": lambda host, now: host.upgraded(2, now),
    "auth": lambda host, now: host.receive(2, '{"t":"auth","response":"x","name":"x","sinceSeq":0}', now),
    "send": lambda host, now: host.receive(1, draft(), now),
    "noise": lambda host, now: host.noise(1, now),
    "heard": lambda host, now: host.heard(1, now),
    "control": lambda host, now: host.control(1, now),
    "oversize": lambda host, now: host.oversize(1, now),
    "not text": lambda host, now: host.not_text(1, now),
    "overflow": lambda host, now: host.overflow(1, now),
    "drained": lambda host, now: host.drained(1, now),
    "lost": lambda host, now: host.lost(1, now),
    "close": lambda host, now: host.close("again", now),
    "exit": lambda host, now: host.exit(now),
    "expire": lambda host, now: host.expire(now),
}
"""Everything that can happen to a host, on connections 1 and 2; `say` and `accept` have answers of their own."""


@pytest.mark.parametrize("handle", INPUTS.values(), ids=INPUTS)
def test_every_input_lets_due_timers_go_first(tunnel: Tunnel, handle: Handle) -> None:
    """TIME-1."""
    tunnel.host.open()
    tunnel.admitted()
    tunnel.host.perform(tunnel.host.core.lost(1, tunnel.now))
    tunnel.sleep(IDLE_SECONDS)
    out = handle(tunnel.host.core, tunnel.now)

    assert out[:2] == [Arrived(), Ended(Cause.IDLE)]
    assert tunnel.host.cause is Cause.IDLE


@pytest.mark.parametrize("handle", INPUTS.values(), ids=INPUTS)
def test_nothing_wakes_a_session_that_has_ended(tunnel: Tunnel, handle: Handle) -> None:
    """CLOSE-3."""
    tunnel.host.open()
    tunnel.admitted()
    tunnel.stranger()
    ended = tunnel.host.core.close("", tunnel.now)
    tunnel.sleep(3600)

    assert ended[-1] == Ended(Cause.CLOSED_BY_HOST)
    assert handle(tunnel.host.core, tunnel.now) == []
    assert tunnel.host.cause is Cause.CLOSED_BY_HOST
    assert tunnel.host.core.next_deadline() is None


def test_nobody_delays_the_end(tunnel: Tunnel) -> None:
    """CLOSE-2."""
    tunnel.host.open()
    frozen, silent = tunnel.admitted(), tunnel.stranger(upgraded=False)
    frozen.reads = silent.reads = False
    tunnel.host.close("all done")

    assert tunnel.host.did[-1] == Ended(Cause.CLOSED_BY_HOST)
    assert all(socket.is_closed for socket in tunnel.host.sockets.values())
    assert tunnel.host.core.next_deadline() is None


def test_nothing_can_be_said_after_the_end(tunnel: Tunnel) -> None:
    """CLOSE-3."""
    tunnel.host.open()
    tunnel.host.close()

    assert tunnel.host.say("one more thing") == NotSaid(1, Failure.ENDED)


def test_whoever_connects_after_the_end_is_not_spoken_to(tunnel: Tunnel) -> None:
    """CLOSE-2, CLOSE-3."""
    tunnel.host.open()
    tunnel.host.close()
    late = tunnel.stranger()

    assert late.texts == []
    assert tunnel.host.core.next_deadline() is None


def test_the_end_is_told_once(tunnel: Tunnel) -> None:
    """CLOSE-3, CLOSE-5."""
    tunnel.host.open()
    tunnel.admitted()
    tunnel.host.close()
    tunnel.host.exit()
    tunnel.advance(2 * IDLE_SECONDS)

    assert [effect for effect in tunnel.host.did if isinstance(effect, Ended)] == [Ended(Cause.CLOSED_BY_HOST)]


def test_an_older_session_has_no_say_in_a_newer_one() -> None:
    """CLOSE-3, IDLE-1."""
    older, newer = Tunnel("older"), Tunnel("newer")
    older.dial("Bob", older.host.open())
    older.host.close()
    newer.host.open()
    older.advance(IDLE_SECONDS)
    newer.advance(IDLE_SECONDS - 1)

    assert (older.host.cause, newer.host.cause) == (Cause.CLOSED_BY_HOST, None)


# --- Chance -----------------------------------------------------------------------------------------------------------


def story(seed: str) -> list[str]:
    """All that a guest gets to see of one and the same conversation."""
    tunnel = Tunnel(seed)
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.host.say("hello")
    bob.chat()
    tunnel.host.close("all done")
    return bob.texts


def test_a_seeded_session_repeats_byte_for_byte() -> None:
    """SEQ-1."""
    assert story("one seed") == story("one seed")
    assert story("one seed") != story("another seed")


def test_no_two_seals_share_a_nonce(tunnel: Tunnel) -> None:
    """SEAL-1."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.host.say("yes")
    tunnel.host.say("yes")
    first, second = (message.body for message in bob.messages[-2:])

    assert first[: crypto.NONCE_CHARS] != second[: crypto.NONCE_CHARS]


def test_the_operator_sees_no_text_of_a_chat(tunnel: Tunnel) -> None:
    """SEAL-1."""
    tunnel.host.open()
    bob = tunnel.admitted()
    tunnel.host.say("the password is swordfish")

    assert "swordfish" not in "".join(bob.texts)
    assert isinstance(tunnel.host.did[-3], Send)
