"""Reads a transcript for an agent: in bounded portions, waiting for news when there is none."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
    for message in transcript.after(cursor):
        if transcript.is_shown(message):
            text = transcript.text(message)
            size += len(text.encode("utf-8", "replace"))
            if messages and (size > ANSWER_BYTES or len(messages) == ANSWER_MESSAGES):
                return Heard(messages=messages, cursor=cursor, more=True)
            messages.append(
                HeardMessage(
                    id=message.id, seq=message.seq, sender=message.sender, kind=message.kind, text=text, ts=message.ts
                )
            )
        cursor = message.seq
    return Heard(messages=messages, cursor=cursor, more=False)


async def listen(
    driver: Driver, transcript: Transcript, since: int, seconds: float, is_over: Callable[[], bool]
) -> Heard:
    """The messages behind a number; when there are none, wait for one, for the end, or for so long.

    Args:
        driver: tells of changes.
        transcript: what is read.
        since: the last number that the agent has. One that no message has yet counts as the last one.
        seconds: how long to wait at most.
        is_over: whether nothing more can come, so that waiting is useless (LOCK-3, CLOSE-5).
    """
    since = min(since, transcript.last)
    heard = Heard(messages=[], cursor=since, more=False)

    def is_answered() -> bool:
        nonlocal heard
        heard = portion(transcript, since)
        return bool(heard.messages) or is_over()

    await until(driver, seconds, is_answered)
    return heard


async def until(driver: Driver, seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until something holds that changes with the tunnel only, for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await driver.changed()
