"""A transcript in portions: nothing is lost, nothing is unbounded, and waiting ends when there is news."""

import asyncio
import re

import msgspec
import pytest

from tests.app.ends import KEY, a_tunnel, caught_up, join, listen, open_, say, status, two_ends
from tunnel import crypto
from tunnel.app import results
from tunnel.app.listening import HeardMessage, portion, recent
from tunnel.app.settings import ANSWER_BYTES, ANSWER_MESSAGES
from tunnel.app.untrusted import legible
from tunnel.core.transcript import REPLAYED, UNREADABLE, Transcript
from tunnel.spec.v1.constants import TEXT_BYTES
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
    third = "é" * (ANSWER_BYTES // 6)
    heard = portion(transcript(third, third, third, "x"), "host", 0)

    assert ([message.seq for message in heard.messages], heard.cursor, heard.more) == ([1, 2], 2, True)


def test_a_message_that_just_fits_into_a_portion_is_whole_and_one_that_is_a_byte_longer_is_not() -> None:
    frame = len(msgspec.json.encode(portion(transcript(""), "host", 0).messages[0]))
    fits, does_not = (portion(transcript("x" * (ANSWER_BYTES - frame + more)), "host", 0) for more in (0, 1))

    assert fits.messages[0].rest is None
    assert does_not.messages[0].rest is not None


LONG = [
    pytest.param("x" * TEXT_BYTES, id="plain"),
    pytest.param("\x01\x02" * (TEXT_BYTES // 2), id="invisible characters in turn"),
    pytest.param('\n"\\' * (TEXT_BYTES // 3), id="what JSON escapes"),
    pytest.param("😀" * (TEXT_BYTES // 4), id="four bytes each"),
]


@pytest.mark.parametrize("long", LONG)
def test_a_message_that_is_longer_than_a_portion_comes_in_parts_that_are_the_whole(long: str) -> None:
    said = transcript("a", long, "b")
    parts, offset = list[HeardMessage](), 0
    while True:
        heard = portion(said, "guest", 1, offset)
        parts.append(heard.messages[0])
        assert len(msgspec.json.encode(heard.messages)) <= ANSWER_BYTES + len("[,]")
        assert [message.seq for message in heard.messages] == [2] if parts[-1].rest else [2, 3]
        assert parts[-1].offset == offset
        if parts[-1].rest is None:
            break
        offset = parts[-1].rest

    assert numbers(said, 0) == [1]
    assert "".join(part.text for part in parts) == legible(long)
    assert len(parts) > 2


def test_who_follows_the_cursor_gets_past_a_long_message() -> None:
    said = transcript("a", "x" * TEXT_BYTES, "b")
    first = portion(said, "host", 1)

    assert (first.cursor, first.more) == (2, True)
    assert numbers(said, first.cursor) == [3]


def test_an_offset_behind_the_end_of_a_message_leaves_nothing_of_it_and_all_of_the_next() -> None:
    heard = portion(transcript("abc", "def"), "host", 0, 10**30)

    assert [(message.text, message.offset, message.rest) for message in heard.messages] == [
        ("", 3, None),
        ("def", 0, None),
    ]


def test_a_message_full_of_one_invisible_character_is_short() -> None:
    (message,) = portion(transcript("\x01" * TEXT_BYTES), "guest", 0).messages

    assert message.text == f"\\u0001(x{TEXT_BYTES})"
    assert message.rest is None


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
    pairs = ANSWER_BYTES // 24
    half = "\x01\x02" * pairs
    heard = portion(transcript("a\n\tb\u202e", half, half, "x"), "guest", 0)

    assert heard.messages[0].text == "a\n\tb\\u202e"
    assert heard.messages[1].text == "\\u0001\\u0002" * pairs
    assert heard.more
    assert [message.seq for message in heard.messages] == [1, 2]


def test_the_last_messages_are_those_that_fit() -> None:
    half = "x" * (ANSWER_BYTES // 2 - 500)
    heard = recent(transcript("a" * 1000, half, half, "b", concealed=frozenset({4})), "guest")

    assert ([message.seq for message in heard.messages], heard.cursor, heard.more) == ([2, 3], 4, True)
    assert [m.seq for m in recent(transcript(*"ab"), "guest").messages] == [1, 2]
    assert not recent(transcript(*"ab"), "guest").more
    assert recent(transcript(), "host").messages == []


@pytest.mark.parametrize("long", LONG)
def test_of_a_last_message_that_is_too_long_its_beginning_is_given(long: str) -> None:
    said = transcript("a", long)
    heard = recent(said, "guest")

    assert ([message.seq for message in heard.messages], heard.cursor, heard.more) == ([2], 2, True)
    assert heard.messages == portion(said, "guest", 1).messages
    assert [m.seq for m in recent(transcript("a", long, "b"), "guest").messages] == [3]


def test_of_many_last_messages_a_bounded_number_is_given() -> None:
    heard = recent(transcript(*("x" for _ in range(ANSWER_MESSAGES + 1))), "host")

    assert (len(heard.messages), heard.messages[0].seq, heard.more) == (ANSWER_MESSAGES, 2, True)


@pytest.mark.anyio
async def test_with_a_cursor_of_an_earlier_tunnel_nothing_of_this_one_is_lost() -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, "hello"))
        heard, ahead = await listen(alice, 57), await listen(alice, 4)
        last = await listen(alice, 3, 0)

    assert [message.seq for message in heard.messages] == [1, 2, 3]
    assert (heard.cursor, ahead.messages) == (3, heard.messages)
    assert heard.next.startswith("There is no message 57 in this tunnel; numbers begin anew in each")
    assert last.messages == []
    assert "There is no message" not in last.next


@pytest.mark.anyio
async def test_who_follows_what_to_do_next_hears_all_of_a_long_message() -> None:
    long = "é" * (TEXT_BYTES // 2)
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, long))
        heard = await listen(alice, 2)
        parts = list(heard.messages)
        while found := re.search(
            r"hear its rest with sinceSeq (\d+) and offset (\d+); only then .* (\d+)\.", heard.next
        ):
            since, offset, behind = (int(number) for number in found.groups())
            assert behind == heard.cursor
            heard = await alice.listen(results.ListenArguments(since_seq=since, offset=offset, timeout_ms=0))
            parts += heard.messages

    assert "".join(part.text for part in parts) == long
    assert [part.seq for part in parts] == [3] * len(parts)
    assert (heard.cursor, heard.more) == (3, False)
    assert heard.next.startswith("Answer with tunnel_say")


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
        heard = await listen(bob, 2, 0)

    assert [(message.sender, message.text) for message in heard.messages] == [("guest", "mine")]
    assert heard.next == "There is only what you know yet: listen on with sinceSeq 3."


@pytest.mark.anyio
async def test_a_host_that_listens_before_anybody_came_is_told_to_listen_on() -> None:
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        alone = await listen(alice)
        await join(bob, link)
        heard = await listen(alice, alone.cursor)

    assert alone.next == "There is only what you know yet: listen on with sinceSeq 1."
    assert [message.text for message in heard.messages] == ["Bob joined"]
    assert heard.next.startswith("Answer with tunnel_say")
