"""Runs the kit for the command line: judges, writes each record as it falls, reports, and says with which status to exit."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from rich.console import Console
from rich.text import Text

from tunnel.spec.model import Case, Role
from tunnel_conformance import runner
from tunnel_conformance.ending import Ending, Paper
from tunnel_conformance.pairs import CONVERSATIONS, Conversation, talk
from tunnel_conformance.records import Footer, Header, Record, Run, Verdict
from tunnel_conformance.report import terminal
from tunnel_conformance.report.expect import INVALID, Expectations, Judged, exit_status
from tunnel_conformance.report.html import pages
from tunnel_conformance.report.junit import junit
from tunnel_conformance.report.marks import totals
from tunnel_conformance.report.ndjson import Writer
from tunnel_conformance.report.progress import Watch, Watched
from tunnel_conformance.report.text import slug
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.base import Launcher
from tunnel_conformance.subjects.clock import Clock, Constants, RealTime, find_faketime
from tunnel_conformance.subjects.clock_check import check_clock
from tunnel_conformance.subjects.line import LineLauncher
from tunnel_conformance.subjects.mcp import McpLauncher

RoleName = Literal["host", "guest"]


class BadWish(Exception):
    """What is wished for cannot be done; the text says why, and what can."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which reports are written, and what is known to fail."""

    junit: Path | None = None
    html: Path | None = None
    expectations: Expectations = field(default_factory=Expectations)


class Wish(Struct, frozen=True, kw_only=True):
    """How implementations are judged."""

    only: tuple[str, ...] = ()
    cases: tuple[Case, ...] | None = None
    """Those of a file, in the place of the spec's."""
    control: Literal["mcp", "line"] = "mcp"
    environment: dict[str, str] = field(default_factory=dict[str, str])
    time: Literal["faketime", "real", "none"] = "faketime"
    time_env: str = ""
    slow: bool = False
    jobs: int = 2
    seconds: float = 60.0
    records: Path | None = None
    """A file for one run, a folder for a matrix."""
    wanted: Wanted = field(default_factory=Wanted)


class Named(Struct, frozen=True):
    """An implementation under test: what it is called here, and the words of its command."""

    name: str
    command: tuple[str, ...]


class Stuck:
    """A clock that cannot be sped up.

    Args:
        trouble: why, in a sentence with the next step.
    """

    kind: Literal["faketime", "constants", "real"] = "real"

    def __init__(self, trouble: str | None) -> None:
        self.trouble = trouble

    def speed_for(self, deadlines: object) -> float:  # noqa: ARG002 - it goes as it goes
        """As fast as time goes."""
        return 1.0

    def environment(self, speed: float) -> dict[str, str]:  # noqa: ARG002 - it goes as it goes
        """Nothing has to be said."""
        return {}


def selected(role: Role, wish: Wish) -> list[Case]:
    """The cases by which a role is judged."""
    timeless = wish.time == "none"
    return runner.chosen([case for case in _offered(role, wish) if not (timeless and case.needs)], wish.only)


def _offered(role: Role, wish: Wish) -> list[Case]:
    return cases(role) if wish.cases is None else [case for case in wish.cases if case.judges is role]


def _conversations(wish: Wish) -> list[Conversation]:
    """What two implementations of a matrix do together."""
    return [one for one in CONVERSATIONS if not wish.only or any(fnmatchcase(one.id, only) for only in wish.only)]


def _check_names(roles: Sequence[Role], wish: Wish, *, with_pairs: bool) -> None:
    known = [name for role in roles for case in _offered(role, wish) for name in (case.id, *case.rules)]
    known += [one.id for one in CONVERSATIONS] if with_pairs else []
    for pattern in wish.only:
        if not any(fnmatchcase(name, pattern) for name in known):
            near = ", ".join(get_close_matches(pattern, dict.fromkeys(known), n=3))
            raise BadWish(
                f"--only {pattern!r} means no case of a {' or '.join(role.value for role in roles)}; it takes ids of cases and "
                f"rules, and patterns such as 'lock-*'. {f'Near are: {near}' if near else '`tunnel-conformance list` names them'}."
            )


def check(wish: Wish) -> None:
    """Look before anything runs whether its reports can be written.

    Raises:
        BadWish: one cannot.
    """
    for file in (wish.records, wish.wanted.junit):
        if file is not None and not file.absolute().parent.is_dir():
            raise BadWish(f"{file} cannot be written: there is no folder {file.parent}.")
    if wish.wanted.html is not None:
        try:
            pages.check(wish.wanted.html)
        except (pages.BadFolder, OSError) as error:
            raise BadWish(f"--html: {error}.") from error


def judge(subjects: Sequence[Named], role: Role | None, wish: Wish) -> int:
    """Judge implementations, report, and say with which status to exit.

    Args:
        subjects: who is judged.
        role: in which role; in both, and each with each, when it is left out.
        wish: how.

    Raises:
        BadWish: it cannot be done; nothing has run.
    """
    check(wish)
    roles = [role] if role else [Role.HOST, Role.GUEST]
    _check_names(roles, wish, with_pairs=role is None)
    if not any(_offered(one, wish) for one in roles):
        raise BadWish(f"The file of --cases holds no case of a {' or '.join(one.value for one in roles)}.")
    if not any(selected(one, wish) for one in roles) and not (role is None and _conversations(wish)):
        raise BadWish("Every case that is named needs time, and --time none leaves those out.")
    ending = Ending()
    try:
        runs = asyncio.run(_judge(subjects, role, wish, ending))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ending.told()
    return report(runs, wish.wanted)


