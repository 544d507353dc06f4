"""`python -m tests.bench [NAME ...]` measures, and tells what came; with --write it keeps that, and writes page and pictures."""

import argparse
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.bench import page, pictures, record, shown
from tests.bench.record import ROOT, Machine, Run
from tests.bench.samples import FULL, QUICK, Samples, Size
from tests.bench.tables import Measures, Section, measures, tried

BUSY: Final = 0.5
"""A load from which on others are measured, too."""


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the named sections, or all. A missed target is told, and is no failure of the measuring: the status is 0."""
    wanted = measures()
    options = parser([section.name for section in wanted.section]).parse_args(arguments)
    if options.quick and options.write:
        print(
            "python -m tests.bench: --quick measures nothing worth keeping. Leave out --quick, or --write.",
            file=sys.stderr,
        )
        return 2
    if options.page:
        keep({}, wanted, root)
        return 0
    date = options.date or dated()
    if options.write and not date:
        print("python -m tests.bench: nobody knows the date. Give it: --date 2026-11-23", file=sys.stderr)
        return 2
    runs: dict[str, Run] = {}
    # Once: what is measured here is work for the machine, too.
    here = record.machine()
    if here.load > BUSY:
        print(f"The machine is busy (load {here.load:g}): what is measured now is worth little.", file=sys.stderr)
    for section in wanted.section:
        if section.name in (options.names or [each.name for each in wanted.section]):
            runs[section.name] = run(section, QUICK if options.quick else FULL, wanted, date, here)
            tell(section, runs[section.name])
            if options.write:
                # At once: whoever stops in the middle keeps what is measured.
                keep({section.name: runs[section.name]}, wanted, root)
    for line in missed(runs, wanted):
        print(line)
    return 0


def parser(names: list[str]) -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure, beside what the machine can do at best."
    )
    made.add_argument(
        "names", nargs="*", metavar="NAME", choices=[*names, []], help=f"of {', '.join(names)}; all when left out"
    )
    made.add_argument(
        "--write", action="store_true", help="keep the figures in the documentation, with page and pictures"
    )
    made.add_argument(
        "--page", action="store_true", help="measure nothing; write page and pictures from the last record"
    )
    made.add_argument("--quick", action="store_true", help="so little of each that it is no measurement: does it run?")
    made.add_argument("--date", default="", help="of the record; that of the last commit when left out")
    return made


def run(section: Section, size: Size, wanted: Measures, date: str, here: Machine) -> Run:
    """Measure one section."""
    samples: Samples = import_module(f"tests.bench.{section.name}").measure(size)
    units = {
        each: wanted.unit_of(each) for each in [*section.measured(), *(derived.id for derived in section.following())]
    }
    return Run(date=date, machine=here, figures=record.figures(section, samples, units))


def tell(section: Section, found: Run) -> None:
    """Print what came."""
    print(f"{section.title}: {section.command}")
    for name, figure in found.figures.items():
        print(f"  {name:32} {shown.figure(figure)}", flush=True)


def keep(runs: dict[str, Run], wanted: Measures, root: Path) -> None:
    """Write record, page and pictures."""
    docs = root / "docs"
    kept = record.read(docs / "bench" / "recorded.json")
    for name, each in runs.items():
        kept = kept.with_run(name, each)
    record.write(kept, docs / "bench" / "recorded.json")
    page.write(page.page(kept, wanted, tried()), docs / "speed.md")
    for section in wanted.section:
        if section.name in kept.sections and pictures.is_drawn(section):
            pictures.draw(section, kept.sections[section.name], docs / pictures.PICTURES)


def missed(runs: dict[str, Run], wanted: Measures) -> list[str]:
    """The targets that these runs have missed, in sentences."""
    figures = {name: figure for each in runs.values() for name, figure in each.figures.items()}
    return [
        f"missed: {target.text}: {shown.figure(figures[target.measure])}"
        for target in wanted.target
        if target.measure in figures and not target.is_met(figures[target.measure].median)
    ]


def dated() -> str:
    """The date of the last commit; nothing where there is no git."""
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%cs"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
