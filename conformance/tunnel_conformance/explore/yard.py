"""Processes of the implementation, each of which plays many conversations: one that did well is kept for the next."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final

from tunnel.spec.model import Case
from tunnel_conformance.explore.moves import Plan, passing
from tunnel_conformance.explore.play import Played, play
from tunnel_conformance.explore.walk import WalkOf
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Verdict
from tunnel_conformance.subjects.base import Launcher, Subject

LANES: Final = 2
"""So many conversations that need no time are played at once."""
LANES_IN_TIME: Final = 24
"""So many in which time passes: most of it they wait."""

STARTS_AT_ONCE: Final = 3
"""So many processes may be starting: a start takes a processor for itself, and makes the others late."""

MOST_SPEED: Final = 60.0
"""At more, a call of a tenth of a second takes a quarter of the margin to a deadline."""


class Yard:
    """Where processes wait. Used in `async with`; nothing is left behind.

    Args:
        launcher: starts them.
        walk_of: begins a walk beside the tables.
        until: on the monotonic clock, when nothing new is begun any more.
    """

    def __init__(self, launcher: Launcher, walk_of: WalkOf, until: float) -> None:
        self.tried = 0
        self.late = 0
        """How many conversations say nothing, because they took too long."""
        self.known: set[Plan] = set()
        """What came out as the tables say."""
        self._launcher = launcher
        self._walk_of = walk_of
        self.until = until
        self._idle: list[Subject] = []
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)

    async def __aenter__(self) -> "Yard":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        async with AsyncExitStack() as stack:
            for subject in self._idle:
                stack.push_async_callback(subject.end)

    async def first(self, plans: Sequence[Plan], *, in_order: bool) -> Played | None:
        """Play conversations, many at once, until the implementation leaves its tables in one.

        Args:
            plans: what is played, as far as it is not known how it comes out.
            in_order: whether the first in this order is wanted; else it is the one that is found first.
        """
        lanes = asyncio.Semaphore(LANES_IN_TIME if any(map(passing, plans)) else LANES)
        tasks = [asyncio.ensure_future(self._try(plan, lanes)) for plan in plans if plan not in self.known]
        waiting, found = set(tasks), len(tasks)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                differ = [tasks.index(task) for task in done if task.result()]
                found = min([found, *differ])
                beaten = [
                    task for task in waiting if found < len(tasks) and (not in_order or tasks.index(task) > found)
                ]
                waiting.difference_update(beaten)
                await _cancel(beaten)
        finally:
            await _cancel(tasks)
        return tasks[found].result() if found < len(tasks) else None

    async def judge(self, case: Case, speed: float) -> Verdict:
        """Judge a case on a new process."""
        async with self._starts:
            subject = await self._launcher.start(speed)
        try:
            return (await judge(case, subject)).verdict
        finally:
            await subject.end()

    def speed_of(self, plan: Plan) -> float:
        """How fast a conversation is played: no deadline in play gets too short."""
        if not passing(plan):
            return 1.0
        walk = self._walk_of(())
        walk.do_all(plan)
        return min(MOST_SPEED, self._launcher.clock.speed_for(walk.in_play))

    def left(self) -> float:
        """How many real seconds are left."""
        return self.until - time.monotonic()

    def takes(self, plan: Plan) -> float:
        """How long its time takes, in real seconds."""
        return passing(plan) / self.speed_of(plan)

    async def _try(self, plan: Plan, lanes: asyncio.Semaphore) -> Played | None:
        """How it went, if the implementation left its tables."""
        async with lanes:
            if self.takes(plan) > self.left():
                return None
            played = await self._play(plan, self.speed_of(plan))
        self.tried += 1
        self.late += played.is_late
        if played.is_late:
            return None
        if played.difference is None:
            self.known.add(plan)
            return None
        return played

    async def _play(self, plan: Plan, speed: float) -> Played:
        subject = next((one for one in self._idle if one.speed == speed), None)
        if subject:
            self._idle.remove(subject)
        else:
            async with self._starts:
                subject = await self._launcher.start(speed)
        is_reusable = False
        try:
            played = await play(plan, self._walk_of, subject)
            is_reusable = played.is_reusable
        finally:
            if is_reusable:
                self._idle.append(subject)
            else:
                await subject.end()
        return played


async def _cancel(tasks: Sequence["asyncio.Task[Played | None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
