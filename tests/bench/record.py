"""The last run, as it is kept in `docs/bench/recorded.json`: nothing in it is written by hand.

It says on which machine, and of each measure its median, its spread and its command.
"""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import msgspec
from msgspec import Struct, structs

from tests.bench.samples import Samples
from tests.bench.tables import Section
from tunnel import __version__

ROOT: Final = Path(__file__).parents[2]
RECORD: Final = ROOT / "docs" / "bench" / "recorded.json"

PACKAGES: Final = ("mcp", "websockets", "msgspec", "pynacl", "transitions", "anyio", "pyperf", "uvloop")
"""What the figures depend on, beside this program and Python."""

WRITTEN: Final = ("docs/speed.md", "docs/bench/recorded.json", "docs/_static/bench")
"""What a run writes itself: that makes nothing else of what it measures."""

BUSY: Final = 0.3
"""Cores: where others use more, what is measured is measured of them, too."""

DIRTY: Final = "-dirty"

_DIGITS: Final = 4


class NoCommitError(Exception):
    """Git names no commit of what is measured.

    Args:
        found: what git says, or that there is none.
    """

    def __init__(self, found: str) -> None:
        super().__init__(
            f"git names no commit: {found}. Nobody could measure the same again: "
            "measure in a clone of the repository, as the user who owns it, where `git rev-parse HEAD` names one."
        )


class Machine(Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    cpu: str
    cores: int
    kernel: str
    python: str
    packages: dict[str, str]

    @property
    def system(self) -> str:
        """The kernel as it is shown."""
        return without_build(self.kernel)


class Program(Struct, frozen=True, kw_only=True):
    """What was measured."""

    version: str
    commit: str
    """As `git describe` names it, with `-dirty` where more differs from it than what a run writes; empty where git names none."""


class Figure(Struct, frozen=True, kw_only=True):
    """One measure: the median of its rounds, and the quartiles around it."""

    median: float
    low: float
    high: float
    rounds: int
    unit: str
    command: str


class Run(Struct, frozen=True, kw_only=True):
    """What was measured in one section at one time."""

    date: str
    machine: Machine
    program: Program
    load: float
    """How many cores others kept busy meanwhile, on the average."""
    figures: dict[str, Figure]

    @property
    def is_quiet(self) -> bool:
        """Whether the figures say something of this program, and not of what ran beside it."""
        return self.load <= BUSY


class Record(Struct, frozen=True, kw_only=True):
    """Everything that was measured last, by section."""

    sections: dict[str, Run] = {}

    def run_of(self, id: str) -> Run | None:
        """The run that gave a figure."""
        return next((run for run in self.sections.values() if id in run.figures), None)

    def figure(self, id: str) -> Figure | None:
        """A figure, wherever it stands."""
        run = self.run_of(id)
        return run and run.figures[id]

    def with_run(self, name: str, run: Run) -> "Record":
        """The record with another run of a section; one that gave nothing is taken out."""
        others = {other: each for other, each in self.sections.items() if other != name}
        return structs.replace(self, sections=others | ({name: run} if run.figures else {}))


def figures(section: Section, samples: Samples, unit_of: dict[str, str]) -> dict[str, Figure]:
    """What a section's samples come to, and what follows from them."""
    values = dict(samples.values)
    for derived in section.following():
        if derived.of in values and derived.to in values:
            pairs = zip(values[derived.of], values[derived.to], strict=True)
            values[derived.id] = [of / to if derived.how == "ratio" else of - to for of, to in pairs]
    return {name: figure(each, unit_of[name], section.command) for name, each in sorted(values.items())}


def figure(values: list[float], unit: str, command: str) -> Figure:
    """Median and quartiles, with as many digits as a measurement has."""
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    return Figure(
        median=rounded(median(values)),
        low=rounded(low),
        high=rounded(high),
        rounds=len(values),
        unit=unit,
        command=command,
    )


def rounded(value: float) -> float:
    """Four digits that count."""
    return float(f"{value:.{_DIGITS}g}")


def machine() -> Machine:
    """This one."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        kernel=kernel(),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
    )


def kernel() -> str:
    """The kernel of this machine, without the name of its build."""
    return without_build(f"{platform.system()} {platform.release()}")


def without_build(kernel: str) -> str:
    """A system and its release up to the first hyphen: what follows names one machine's build of it."""
    system, _, release = kernel.partition(" ")
    return f"{system} {release.partition('-')[0]}".rstrip()


def program(root: Path = ROOT) -> Program:
    """This one."""
    try:
        described = _git("describe", "--always", root=root).strip()
        return Program(version=__version__, commit=f"{described}{DIRTY}" if changed(root) else described)
    except NoCommitError:
        return Program(version=__version__, commit="")


def changed(root: Path = ROOT) -> list[str]:
    """The tracked files that differ from the last commit, but for what a run writes.

    Raises:
        NoCommitError: nobody knows, for git names no commit.
    """
    _git("rev-parse", "HEAD", root=root)
    return _git("diff", "--name-only", "HEAD", "--", ".", *(f":!{each}" for each in WRITTEN), root=root).splitlines()


def committed() -> str:
    """The date of the last commit; nothing where git names none."""
    try:
        return _git("log", "-1", "--format=%cs").strip()
    except NoCommitError:
        return ""


def read(path: Path = RECORD) -> Record:
    """The record; an empty one where nothing was recorded."""
    return msgspec.json.decode(path.read_bytes(), type=Record) if path.is_file() else Record()


def write(record: Record, path: Path = RECORD) -> None:
    """Keep it, in an order that shows what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=2) + b"\n")


def _git(*asked: str, root: Path = ROOT) -> str:
    """What git says."""
    try:
        done = subprocess.run(["git", *asked], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoCommitError("there is no git") from None
    if done.returncode:
        raise NoCommitError((done.stderr.splitlines() or [f"its status is {done.returncode}"])[0])
    return done.stdout


def _cpu() -> str:
    """What the system calls it: Linux says more than Python knows."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.is_file() else None
    return found[1] if found else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
