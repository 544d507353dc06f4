"""Plays one case on one process of an implementation, and says how it went. Nothing that either side does raises here."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct, structs

from tunnel.spec.model import Case, Step
from tunnel_conformance.notation import Words
from tunnel_conformance.outcomes import GOOD, OUTCOMES, last_error
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.spec import is_binding
from tunnel_conformance.stage import PATIENCE_SECONDS, Stage, Unready, Untestable
from tunnel_conformance.subjects.base import Subject, SubjectFault
from tunnel_conformance.verbs import VERBS
from tunnel_conformance.wire.log import Log

CASE_SECONDS: Final = 60.0
"""Real time that a case may take, beyond the time that it lets pass."""

FAULT_SECONDS: Final = 5.0
"""A process that does not tell its status within so long hangs."""

_UNDECIDED: Final = (Outcome.PASS, Outcome.NON_STRICT, Outcome.NOT_APPLICABLE)


class Judged(Struct, frozen=True, kw_only=True):
    """How a case went."""

    verdict: Verdict
    is_reusable: bool
    """Whether the process can play another case."""
    lost_in_time: bool
    """Whether a connection was lost while time passed."""


async def judge(
    case: Case,
    subject: Subject,
    *,
    partner: str = "",
    patience: float = PATIENCE_SECONDS,
    seconds: float = CASE_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> Judged:
    """Play a case.

    Args:
        case: what is played.
        subject: the implementation, with no tunnel open.
        partner: in a matrix, who is at the other end.
        patience: real seconds that are waited for what must come at once.
        seconds: real seconds that it may take beyond the time that it lets pass.
        now: seconds on any clock that only goes forward.
    """
    log = Log(now)
    verdict = _blank(case, subject, partner)
    with Stage(case, subject, log, patience=patience) as stage:
        try:
            async with asyncio.timeout(seconds + passing(case) / subject.speed):
                verdict = await _play(stage, verdict)
        except TimeoutError:
            note = f"It was not over within {seconds:g} s of real time."
            verdict = structs.replace(verdict, outcome=Outcome.ERROR, got="it hung", note=note)
        is_well = False
        try:
            is_well = await stage.strike()
        except SubjectFault as fault:
            if verdict.outcome in _UNDECIDED:
                verdict = _faulty(verdict, fault, log)
    verdict = structs.replace(verdict, note=_with_deafness(verdict.note, stage))
    verdict = structs.replace(verdict, seconds=round(log.seconds, 3), log=log.entries)
    return Judged(
        verdict=verdict,
        is_reusable=is_well and verdict.outcome in _UNDECIDED and not case.needs,
        lost_in_time=stage.lost_in_time,
    )


async def _lacking(case: Case, subject: Subject) -> str:
    """An argument that a rule leaves to the implementation, that a case gives, and that its agent cannot give."""
    for step in case.steps:
        if step.do == "close" and "summary" in step.args and await subject.lacks("close", "summary"):
            return "Its tunnel_close takes no summary, as its schema says."
    return ""


def _with_deafness(note: str, stage: Stage) -> str:
    """A note, and that nobody knows what was read, where that is so: what came too late may count as silence."""
    if all(end.answers_pings for end in stage.ends()):
        return note
    deaf = "It answered no ping in time, so it is not known whether it had read what it was sent."
    return f"{note}\n{deaf}" if note else deaf


def passing(case: Case) -> int:
    """How many seconds of protocol time a case lets pass."""
    return sum(int(step.args.get("seconds", 0)) for step in case.steps if step.do == "wait")


def blank(case: Case, *, partner: str = "", speed: float = 1.0) -> Verdict:
    """The verdict on a case before anything was seen."""
    return Verdict(
        case=case.id,
        title=case.title,
        role="host" if case.judges.value == "host" else "guest",
        rules=case.rules,
        binding=is_binding(case),
        outcome=Outcome.PASS,
        partner=partner,
        speed=speed,
    )


def _blank(case: Case, subject: Subject, partner: str) -> Verdict:
    return blank(case, partner=partner, speed=subject.speed)


async def _play(stage: Stage, verdict: Verdict) -> Verdict:
    try:
        if lacking := await _lacking(stage.case, stage.subject):
            return structs.replace(verdict, outcome=Outcome.NOT_APPLICABLE, note=lacking)
    except SubjectFault as fault:
        return _faulty(verdict, fault, stage.log)
    for number, step in enumerate(stage.case.steps, 1):
        at = structs.replace(verdict, step=number, expected=_expected(stage, step))
        try:
            got, is_tolerated = await _step(stage, step)
        except SubjectFault as fault:
            return _faulty(at, fault, stage.log)
        except Unready as why:
            return await _decided(stage, structs.replace(at, got=stage.log.shown(str(why))), Outcome.HARNESS)
        except Untestable as why:
            return await _decided(stage, structs.replace(at, got=str(why)), Outcome.NOT_TESTABLE)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the kit, it says so, and the run goes on
            text = stage.log.clean(f"the kit failed: {type(error).__name__}: {error}")
            return structs.replace(at, outcome=Outcome.HARNESS, got=text)
        if got and not is_tolerated:
            return await _decided(stage, structs.replace(at, got=stage.log.shown(got)), Outcome.FAIL)
        if got:
            verdict = structs.replace(at, outcome=Outcome.NON_STRICT, got=stage.log.shown(got))
    return await _decided(stage, verdict, verdict.outcome)


async def _step(stage: Stage, step: Step) -> tuple[str, bool]:
    """Do a step; what was seen instead of what is expected, and whether the case tolerates that."""
    verb = VERBS[step.do]
    by, args = stage.begin(step)
    await verb(stage, by, args)
    if not step.expect:
        _must_work(stage, step)
        return GOOD, False
    expects = stage.words(step.expects)
    got = await OUTCOMES[step.expect](stage, by, expects)
    for name in step.tolerate if got else ():
        if not await OUTCOMES[name](stage, by, Words({})):
            return got, True
    return got, False


def _must_work(stage: Stage, step: Step) -> None:
    """What a case only needs in order to get to its point.

    Raises:
        Unready: it did not work.
    """
    if step.do == "open" and stage.hosted is None:
        raise Unready(f"the tunnel did not open{last_error(stage)}")
    if step.do == "accept" and not stage.was_dialled:
        raise Unready(f"the implementation has not connected to the kit's host{last_error(stage)}")


def _expected(stage: Stage, step: Step) -> str:
    if not step.expect:
        return ""
    shown = [" ".join(part for part in (step.expect, str(stage.words(step.expects))) if part), *step.tolerate]
    return stage.log.shown(", or ".join(shown))


async def _decided(stage: Stage, verdict: Verdict, outcome: Outcome) -> Verdict:
    """The verdict, unless the process has died or hangs: whatever was seen then, it was that."""
    if not stage.was_stopped:
        try:
            await stage.subject.call("status", {}, FAULT_SECONDS)
        except SubjectFault as fault:
            return _faulty(verdict, fault, stage.log)
    return structs.replace(verdict, outcome=outcome)


def _faulty(verdict: Verdict, fault: SubjectFault, log: Log) -> Verdict:
    return structs.replace(verdict, outcome=Outcome.ERROR, got=log.clean(str(fault)), note=log.clean(fault.tail))
