"""Reads a transcript for an agent: in bounded portions, each message with who wrote it, waiting for news when there is none.

No portion is larger than ANSWER_BYTES, whatever a peer writes: a message that is longer comes in parts.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct, structs

from tunnel.app.results import Provenance
from tunnel.app.settings import ANSWER_BYTES, ANSWER_MESSAGES
from tunnel.app.untrusted import legible
from tunnel.core.transcript import Reading, Transcript
from tunnel.io.driver import Driver
from tunnel.spec.v1.frames import Message

Reader: TypeAlias = Literal["host", "guest"]
"""Who reads: what it said itself is its own."""

OWN: Final = "own"


class HeardMessage(Struct, frozen=True, kw_only=True):
    """One message, opened for its reader."""

    id: str
    seq: int
    sender: Literal["host", "guest"]
    kind: Literal["chat", "system"]
    text: str
    """As it is shown, from `offset` to `rest`."""
    ts: int | float
    provenance: Provenance
    offset: int = 0
    """How many characters of it stand before this part."""
    rest: int | None = None
    """The offset of the next part; None when this is the last one, or all of it."""

    @property
    def is_untrusted(self) -> bool:
        """Whether somebody else wrote it."""
        return self.provenance != OWN


class Heard(Struct, frozen=True, kw_only=True):
    """A portion of a transcript."""

    messages: list[HeardMessage]
    cursor: int
    """The next listen begins behind this number."""
    more: bool
    """Whether the portion was cut at its bound."""
    has_news: bool = True
    """Whether there is something in it that its reader did not know before."""
    is_from_start: bool = False
    """Whether it was asked for behind a number that no message has, and so begins at the start."""


def portion(transcript: Transcript, reader: Reader, since: int, offset: int = 0) -> Heard:
    """The messages behind a number, as many as one answer holds: at least one, if there is one, or a part of it.

    Args:
        transcript: what is read.
        reader: for whom.
        since: the number.
        offset: how many characters of the first message are left out, because they were heard already.
    """
    messages: list[HeardMessage] = []
    size, cursor = 0, min(since, transcript.last)
    for message in transcript.after(cursor):
        if transcript.is_shown(message):
            heard = _part(_heard(transcript, reader, message), offset if message.seq == since + 1 else 0)
            size += _bytes(heard)
            if messages and (heard.rest or size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages, cursor=cursor, more=True)
            messages.append(heard)
        cursor = message.seq
    return Heard(messages=messages, cursor=cursor, more=False)


def recent(transcript: Transcript, reader: Reader) -> Heard:
    """The last messages, as many as one answer holds: at least one, if there is one, or the first part of it.

    `more` tells of earlier ones.
    """
    messages: list[HeardMessage] = []
    size = 0
    for seq in range(transcript.last, 0, -1):
        message = transcript.at(seq)
        if transcript.is_shown(message):
            heard = _part(_heard(transcript, reader, message), 0)
            size += _bytes(heard)
            if messages and (heard.rest or size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages[::-1], cursor=transcript.last, more=True)
            messages.append(heard)
    return Heard(messages=messages[::-1], cursor=transcript.last, more=False)


def how_to_hear_rest(message: HeardMessage, more: str = "") -> str:
    """How the part of a message is heard that is behind this one, as the end of a sentence."""
    return f"hear its rest with sinceSeq {message.seq - 1} and offset {message.rest}{more}."


def _part(whole: HeardMessage, offset: int) -> HeardMessage:
    """As much of a message as one answer holds, from this character on."""
    left = structs.replace(whole, text=whole.text[offset:], offset=min(offset, len(whole.text)))
    if _bytes(left) <= ANSWER_BYTES:
        return left
    # A character takes a byte or more, so no part has more of them than this.
    text = left.text[:ANSWER_BYTES]
    room = ANSWER_BYTES - _bytes(structs.replace(left, text="", rest=len(whole.text)))
    fits = bisect_right(range(1, len(text) + 1), room, key=lambda count: _json_bytes(text[:count]))
    return structs.replace(left, text=text[:fits], rest=left.offset + fits)


def _heard(transcript: Transcript, reader: Reader, message: Message) -> HeardMessage:
    reading = transcript.read(message)
    return HeardMessage(
        id=legible(message.id),
        seq=message.seq,
        sender=message.sender,
        kind=message.kind,
        text=legible(reading.text),
        ts=message.ts,
        provenance=provenance(reading, reader, message),
    )


def provenance(reading: Reading, reader: Reader, message: Message) -> Provenance:
    """What is shown under the reader's own name, it has said itself: anything else is concealed (SEQ-6)."""
    if message.kind != "chat":
        return "system text, not authenticated"
    if not reading.is_sound:
        return "peer, but replayed or not readable with the link's key"
    return OWN if message.sender == reader else "peer, sealed with the link's key"


def _bytes(heard: HeardMessage) -> int:
    """What it takes in an answer, where it is JSON: that escapes once more what is shown as an escape."""
    return len(msgspec.json.encode(heard))


def _json_bytes(text: str) -> int:
    return len(msgspec.json.encode(text)) - len('""')


async def listen(
    driver: Driver,
    transcript: Transcript,
    reader: Reader,
    since: int,
    seconds: float,
    is_over: Callable[[], bool],
    offset: int = 0,
) -> Heard:
    """The messages behind a number; when there are none, wait for one, for the end, or for so long.

    Args:
        driver: tells of changes.
        transcript: what is read.
        reader: for whom.
        since: the last number that the agent has. One that no message has is of an earlier tunnel: then everything is news.
        seconds: how long to wait at most.
        is_over: whether nothing more can come, so that waiting is useless (LOCK-3, CLOSE-5).
        offset: how many characters of the first message the agent has, too.
    """
    is_from_start = since > transcript.last
    if is_from_start:
        since = offset = 0

    def is_answered() -> bool:
        return any(map(transcript.is_shown, transcript.after(since))) or is_over()

    await until(driver, seconds, is_answered)
    heard = portion(transcript, reader, since, offset)
    has_news = any(_is_news(message, reader) for message in heard.messages)
    return structs.replace(heard, has_news=has_news, is_from_start=is_from_start)


def _is_news(message: HeardMessage, reader: Reader) -> bool:
    """Whether its reader did not know it: neither own words, nor the notice with which its own tunnel began."""
    is_own_beginning = reader == "host" and message.kind == "system" and message.seq == 1
    return message.is_untrusted and not is_own_beginning


async def until(driver: Driver, seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until something holds that changes with the tunnel only, for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await driver.changed()
