"""A transcript in portions: nothing is lost, nothing is unbounded, and waiting ends when there is news."""

import asyncio

import pytest

from tests.app.ends import KEY, PATIENCE_SECONDS, a_tunnel, caught_up, listen, say, status
from tunnel import crypto
from tunnel.app.listening import portion, recent
from tunnel.app.settings import ANSWER_BYTES, ANSWER_MESSAGES
from tunnel.core.transcript import REPLAYED, UNREADABLE, Transcript
from tunnel.spec.v1.frames import Message


def transcript(*texts: str, concealed: frozenset[int] = frozenset()) -> Transcript:
    """What these texts, said by the host, make; a number in `concealed` counts and is not shown."""
    said = Transcript(KEY)
    for seq, text in enumerate(texts, 1):
        body = crypto.seal(KEY, text, seq.to_bytes(24))
        message = Message(id=f"m{seq}", seq=seq, sender="host", kind="chat", body=body, ts=seq)
        said.append(message, concealed=seq in concealed)
    return said


def numbers(said: Transcript, since: int) -> list[int]:
    return [message.seq for message in portion(said, "host", since).messages]


@pytest.mark.parametrize(("since", "heard"), [(0, [1, 2, 3]), (1, [2, 3]), (3, []), (4, []), (10**30, [])])
def test_a_portion_begins_behind_its_number(since: int, heard: list[int]) -> None:
    assert numbers(transcript("a", "b", "c"), since) == heard


def test_an_empty_transcript_has_an_empty_portion() -> None:
    heard = portion(transcript(), "host", 0)

    assert (heard.messages, heard.cursor, heard.more) == ([], 0, False)


@pytest.mark.parametrize(
    ("count", "more"), [(ANSWER_MESSAGES, False), (ANSWER_MESSAGES + 1, True)], ids=["as many as fit", "one more"]
)
def test_a_portion_holds_a_bounded_number_of_messages(count: int, more: bool) -> None:
    heard = portion(transcript(*("x" for _ in range(count))), "host", 0)

    assert (len(heard.messages), heard.cursor, heard.more) == (ANSWER_MESSAGES, ANSWER_MESSAGES, more)


def test_a_portion_holds_a_bounded_number_of_bytes() -> None:
    half = "é" * (ANSWER_BYTES // 4)
    heard = portion(transcript(half, half, "x"), "host", 0)

    assert ([message.seq for message in heard.messages], heard.cursor, heard.more) == ([1, 2], 2, True)


def test_a_message_that_is_longer_than_a_portion_is_given_whole_and_alone() -> None:
    long = "x" * (ANSWER_BYTES + 1)
    said = transcript("a", long, "b")

    assert numbers(said, 0) == [1]
    assert portion(said, "host", 1).messages[0].text == long
    assert numbers(said, 1) == [2]
    assert numbers(said, 2) == [3]


def test_portions_one_after_the_other_hear_everything_once() -> None:
    said = transcript(*(f"{number} {'x' * 999}" for number in range(700)))
    cursor, heard = 0, list[int]()
    while (part := portion(said, "host", cursor)).messages:
        heard += [message.seq for message in part.messages]
        assert part.more is (heard[-1] < 700)
        cursor = part.cursor

    assert heard == list(range(1, 701))


def test_a_concealed_message_counts_and_is_not_heard() -> None:
    said = transcript("a", "b", "c", concealed=frozenset({2, 3}))
    heard = portion(said, "host", 0)

    assert [message.seq for message in heard.messages] == [1]
    assert heard.cursor == 3


def test_what_cannot_be_trusted_is_heard_as_such() -> None:
    said = transcript("a")
    first = said.at(1)
    said.append(Message(id="m2", seq=2, sender="guest", kind="chat", body=first.body, ts=2))
    said.append(Message(id="m3", seq=3, sender="guest", kind="chat", body="not sealed", ts=3))

    assert [message.text for message in portion(said, "host", 0).messages] == ["a", REPLAYED, UNREADABLE]


def test_who_wrote_what_is_told_and_only_what_its_reader_said_is_its_own() -> None:
    said = transcript("a")
    said.append(Message(id="m2", seq=2, sender="host", kind="system", body="b", ts=2))
    said.append(Message(id="m3", seq=3, sender="guest", kind="chat", body=said.at(1).body, ts=3))
    said.append(Message(id="\u202e4", seq=4, sender="guest", kind="chat", body="not sealed", ts=4))
    peer, system = "peer, sealed with the link's key", "system text, not authenticated"
    bad = "peer, but replayed or not readable with the link's key"

    assert [message.provenance for message in portion(said, "host", 0).messages] == ["own", system, bad, bad]
    assert [message.provenance for message in portion(said, "guest", 0).messages] == [peer, system, bad, bad]
    assert [message.is_untrusted for message in portion(said, "host", 0).messages] == [False, True, True, True]
    assert portion(said, "host", 3).messages[0].id == "\\u202e4"


def test_what_a_chat_says_is_made_visible_and_counted_as_it_is_shown() -> None:
    half = "\x01" * (ANSWER_BYTES // 12)
    heard = portion(transcript("a\n\tb\u202e", half, half, "x"), "guest", 0)

    assert heard.messages[0].text == "a\n\tb\\u202e"
    assert heard.messages[1].text == "\\u0001" * (ANSWER_BYTES // 12)
    assert heard.more
    assert [message.seq for message in heard.messages] == [1, 2]


def test_the_last_messages_are_those_that_fit() -> None:
    half = "x" * (ANSWER_BYTES // 2)
    heard = recent(transcript("a", half, half, "b", concealed=frozenset({4})), "guest")

    assert ([message.seq for message in heard.messages], heard.cursor, heard.more) == ([2, 3], 4, True)
    assert [m.seq for m in recent(transcript(*"ab"), "guest").messages] == [1, 2]
    assert not recent(transcript(*"ab"), "guest").more
    assert recent(transcript(), "host").messages == []


def test_of_many_last_messages_a_bounded_number_is_given() -> None:
    heard = recent(transcript(*("x" for _ in range(ANSWER_MESSAGES + 1))), "host")

    assert (len(heard.messages), heard.messages[0].seq, heard.more) == (ANSWER_MESSAGES, 2, True)


@pytest.mark.anyio
async def test_a_listen_ahead_of_all_messages_hears_the_next_one() -> None:
    async with a_tunnel() as (alice, bob, _):
        listening = asyncio.create_task(listen(alice, 99))
        await asyncio.sleep(0)
        await say(bob, "hello")

        heard = await asyncio.wait_for(listening, PATIENCE_SECONDS)

    assert [message.text for message in heard.messages] == ["hello"]
    assert heard.cursor == 3


@pytest.mark.anyio
async def test_listening_on_with_the_cursor_loses_nothing_in_a_burst() -> None:
    async with a_tunnel() as (alice, bob, _):
        heard, cursor = list[str](), (await status(alice)).last_seq
        listening = asyncio.create_task(listen(alice, cursor))
        await asyncio.gather(*(say(bob, f"{number}") for number in range(20)))
        await caught_up(alice, cursor + 20)
        while len(heard) < 20:
            part = await listening
            heard += [message.text for message in part.messages]
            listening = asyncio.create_task(listen(alice, part.cursor, 0))
        await listening

    assert heard == [f"{number}" for number in range(20)]


@pytest.mark.anyio
async def test_own_messages_are_heard_too() -> None:
    async with a_tunnel() as (_alice, bob, _):
        await say(bob, "mine")
        heard = await listen(bob, 2)

    assert [(message.sender, message.text) for message in heard.messages] == [("guest", "mine")]
