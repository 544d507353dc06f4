"""Reads a transcript for an agent: in bounded portions, waiting for news when there is none."""

import asyncio
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from tunnel.app.settings import ANSWER_BYTES, ANSWER_MESSAGES
from tunnel.core.transcript import Transcript
from tunnel.io.driver import Driver


class HeardMessage(Struct, frozen=True, kw_only=True):
    """One message, opened for its reader."""

    id: str
    seq: int
    sender: Literal["host", "guest"]
    kind: Literal["chat", "system"]
    text: str
    ts: int | float


class Heard(Struct, frozen=True, kw_only=True):
    """A portion of a transcript."""

    messages: list[HeardMessage]
    cursor: int
    """The next listen begins behind this number."""
    more: bool
    """Whether the portion was cut at its bound."""


def portion(transcript: Transcript, since: int) -> Heard:
    """The messages behind a number, as many as one answer holds: at least one, if there is one."""
    messages: list[HeardMessage] = []
    size, cursor = 0, min(since, transcript.last)
    for message in transcript.after(since):
        if transcript.is_shown(message):
            text = transcript.text(message)
            size += len(text.encode("utf-8", "replace"))
            if messages and (size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages, cursor=cursor, more=True)
            messages.append(
                HeardMessage(id=message.id, seq=message.seq, sender=message.sender, kind=message.kind, text=text, ts=message.ts)
            )
        cursor = message.seq
    return Heard(messages=messages, cursor=cursor, more=False)


async def listen(driver: Driver, transcript: Transcript, since: int, seconds: float, is_over: Callable[[], bool]) -> Heard:
    """The messages behind a number; when there are none, wait for one, for the end, or for so long.

    Args:
        driver: tells of changes.
        transcript: what is read.
        since: the last number that the agent has.
        seconds: how long to wait at most.
        is_over: whether nothing more can come, so that waiting is useless (LOCK-3, CLOSE-5).
    """
    heard = portion(transcript, since)
    try:
        async with asyncio.timeout(seconds):
            while not heard.messages and not is_over():
                await driver.changed()
                heard = portion(transcript, since)
    except TimeoutError:
        pass
    return heard
