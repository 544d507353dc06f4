"""Plays cases on broken implementations, many at a time: each in a process of its own, controlled as any other is."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from tunnel.spec.model import Case
from tunnel_conformance.broken.registry import CORRECT
from tunnel_conformance.broken.wrong import Broken
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.runner import SLOWER, Options, Runner, deadlines
from tunnel_conformance.stage import PATIENCE_SECONDS
from tunnel_conformance.subjects.base import Launcher, Subject
from tunnel_conformance.subjects.clock import Clock
from tunnel_conformance.subjects.line import LineLauncher
from tunnel_conformance.subjects.mcp import McpLauncher

STARTS_AT_ONCE: Final = 3
"""So many processes may be starting, of all broken implementations together."""

HURRIED_SECONDS: Final = 1.5
"""So long is waited for what must come at once, where it is expected not to."""


class Manner(Struct, frozen=True, kw_only=True):
    """How broken implementations are played."""

    clock: Clock
    control: Literal["line", "mcp"] = "line"
    environment: Mapping[str, str] = {}
    """For their processes: where Python finds the packages, unless they are installed."""
    at_once: int = 10
    """So many of them play the cases that need no time."""
    timed_at_once: int = 60
    """So many sped-up cases are played at once."""
    speed: float | None = None
    """How fast cases go that are to fail; as fast as their deadlines allow, when it is left out."""


Wanted = Mapping[str, tuple[Broken | None, Sequence[Case]]]
"""What is to be played, by the ids of the broken implementations; None is the correct one."""


def command(broken: Broken | None, control: Literal["line", "mcp"] = "line") -> tuple[str, ...]:
    """The words that start one."""
    flags = ("--mcp",) if control == "mcp" else ()
    return (sys.executable, "-m", "tunnel_conformance.broken", *flags, broken.id if broken else CORRECT)


async def play(wanted: Wanted, manner: Manner) -> dict[str, list[Verdict]]:
    """Play what is wanted; the verdicts on each broken implementation.

    Raises:
        SubjectFault: one of them cannot be started.
    """
    player = _Player(manner)
    async with asyncio.TaskGroup() as group:
        playing = {
            name: [
                group.create_task(player.untimed(broken, [case for case in cases if not case.needs])),
                *(group.create_task(player.timed(broken, case)) for case in cases if case.needs),
            ]
            for name, (broken, cases) in wanted.items()
        }
    return {name: [verdict for task in tasks for verdict in task.result()] for name, tasks in playing.items()}


class _Player:
    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._untimed = asyncio.Semaphore(manner.at_once)
        self._timed = asyncio.Semaphore(manner.timed_at_once)

    async def untimed(self, broken: Broken | None, cases: Sequence[Case]) -> list[Verdict]:
        """Cases that need no time, one after the other. Those that are to fail go last: they may cost a process each."""
        launcher = self._launcher(broken)
        verdicts: list[Verdict] = []
        subject: Subject | None = None
        async with self._untimed:
            try:
                for case in sorted(cases, key=lambda case: _is_listed(broken, case)):
                    subject = subject or await launcher.start()
                    judged = await judge(case, subject, patience=_patience(broken, case))
                    verdicts.append(judged.verdict)
                    if not judged.is_reusable:
                        subject = await subject.end()
            finally:
                if subject:
                    await subject.end()
        return verdicts

    async def timed(self, broken: Broken | None, case: Case) -> list[Verdict]:
        """A case in which time passes."""
        async with self._timed:
            launcher = self._launcher(broken)
            if not _is_listed(broken, case):
                return await Runner(launcher, Options(jobs=1), _hear_nothing).all([case])
            speed = self._manner.speed or self._manner.clock.speed_for(deadlines(case))
            verdict = await _judged(launcher, case, speed)
            # What it loses while time passes is what it is wrong with. But at such a speed a busy machine may look too late to
            # see that it does, and then it is looked at once more.
            if verdict.outcome is Outcome.PASS:
                verdict = await _judged(launcher, case, max(1.0, speed / SLOWER))
            return [verdict]

    def _launcher(self, broken: Broken | None) -> "_Gated":
        manner = self._manner
        make = LineLauncher if manner.control == "line" else McpLauncher
        name = broken.id if broken else CORRECT
        inner = make(name, command(broken, manner.control), manner.environment, manner.clock)
        return _Gated(inner, self._starts)


class _Gated:
    """A launcher that waits for its turn: a start takes a processor for itself, and makes the others late."""

    def __init__(self, inner: Launcher, turns: asyncio.Semaphore) -> None:
        self.name = inner.name
        self.control: Literal["mcp", "line"] = inner.control
        self.clock = inner.clock
        self._inner = inner
        self._turns = turns

    async def start(self, speed: float = 1.0) -> Subject:
        async with self._turns:
            return await self._inner.start(speed)


async def _judged(launcher: _Gated, case: Case, speed: float) -> Verdict:
    """A verdict on a new process whose time passes at this speed."""
    subject = await launcher.start(speed)
    try:
        return (await judge(case, subject, patience=HURRIED_SECONDS)).verdict
    finally:
        await subject.end()


def _patience(broken: Broken | None, case: Case) -> float:
    # Whoever answers no pings is waited for in every case: nothing else tells whether it has read what it was sent.
    is_deaf = broken is not None and "KEEP-4" in broken.rules
    return HURRIED_SECONDS if is_deaf or _is_listed(broken, case) else PATIENCE_SECONDS


def _is_listed(broken: Broken | None, case: Case) -> bool:
    return broken is not None and case.id in broken.fails


def _hear_nothing(_verdict: Verdict) -> None:
    """Verdicts are looked at when all of them are there."""
