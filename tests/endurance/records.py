"""What was recorded of the runs, and the page that shows it: no figure stands there without its record and its command."""

import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil
from msgspec import Struct, structs

from tests.bench.record import kernel
from tests.endurance.results import Figure, Found, Run, shown
from tests.endurance.runs import RUNS
from tests.standins.strangers import FLOOD_PINGS, POLITE
from tunnel import __version__
from tunnel.spec.v1.constants import STRANGER_CONNECTIONS

ROOT: Final = Path(__file__).parents[2]
RECORD: Final = Path(__file__).with_name("recorded.json")
PAGE: Final = ROOT / "docs" / "endurance.md"
BESIDE: Final = ("websockets", "mcp", "msgspec", "pynacl")
"""Packages on which endurance depends."""


class Recorded(Struct, frozen=True, kw_only=True):
    """One run."""

    name: str
    command: str
    seconds: float
    figures: dict[str, Figure]
    faults: list[str]


class Record(Struct, frozen=True, kw_only=True):
    """All of them, on one machine."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    runs: list[Recorded]


class ElsewhereError(Exception):
    """What was recorded before was so on another machine or with other versions; record all runs anew."""


def recorded(run: Run, size: int, seconds: float, found: Found) -> Recorded:
    """What is kept of a run."""
    figures = {
        name: round(figure, 1) if isinstance(figure, float) else figure for name, figure in found.figures.items()
    }
    return Recorded(
        name=run.name, command=run.command(size), seconds=round(seconds, 1), figures=figures, faults=found.faults
    )


def read(path: Path = RECORD) -> Record:
    """The record."""
    return msgspec.json.decode(path.read_bytes(), type=Record)


def write(
    runs: Iterable[Recorded], date: str, path: Path = RECORD, page: Path = PAGE, *, is_one_of_all: bool = False
) -> None:
    """Record runs, beside those that were recorded before and not run now, and write the page anew.

    Args:
        runs: what was run.
        date: the day to record.
        path: where the record is.
        page: where the page is.
        is_one_of_all: whether all are run now, one after the other: what was recorded elsewhere then makes way.

    Raises:
        ElsewhereError: those are of another machine, or of other versions.
    """
    now = Record(date=date, machine=machine(), versions=versions(), runs=list(runs))
    if {run.name for run in now.runs} != set(RUNS):
        before = read(path)
        if (before.machine, before.versions) == (now.machine, now.versions):
            now = merged(before, now)
        elif not is_one_of_all:
            raise ElsewhereError(ElsewhereError.__doc__)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(now), indent=2) + b"\n")
    page.write_text(written(now), encoding="utf-8")


def merged(before: Record, now: Record) -> Record:
    """The newest of each run, in the order in which they are shown."""
    newest = {run.name: run for run in (*before.runs, *now.runs)}
    return structs.replace(now, runs=[newest[name] for name in RUNS if name in newest])


def written(record: Record) -> str:
    """The page."""
    rows = [_row(run) for run in record.runs]
    machine = ", ".join(record.machine.values())
    programs = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return _PAGE.format(
        date=record.date,
        on=textwrap.fill(f"Recorded on {record.date}: {machine}; {programs}.", 128, break_on_hyphens=False),
        minutes=round(sum(run.seconds for run in record.runs) / 60),
        claims="\n".join(f"| `{run.name}` | {RUNS[run.name].claim} |" for run in record.runs),
        rows="\n".join(rows),
        strangers=STRANGER_CONNECTIONS,
        polite=POLITE,
        flood=FLOOD_PINGS,
    )


def machine() -> dict[str, str]:
    """The machine on which this runs, without its name."""
    memory = round(psutil.virtual_memory().total / 1024**3)
    return {
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "memory": f"{memory} GiB",
        "system": kernel(),
    }


def versions() -> dict[str, str]:
    """What is run."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"tunnel-mcp": __version__, "Python": python, **{name: version(name) for name in BESIDE}}


def today() -> str:
    """The day of the last commit: what is recorded was so then."""
    shown = subprocess.run(
        ["git", "log", "-1", "--format=%cs"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return shown.strip()


def _processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _row(run: Recorded) -> str:
    verdict = "nothing lost" if not run.faults else f"{len(run.faults)} faults: {run.faults[0]}"
    return f"| `{run.command}` | {run.seconds:,.1f} | {shown(run.figures)} | {verdict} |"


_PAGE: Final = """\
# What it endures

Tests say what holds once. These runs say what still holds the thousandth time, in a crowd, over a bad network, on a full disk, or
after a day. Each is a command that ends by itself, and names whatever is lost, late or left behind. `make test` runs a small edition of
each, and shows of most of what they look for that it would be noticed.

    make endurance

runs all of them ({minutes} minutes) and writes this page, run by run; `python -m tests.endurance --list` says what there is.

{on}

| command | seconds | what was found | verdict |
|---|---:|---|---|
{rows}

Loss is made by nftables; delays and reordering by a forwarder of ours between two TUN devices; each side is a network namespace of
its own. Clocks are libfaketime's. The day does not pass second by second, but in jumps of a ping's time: after most of them somebody
asks both sides, which then look at their clocks; after some of them, and at the end, nobody does, and their own timers must.

All of the crowd's sockets come at once, and whoever is cut comes again within a second. The relay keeps {strangers} who wait to be let
in, and hangs up on the oldest of more (SIZE-7), so they are never all connected at one moment: the figure is what the relay's
process held at the most. They stand for other machines, and so their process stands back (`nice {polite}`) for the two servers and
clients on the same cores; a flood of theirs is {flood:,} pings in one piece.

A run that was spared what it is to endure says so, as a fault: too few cuts, breaks, losses, jumps, stops or sockets.

Run them on a machine that is left alone: the bounds of `crowd` and `hostile-guest` are in real time, and a program beside them that takes
the cores can break them.

## What each of them claims

| run | what holds |
|---|---|
{claims}
"""
