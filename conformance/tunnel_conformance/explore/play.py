"""Plays a conversation with a process of the implementation, and says where it left what the tables say.

It plays with the verbs and outcomes of the cases, as the judge does; beside that it measures when each step took place, and
what was too slow to mean anything does not count.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tunnel.spec.model import Case, Step
from tunnel_conformance.explore.lives import TICKS
from tunnel_conformance.explore.moves import Plan
from tunnel_conformance.explore.walk import WalkOf
from tunnel_conformance.judge import passing
from tunnel_conformance.notation import Words
from tunnel_conformance.outcomes import OUTCOMES
from tunnel_conformance.records import Entry
from tunnel_conformance.report.words import step_in_words
from tunnel_conformance.stage import Stage, Unready
from tunnel_conformance.subjects.base import Subject, SubjectFault
from tunnel_conformance.verbs import VERBS
from tunnel_conformance.wire.log import Log

PATIENCE_SECONDS: Final = 3.0
"""Real time that is waited for what must come at once. What is found is judged once more, with the patience of the judge."""

PLAY_SECONDS: Final = 30.0
"""Real time that a conversation may take beyond what it lets pass."""


class Difference(Struct, frozen=True, kw_only=True):
    """Where an implementation left the tables."""

    step: int
    """Counted from 1."""
    expected: str
    got: str


class Played(Struct, frozen=True, kw_only=True):
    """How a conversation went."""

    plan: Plan
    difference: Difference | None
    is_late: bool
    """Whether it was too slow, or did not come about: then it says nothing."""
    is_reusable: bool
    """Whether the process can play another one."""
    log: tuple[Entry, ...] = ()


class _Moments:
    """When each step began and was over, in milliseconds of protocol time since the first began."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self.early: list[int] = []
        self.late: list[int] = []

    def _now(self) -> int:
        return int((time.monotonic() - self._began) * self._speed * TICKS)

    def begin(self, step: Step) -> None:
        """A step begins: no later than that can its effect be, save what it waits."""
        self.early.append(self._now() + int(step.args.get("seconds", 0)) * TICKS)

    def end(self) -> None:
        """It is over: its effect has come about."""
        self.late.append(self._now())


async def play(
    plan: Plan,
    walk_of: WalkOf,
    subject: Subject,
    patience: float = PATIENCE_SECONDS,
    seconds: float = PLAY_SECONDS,
) -> Played:
    """Play a conversation.

    Args:
        plan: what is done; all of it is possible.
        walk_of: begins a walk.
        subject: a process with no tunnel open.
        patience: real seconds that are waited for what must come at once.
        seconds: real seconds that it may take beyond what it lets pass.
    """
    walk = walk_of(())
    walk.do_all(plan)
    case = walk.case("explored", "", ())
    moments = _Moments(subject.speed)
    log = Log()
    difference: Difference | None = None
    is_ready = True
    is_well = False
    with Stage(case, subject, log, patience=patience) as stage:
        try:
            async with asyncio.timeout(seconds + passing(case) / subject.speed):
                difference = await _converse(stage, moments)
        except TimeoutError:
            difference = _at(case, len(moments.early), "it hung")
        except Unready:
            is_ready = False
        try:
            is_well = await stage.strike()
        except SubjectFault as fault:
            difference = difference or _at(case, len(moments.early), log.clean(str(fault)))
    upto = difference.step if difference else len(case.steps)
    return Played(
        plan=plan,
        difference=difference,
        is_late=not is_ready
        or not (_agrees(plan, walk_of, moments.early, upto) and _agrees(plan, walk_of, moments.late, upto)),
        is_reusable=is_well and is_ready and difference is None,
        log=log.entries,
    )


async def _converse(stage: Stage, moments: _Moments) -> Difference | None:
    for number, step in enumerate(stage.case.steps, 1):
        moments.begin(step)
        try:
            got = await _step(stage, step)
        except SubjectFault as fault:
            got = stage.log.clean(str(fault))
        if got:
            return _at(stage.case, number, stage.log.shown(got))
        moments.end()
    return None


async def _step(stage: Stage, step: Step) -> str:
    """Do a step; what was seen instead of what must be seen."""
    by, args = stage.begin(step)
    await VERBS[step.do](stage, by, args)
    if not step.expect:
        if step.do == "open" and stage.hosted is None:
            raise Unready("the tunnel did not open")
        return ""
    got = await OUTCOMES[step.expect](stage, by, stage.words(step.expects))
    for name in step.tolerate if got else ():
        if not await OUTCOMES[name](stage, by, Words({})):
            return ""
    return got


def _at(case: Case, number: int, got: str) -> Difference:
    return Difference(step=number, expected=step_in_words(case.steps[number - 1]), got=got)


def _agrees(plan: Plan, walk_of: WalkOf, moments: Sequence[int], upto: int) -> bool:
    """Whether the tables say the same with these moments as without them, up to this step."""
    meant, measured = walk_of(()), walk_of(moments[:upto])
    meant.do_all(plan)
    measured.do_all(plan)
    return measured.is_sure and meant.steps[:upto] == measured.steps[:upto]
