"""Reads a transcript for an agent: in bounded portions, each message with who wrote it, waiting for news when there is none."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from tunnel.app.results import Provenance
from tunnel.app.settings import ANSWER_BYTES, ANSWER_MESSAGES
from tunnel.app.untrusted import legible
from tunnel.core.transcript import Transcript
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
    ts: int | float
    provenance: Provenance

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


def portion(transcript: Transcript, reader: Reader, since: int) -> Heard:
    """The messages behind a number, as many as one answer holds: at least one, if there is one."""
    messages: list[HeardMessage] = []
    size, cursor = 0, min(since, transcript.last)
    for message in transcript.after(cursor):
        if transcript.is_shown(message):
            heard = _heard(transcript, reader, message)
            size += _bytes(heard)
            if messages and (size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages, cursor=cursor, more=True)
            messages.append(heard)
        cursor = message.seq
    return Heard(messages=messages, cursor=cursor, more=False)


def recent(transcript: Transcript, reader: Reader) -> Heard:
    """The last messages, as many as one answer holds: at least one, if there is one. `more` tells of earlier ones."""
    messages: list[HeardMessage] = []
    size = 0
    for seq in range(transcript.last, 0, -1):
        message = transcript.at(seq)
        if transcript.is_shown(message):
            heard = _heard(transcript, reader, message)
            size += _bytes(heard)
            if messages and (size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages[::-1], cursor=transcript.last, more=True)
            messages.append(heard)
    return Heard(messages=messages[::-1], cursor=transcript.last, more=False)


def _heard(transcript: Transcript, reader: Reader, message: Message) -> HeardMessage:
    return HeardMessage(
        id=legible(message.id),
        seq=message.seq,
        sender=message.sender,
        kind=message.kind,
        text=legible(transcript.text(message)),
        ts=message.ts,
        provenance=_provenance(transcript, reader, message),
    )


def _provenance(transcript: Transcript, reader: Reader, message: Message) -> Provenance:
    """What is shown under the reader's own name, it has said itself: anything else is concealed (SEQ-6)."""
    if message.kind != "chat":
        return "system text, not authenticated"
    if not transcript.is_sound(message):
        return "peer, but replayed or not readable with the link's key"
    return OWN if message.sender == reader else "peer, sealed with the link's key"


def _bytes(heard: HeardMessage) -> int:
    return len(heard.text.encode("utf-8", "replace"))


async def listen(
    driver: Driver, transcript: Transcript, reader: Reader, since: int, seconds: float, is_over: Callable[[], bool]
) -> Heard:
    """The messages behind a number; when there are none, wait for one, for the end, or for so long.

    Args:
        driver: tells of changes.
        transcript: what is read.
        reader: for whom.
        since: the last number that the agent has. One that no message has yet counts as the last one.
        seconds: how long to wait at most.
        is_over: whether nothing more can come, so that waiting is useless (LOCK-3, CLOSE-5).
    """
    since = min(since, transcript.last)
    heard = Heard(messages=[], cursor=since, more=False)

    def is_answered() -> bool:
        nonlocal heard
        heard = portion(transcript, reader, since)
        return bool(heard.messages) or is_over()

    await until(driver, seconds, is_answered)
    return heard


async def until(driver: Driver, seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until something holds that changes with the tunnel only, for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await driver.changed()