def report(runs: Sequence[Run], wanted: Wanted) -> int:
    """Tell files and people about runs, and say with which status to exit.

    Raises:
        BrokenPipeError: nobody reads what people are told; the files are written.
    """
    trouble = _written(runs, wanted)
    console = Paper()
    terminal.show(console, runs, wanted.expectations)
    judged = [Judged(header=run.header, verdicts=run.verdicts) for run in runs]
    known = sum(wanted.expectations.known(run.header, verdict) is not None for run in runs for verdict in run.verdicts)
    if known:
        console.print(Text(f"Known and expected: {known}."), soft_wrap=True)
    for stale in wanted.expectations.stale(judged):
        console.print(Text(f"STALE  {stale}. Take the entry out, or put it right."), soft_wrap=True)
    if trouble:
        sys.stderr.write(f"A report could not be written: {trouble}\n")
        return INVALID
    if wanted.html is not None:
        console.print(Text(f"The report is {wanted.html / 'index.html'}"), soft_wrap=True)
    return exit_status(judged, wanted.expectations)


def _written(runs: Sequence[Run], wanted: Wanted) -> str:
    """Write the files; what kept them from being written."""
    try:
        if wanted.junit is not None:
            wanted.junit.write_bytes(junit(runs, wanted.expectations))
        if wanted.html is not None:
            pages.write(wanted.html, runs)
    except OSError as error:
        return str(error)
    return ""


async def _judge(subjects: Sequence[Named], role: Role | None, wish: Wish, ending: Ending) -> list[Run]:
    ending.watch()
    runs: list[Run] = []
    with Watch(Console(stderr=True)) as watch:
        for subject in subjects:
            for one in [role] if role else [Role.HOST, Role.GUEST]:
                # Who hosts in a matrix talks with everybody, itself included.
                partners = subjects if role is None and one is Role.HOST and _conversations(wish) else ()
                if not partners and not selected(one, wish):
                    continue
                path = wish.records
                if path is not None and role is None:
                    path.mkdir(exist_ok=True)
                    path = path / f"{slug(subject.name)}-{one.value}.ndjson"
                runs.append(await _run(subject, one, partners, path, wish, watch))
    return runs


async def _run(
    subject: Named, role: Role, partners: Sequence[Named], path: Path | None, wish: Wish, watch: Watch
) -> Run:
    began = time.monotonic()
    chosen = selected(role, wish)
    talks = _conversations(wish)
    options = runner.Options(only=wish.only, slow=wish.slow, jobs=wish.jobs, seconds=wish.seconds)
    watched = watch.run(subject.name, role.value, len(chosen) + len(partners) * len(talks))
    launcher = await _in_time(subject, role, chosen, wish, watched)
    with ExitStack() as stack:
        records = _Records(Writer(stack.enter_context(path.open("wb"))) if path else None, watched)
        head = runner.header(launcher, role, chosen, options)
        records.write(head)
        judged = list((await runner.run(launcher, role, chosen, options, records.told)).verdicts)
        for partner in partners:
            for verdict in await talk(launcher, launcher_of(partner, RealTime(), wish), talks):
                judged.append(verdict)
                records.told(verdict)
        footer = Footer(
            totals=totals(judged), seconds=round(time.monotonic() - began, 3), exit_status=_status(head, judged, wish)
        )
        records.write(footer)
    return Run(header=head, verdicts=tuple(judged), footer=footer)


def _status(head: Header, judged: Sequence[Verdict], wish: Wish) -> int:
    own = wish.wanted.expectations.about(head.subject)
    return exit_status([Judged(header=head, verdicts=tuple(judged))], own)


class _Records:
    """Where the records of a run go as they fall."""

    def __init__(self, writer: Writer | None, watched: Watched) -> None:
        self._writer = writer
        self._watched = watched

    def write(self, record: Record) -> None:
        if self._writer is not None:
            self._writer.write(record)

    def told(self, verdict: Verdict) -> None:
        self.write(verdict)
        self._watched.told(verdict)


async def _in_time(subject: Named, role: Role, chosen: Sequence[Case], wish: Wish, watched: Watched) -> Launcher:
    """A launcher whose clock goes as fast as it says; where that cannot be, one in real time that says why."""
    clock = clock_of(wish)
    timed = [case for case in chosen if case.needs]
    if not timed:
        return launcher_of(subject, clock, wish)
    speed = max(clock.speed_for(runner.deadlines(case)) for case in timed)
    return await believed(subject, role, wish, min(speed, runner.Options().speed), watched.say)


async def believed(
    subject: Named, role: Role, wish: Wish, speed: float, say: Callable[[str], None] = lambda _trouble: None
) -> Launcher:
    """A launcher whose clock was tried at this speed; one in real time, whose clock says why, when that does not work."""
    clock = clock_of(wish)
    launcher = launcher_of(subject, clock, wish)
    if clock.kind == "real" or (trouble := await check_clock(launcher, speed, role)) is None:
        return launcher
    say(trouble)
    return launcher_of(subject, Stuck(trouble), wish)


def launcher_of(subject: Named, clock: Clock, wish: Wish) -> Launcher:
    """Starts its processes, controlled as wished."""
    launcher = McpLauncher if wish.control == "mcp" else LineLauncher
    return launcher(subject.name, subject.command, wish.environment, clock)


def clock_of(wish: Wish) -> Clock:
    """How protocol time passes."""
    if wish.slow or wish.time != "faketime":
        return RealTime()
    return Constants(wish.time_env) if wish.time_env else find_faketime(os.environ)
