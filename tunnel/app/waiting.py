"""How long a call may wait for which client, and how it shows meanwhile that it is alive.

A client cuts a call that takes too long, and its agent hears nothing of what was said. So a wait ends before that with an
answer that says what to do next, however long it was asked to take.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

import anyio
from msgspec import Struct

from tunnel.app.arguments import waiting_seconds
from tunnel.app.clients import known
from tunnel.app.settings import LISTEN_SECONDS, LONGEST_LISTEN_SECONDS

PROGRESS_SECONDS: Final = 10
"""How often a call that waits says that it is alive."""

T = TypeVar("T")

Tell: TypeAlias = Callable[[float, float | None, str], Awaitable[None]]
"""Takes progress: how far it is, of how much if that is known, and a sentence for the person."""


async def _nobody(_progress: float, _total: float | None, _message: str) -> None:
    """Nobody wants to know."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls a tool."""

    name: str = ""
    """What the client calls itself: a text from outside, only ever compared."""
    hears: bool = False
    """Whether it asked for progress with this call."""
    tell: Tell = _nobody


NOBODY: Final = Caller()


class Wait(Struct, frozen=True, kw_only=True):
    """How long a call waits."""

    seconds: float
    is_shortened: bool
    """Whether that is less than was asked for."""


def wait_for(milliseconds: float | None, caller: Caller, override: float | None = None) -> Wait:
    """How long a listen waits for its client.

    Args:
        milliseconds: what it was asked for, any number; None when it was not told.
        caller: for whom.
        override: what the person of this server wants instead of the table of clients.
    """
    longest = override if override is not None else _longest(caller)
    if milliseconds is None:
        return Wait(seconds=longest if override is not None else min(LISTEN_SECONDS, longest), is_shortened=False)
    seconds = waiting_seconds(milliseconds)
    return Wait(seconds=min(seconds, longest), is_shortened=seconds > longest)


def _longest(caller: Caller) -> float:
    client = known(caller.name)
    if client is None or client.seconds is None:
        return LISTEN_SECONDS
    return LONGEST_LISTEN_SECONDS if client.progress and caller.hears else client.seconds


async def alive(work: Awaitable[T], caller: Caller, sentence: Callable[[int], str], total: float | None = None) -> T:
    """What comes of the work; while it takes, its caller is told every PROGRESS_SECONDS, and never after the answer.

    Args:
        work: runs in the calling task, so that whoever cancels that cancels the work.
        caller: is told.
        sentence: what it is told, from the seconds that have passed.
        total: how many seconds the work takes at most, if that is known.
    """
    telling = asyncio.get_running_loop().create_task(_tell(caller.tell, sentence, total))
    try:
        return await work
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _tell(tell: Tell, sentence: Callable[[int], str], total: float | None) -> None:
    passed = 0
    try:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            passed += PROGRESS_SECONDS
            await tell(passed, total, sentence(passed))
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass  # The client has gone; the work's own end will be seen by whoever serves it.
