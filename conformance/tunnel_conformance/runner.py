"""Judges an implementation by many cases: one process plays many of them, and those that need time play at once.

A case in which protocol time passes gets a process of its own, as fast as the shortest deadline in it allows.
"""

import asyncio
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, Literal

from msgspec import Struct, structs

from tunnel.spec.model import Case, Role
from tunnel_conformance import __version__
from tunnel_conformance.judge import CASE_SECONDS, Judged, blank, judge, passing
from tunnel_conformance.records import Footer, Header, Outcome, Run, Verdict
from tunnel_conformance.report.marks import counts_against, totals
from tunnel_conformance.self_test import Trouble, self_test
from tunnel_conformance.spec import DIGEST, spec
from tunnel_conformance.stage import PATIENCE_SECONDS
from tunnel_conformance.subjects.base import Launcher, Subject, SubjectFault

SLOWER: Final = 3
"""A sped-up case that fails is played again so many times slower, before it counts: a process that goes faster is later, too."""

STARTS_AT_ONCE: Final = 3
"""So many processes may be starting: a start takes a processor for itself, and makes the others late."""

TIMED_AT_ONCE: Final = 16
"""So many sped-up cases are played at once."""

UNHURRIED_SECONDS: Final = 90.0
"""A case that lets less time pass than this is played in real time where time cannot be sped up."""

Told = Callable[[Verdict], None]


class Options(Struct, frozen=True, kw_only=True):
    """How a run goes."""

    only: tuple[str, ...] = ()
    """Ids of cases or rules, or patterns such as `lock-*` and `SEQ-*`; all cases when empty."""
    slow: bool = False
    """Real time for everything."""
    speed: float = 40.0
    """No case is played faster."""
    jobs: int = 2
    """So many processes play the cases that need no time."""
    seconds: float = CASE_SECONDS
    """Real seconds that a case may take, beyond the time that it lets pass."""
    patience: float = PATIENCE_SECONDS
    """Real seconds that are waited for what must come at once."""
    partner: str = ""


def chosen(cases: Iterable[Case], only: Sequence[str]) -> list[Case]:
    """The cases with these ids or rules."""
    return [case for case in cases if not only or any(_is_meant(case, pattern) for pattern in only)]


def _is_meant(case: Case, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (case.id, *case.rules))


def deadlines(case: Case) -> list[float]:
    """The deadlines of the protocol, in seconds, that a case must not run into by being slow."""
    known = spec().constants
    names = {"JOIN_SECONDS" if case.judges is Role.GUEST else "AUTH_SECONDS"}
    return [float(known[name]) for name in names]


async def run(launcher: Launcher, role: Role, cases: Sequence[Case], options: Options, told: Told) -> Run:
    """Judge an implementation in one role.

    Args:
        launcher: starts its processes.
        role: in which it is judged.
        cases: by which; those of the other role are left out.
        options: how.
        told: hears each verdict, as it falls.
    """
    began = time.monotonic()
    head = header(launcher, role, cases, options)
    mine = chosen([case for case in cases if case.judges is role], options.only)
    if trouble := await self_test(launcher, role):
        verdicts = _unjudged(mine, trouble, options)
        for verdict in verdicts:
            told(verdict)
    else:
        verdicts = await Runner(launcher, options, told).all(mine)
    status = 1 if any(map(counts_against, verdicts)) else 0
    footer = Footer(totals=totals(verdicts), seconds=round(time.monotonic() - began, 3), exit_status=status)
    return Run(header=head, verdicts=tuple(verdicts), footer=footer)


def _unjudged(cases: Sequence[Case], trouble: Trouble, options: Options) -> list[Verdict]:
    outcome = Outcome.NOT_APPLICABLE if trouble.is_absent else Outcome.HARNESS
    verdicts = [
        structs.replace(blank(case, partner=options.partner), outcome=outcome, note=trouble.text) for case in cases
    ]
    # What was said is told once.
    return [structs.replace(verdict, log=trouble.log) for verdict in verdicts[:1]] + verdicts[1:]


