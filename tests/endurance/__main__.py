"""`python -m tests.endurance [NAME [--UNIT N]]`: runs what must be endured, all of it when nothing is named, and prints what was found."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.endurance.records import ElsewhereError, Recorded, recorded, today, write
from tests.endurance.results import Found, Run, shown
from tests.endurance.runs import RUNS
from tests.needs import INSTALL, is_missing

LONGEST_SECONDS = 600
"""A run that takes longer has lost somebody who waits."""

FAULTS_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status is 0 when nothing was lost, 1 when something was, 2 when something that is needed is missing."""
    options = _parser().parse_args(arguments)
    if options.list:
        print(listed())
        return 0
    chosen = [RUNS[options.name]] if options.name else list(RUNS.values())
    if lacking := sorted({need for run in chosen for need in run.needs if is_missing(need)}):
        print(*(f"{need} is missing. {INSTALL[need]}" for need in lacking), sep="\n", file=sys.stderr)
        return 2
    try:
        done = [_kept(once(run, getattr(options, "size", run.size)), options) for run in chosen]
    except ElsewhereError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(done))
    return int(any(run.faults for run in done))


def _kept(done: Recorded, options: argparse.Namespace) -> Recorded:
    """Recorded at once, if that is asked for: what happens to a later run takes nothing of this one."""
    if options.write:
        write([done], options.date or today(), is_one_of_all=not options.name)
    return done


def once(run: Run, size: int) -> Recorded:
    """Run one of them, and say so."""
    print(f"{run.name}: {size} {run.unit} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(bounded(run, size, Path(folder)))
    done = recorded(run, size, time.monotonic() - began, found)
    print(f"{run.name}: {done.seconds:.0f} s; {shown(done.figures)}", file=sys.stderr)
    for fault in done.faults[:FAULTS_SHOWN]:
        print(f"  {fault}", file=sys.stderr)
    return done


async def bounded(run: Run, size: int, folder: Path, seconds: float = LONGEST_SECONDS) -> Found:
    """What it finds, and be it that it does not end, or that something in it fails."""
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await run.run(size, folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this run's, and the others are still to come
        if deadline.expired():
            return Found(figures={}, faults=[f"it was not over after {seconds:g} s"])
        return Found(figures={}, faults=[f"it broke off with {type(error).__name__}: {error}"])


def table(done: Sequence[Recorded]) -> str:
    """What was run, how long it took, what was found, and whether all is well."""
    rows = Table("run", "seconds", "what was found", "verdict", box=box.ASCII2, show_lines=True)
    for run in done:
        verdict = "nothing lost" if not run.faults else f"{len(run.faults)} faults"
        rows.add_row(run.name, f"{run.seconds:.1f}", shown(run.figures), verdict)
    return _printed(rows)


def listed() -> str:
    """What there is."""
    rows = Table("command", "what it claims", box=box.ASCII2, show_lines=True)
    for run in RUNS.values():
        rows.add_row(run.command(), run.claim)
    return _printed(rows)


def _printed(rows: Table) -> str:
    console = Console(width=150, color_system=None)
    with console.capture() as text:
        console.print(rows)
    return text.get()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.endurance",
        description="Endure: a thousand cycles, a crowd, a bad network, a full disk, a day. All of it when nothing is named.",
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--write", action="store_true", help="record what is found, and write the page of it")
    parser.add_argument("--date", metavar="DAY", help="the day to record (default: that of the last commit)")
    names = parser.add_subparsers(dest="name", metavar="NAME")
    for run in RUNS.values():
        one = names.add_parser(run.name, help=run.claim.replace("%", "%%"), description=run.claim.replace("%", "%%"))
        one.add_argument(
            f"--{run.unit}",
            dest="size",
            type=_size,
            default=run.size,
            metavar="N",
            help=f"how many (default: {run.size})",
        )
        one.add_argument("--write", action="store_true", default=argparse.SUPPRESS, help="record what is found")
    return parser


def _size(text: str) -> int:
    size = int(text)
    if size < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; at least 1 is needed")
    return size


if __name__ == "__main__":
    sys.exit(main())
