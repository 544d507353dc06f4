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

SPARE_SECONDS: Final = 5.0
"""So much of a call is kept for saying what its person has allowed: a host's echo takes less than a second."""

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
    since: float | None = None
    """When the call came, by the event loop's clock: what it has waited for already counts. None when it begins now."""

    @property
    def waited(self) -> float:
        """How long the call takes already."""
        return 0.0 if self.since is None else asyncio.get_running_loop().time() - self.since


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
    longest = longest_for(caller, override)
    if milliseconds is None:
        return Wait(seconds=longest if override is not None else min(LISTEN_SECONDS, longest), is_shortened=False)
    seconds = waiting_seconds(milliseconds)
    return Wait(seconds=min(seconds, longest), is_shortened=seconds > longest)


def left_for(caller: Caller, override: float | None = None) -> float:
    """How long its client lets this call take from now on."""
    return max(0.0, longest_for(caller, override) - caller.waited)


def answer_seconds(caller: Caller, override: float | None = None) -> float:
    """How long this call may wait for its person's answer: then there is still time to do what was allowed."""
    left = left_for(caller, override)
    return max(left / 2, left - SPARE_SECONDS)


def longest_for(caller: Caller, override: float | None = None) -> float:
    """How long a call of this client may take: what the table knows, unless the person of this server knows better."""
    if override is not None:
        return override
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
    loop = asyncio.get_running_loop()
    telling: list[asyncio.Task[None]] = []
    # A call that does one thing after another goes on counting: its progress never falls back.
    begins_at = int(caller.waited)
    # Most work is done long before, and a task for each call would take longer than some of them.
    begin = loop.call_later(
        PROGRESS_SECONDS, lambda: telling.append(loop.create_task(_tell(caller, sentence, total, begins_at)))
    )
    try:
        return await work
    finally:
        begin.cancel()
        for task in telling:
            task.cancel()
            await asyncio.wait([task])


async def _tell(caller: Caller, sentence: Callable[[int], str], total: float | None, passed: int) -> None:
    try:
        while True:
            passed += PROGRESS_SECONDS
            await caller.tell(passed, total, sentence(passed))
            await asyncio.sleep(PROGRESS_SECONDS)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass  # The client has gone; the work's own end will be seen by whoever serves it.