def header(launcher: Launcher, role: Role, cases: Sequence[Case], options: Options) -> Header:
    """What stands in front of a run, as it is known before anything was judged; the arguments are those of `run`."""
    mine = chosen([case for case in cases if case.judges is role], options.only)
    return Header(
        kit=__version__,
        wire=spec().protocol.wire,
        spec=DIGEST,
        subject=launcher.name,
        role="host" if role is Role.HOST else "guest",
        control=launcher.control,
        time=_time_used(launcher, options, mine),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def _time_used(
    launcher: Launcher, options: Options, cases: Sequence[Case]
) -> Literal["faketime", "constants", "real", "none"]:
    if not any(case.needs for case in cases):
        return "none"
    return "real" if options.slow else launcher.clock.kind


class Runner:
    """One run at work.

    Args:
        launcher: starts processes.
        options: how it goes.
        told: hears each verdict.
    """

    def __init__(self, launcher: Launcher, options: Options, told: Told) -> None:
        self._launcher = launcher
        self._options = options
        self._told = told
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._timed = asyncio.Semaphore(10_000 if options.slow else TIMED_AT_ONCE)

    async def all(self, cases: Sequence[Case]) -> list[Verdict]:
        """Every verdict, in the order of the cases."""
        untimed: asyncio.Queue[Case] = asyncio.Queue()
        for case in cases:
            if not case.needs:
                untimed.put_nowait(case)
        # The longest first: the others are over before it is.
        timed = sorted((case for case in cases if case.needs), key=passing, reverse=True)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._in_time(case)) for case in timed]
            workers = [group.create_task(self._one_after_another(untimed)) for _ in range(max(1, self._options.jobs))]
        found = {verdict.case: verdict for verdict in (task.result() for task in tasks)}
        for worker in workers:
            found |= {verdict.case: verdict for verdict in worker.result()}
        return [found[case.id] for case in cases]

    # --- Cases that need no time -------------------------------------------------------------------------------------

    async def _one_after_another(self, cases: asyncio.Queue[Case]) -> list[Verdict]:
        """Play what is left on one process; on a new one after a case that leaves it in doubt."""
        verdicts: list[Verdict] = []
        subject: Subject | None = None
        try:
            while not cases.empty():
                case = cases.get_nowait()
                started = subject or await self._start(1.0)
                if isinstance(started, str):
                    verdicts.append(self._tell(self._unstarted(case, started)))
                    continue
                subject = started
                judged = await self._judge(case, subject)
                verdicts.append(self._tell(judged.verdict))
                if not judged.is_reusable:
                    subject = await subject.end()
        finally:
            if subject:
                await subject.end()
        return verdicts

    # --- Cases in which time passes ----------------------------------------------------------------------------------

    async def _in_time(self, case: Case) -> Verdict:
        async with self._timed:
            speed = self._speed(case)
            if speed == 1 and not self._options.slow and passing(case) > UNHURRIED_SECONDS:
                return self._tell(self._untestable(case))
            judged = await self._on_its_own(case, speed)
            if judged.verdict.outcome in (Outcome.FAIL, Outcome.ERROR) and speed > 1:
                how = "it lost a connection while time passed" if judged.lost_in_time else "it failed"
                first = judged.verdict
                judged = await self._on_its_own(case, max(1.0, float(int(speed / SLOWER))))
                note = f"At {speed:g} times the speed {how} ({first.got}); this is the second try."
                judged = structs.replace(
                    judged, verdict=structs.replace(judged.verdict, note=_joined(judged.verdict.note, note))
                )
            return self._tell(judged.verdict)

    async def _on_its_own(self, case: Case, speed: float) -> Judged:
        subject = await self._start(speed)
        if isinstance(subject, str):
            return Judged(verdict=self._unstarted(case, subject), is_reusable=False, lost_in_time=False)
        try:
            return await self._judge(case, subject)
        finally:
            await subject.end()

    def _speed(self, case: Case) -> float:
        if self._options.slow:
            return 1.0
        return max(1.0, min(self._options.speed, self._launcher.clock.speed_for(deadlines(case))))

    def _untestable(self, case: Case) -> Verdict:
        why = (
            self._launcher.clock.trouble
            or "Protocol time cannot be made to pass faster for it; --slow plays this case."
        )
        return structs.replace(blank(case, partner=self._options.partner), outcome=Outcome.NOT_TESTABLE, note=why)

    # --- Both --------------------------------------------------------------------------------------------------------

    async def _start(self, speed: float) -> Subject | str:
        """A process; or why there is none."""
        async with self._starts:
            try:
                return await self._launcher.start(speed)
            except SubjectFault as fault:
                return _joined(str(fault), fault.tail)

    async def _judge(self, case: Case, subject: Subject) -> Judged:
        options = self._options
        return await judge(case, subject, partner=options.partner, patience=options.patience, seconds=options.seconds)

    def _unstarted(self, case: Case, why: str) -> Verdict:
        return structs.replace(blank(case, partner=self._options.partner), outcome=Outcome.HARNESS, note=why)

    def _tell(self, verdict: Verdict) -> Verdict:
        self._told(verdict)
        return verdict


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
