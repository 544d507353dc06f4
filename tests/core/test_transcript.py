"""A transcript has no gaps and a bound, and says which of its chats must not be taken at their word."""

import pytest

from tests.conversation import fill, message, read
from tunnel import crypto
from tunnel.core.transcript import REPLAYED, UNREADABLE, Transcript
from tunnel.spec.v1.constants import SYSTEM_MESSAGES, TRANSCRIPT_BYTES, TRANSCRIPT_MESSAGES

KEY = bytes(range(32))
CHUNK = "x" * 2**18


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(KEY)


def sealed(text: str, nonce: int = 0) -> str:
    return crypto.seal(KEY, text, bytes([nonce] * 24))


def test_an_empty_transcript_ends_before_the_first_number(transcript: Transcript) -> None:
    """SEQ-1."""
    assert transcript.last == 0
    assert list(transcript.after(0)) == []


def test_messages_come_back_in_their_order(transcript: Transcript) -> None:
    """SEQ-1."""
    fill(transcript, messages=3, body="text")

    assert [one.seq for one in transcript.after(0)] == [1, 2, 3]
    assert transcript.at(2).seq == 2


@pytest.mark.parametrize(
    ("seq", "rest"), [(-5, [1, 2, 3]), (0, [1, 2, 3]), (1, [2, 3]), (3, []), (10**30, [])], ids=str
)
def test_the_rest_begins_behind_a_number(transcript: Transcript, seq: int, rest: list[int]) -> None:
    """SEQ-1."""
    fill(transcript, messages=3)

    assert [one.seq for one in transcript.after(min(seq, transcript.last))] == rest


def test_a_chat_is_opened_when_it_is_read(transcript: Transcript) -> None:
    """SEAL-1."""
    transcript.append(message(1, sealed("hello")))

    assert read(transcript) == ["hello"]


@pytest.mark.parametrize(
    "body", ["", "no ciphertext", crypto.seal(b"\1" * 32, "hello", b"n" * 24)], ids=["empty", "noise", "another key"]
)
def test_a_chat_that_does_not_open_is_unreadable(transcript: Transcript, body: str) -> None:
    """SEAL-2."""
    transcript.append(message(1, body))

    assert read(transcript) == [UNREADABLE]


def test_a_nonce_that_was_seen_before_makes_a_replay(transcript: Transcript) -> None:
    """SEAL-3."""
    transcript.append(message(1, sealed("one", nonce=1)))
    transcript.append(message(2, sealed("two", nonce=2)))
    transcript.append(message(3, sealed("one", nonce=1), sender="guest"))
    transcript.append(message(4, sealed("another text", nonce=2)))

    assert read(transcript) == ["one", "two", REPLAYED, REPLAYED]


def test_a_nonce_that_was_sent_makes_a_replay_and_its_own_echo_does_not(transcript: Transcript) -> None:
    """SEAL-3."""
    body = sealed("mine")
    first, second = transcript.is_fresh(body), transcript.is_fresh(body)
    transcript.append(message(1, body, sender="guest"), own=True)
    transcript.append(message(2, body))

    assert (first, second) == (True, False)
    assert read(transcript) == ["mine", REPLAYED]


def test_what_was_seen_with_the_key_before_is_a_replay() -> None:
    """SEAL-3, remembered for longer than one join."""
    nonces: set[str] = set()
    Transcript(KEY, nonces).append(message(1, sealed("delete it", nonce=1)))
    later = Transcript(KEY, nonces)
    later.append(message(1, sealed("delete it", nonce=1)))
    later.append(message(2, sealed("do not", nonce=2)))

    assert read(later) == [REPLAYED, "do not"]


def test_the_nonce_of_a_concealed_chat_is_seen(transcript: Transcript) -> None:
    """SEAL-3, SEQ-6."""
    transcript.append(message(1, sealed("forged")), concealed=True)
    transcript.append(message(2, sealed("forged")))

    assert read(transcript) == [REPLAYED]


def test_only_a_chat_that_opens_and_is_no_replay_is_sound(transcript: Transcript) -> None:
    """SEAL-2, SEAL-3."""
    transcript.append(message(1, sealed("one", nonce=1)))
    transcript.append(message(2, sealed("one", nonce=1)))
    transcript.append(message(3, "not sealed"))
    transcript.append(message(4, "Bob joined", kind="system"))

    assert [transcript.is_sound(one) for one in transcript.after(0)] == [True, False, False, False]


def test_a_concealed_message_counts_and_is_not_shown(transcript: Transcript) -> None:
    """SEQ-6."""
    transcript.append(message(1, sealed("one", nonce=1)))
    transcript.append(message(2, sealed("forged", nonce=2)), concealed=True)
    transcript.append(message(3, sealed("three", nonce=3)))

    assert read(transcript) == ["one", "three"]
    assert [one.seq for one in transcript.after(0)] == [1, 2, 3]


def test_a_system_text_is_neither_opened_nor_a_replay(transcript: Transcript) -> None:
    """SEAL-3, NAME-1."""
    transcript.append(message(1, "Bob joined\x1b", kind="system"))
    transcript.append(message(2, "Bob joined\x1b", kind="system"))

    assert read(transcript) == [r"Bob joined\u001b"] * 2


def test_a_system_text_makes_no_chat_a_replay(transcript: Transcript) -> None:
    """SEAL-3."""
    transcript.append(message(1, sealed("hello"), kind="system"))
    transcript.append(message(2, sealed("hello")))

    assert read(transcript)[1] == "hello"


def test_there_is_room_for_so_many_messages_and_no_more(transcript: Transcript) -> None:
    """SIZE-10."""
    fill(transcript, messages=TRANSCRIPT_MESSAGES - 1)
    room = transcript.has_room(10)
    behind_one_that_waits = transcript.has_room(10, waiting=1)
    fill(transcript, messages=1)

    assert (room, behind_one_that_waits, transcript.has_room(10)) == (True, False, False)


def test_there_is_room_for_so_many_bytes_and_no_more(transcript: Transcript) -> None:
    """SIZE-10."""
    fill(transcript, messages=TRANSCRIPT_BYTES // len(CHUNK) - 1, body=CHUNK)

    assert transcript.has_room(len(CHUNK))
    assert not transcript.has_room(len(CHUNK) + 1)


def test_bytes_are_counted_and_not_characters(transcript: Transcript) -> None:
    """SIZE-10."""
    four_bytes_each = "\U0001f642" * 2**16
    fill(transcript, messages=TRANSCRIPT_BYTES // len(four_bytes_each.encode()), body=four_bytes_each)

    assert not transcript.has_room(1)


def test_a_full_transcript_takes_some_system_messages_more(transcript: Transcript) -> None:
    """SIZE-10."""
    fill(transcript, messages=TRANSCRIPT_MESSAGES + SYSTEM_MESSAGES - 1)
    before = transcript.overfull
    fill(transcript, messages=1)

    assert (before, transcript.overfull) == (False, True)


def test_a_transcript_that_is_exactly_full_of_bytes_is_not_overfull(transcript: Transcript) -> None:
    """SIZE-10."""
    fill(transcript, messages=TRANSCRIPT_BYTES // len(CHUNK), body=CHUNK)
    before = transcript.overfull
    fill(transcript, messages=SYSTEM_MESSAGES + 1, body=CHUNK)

    assert (before, transcript.overfull) == (False, True)
