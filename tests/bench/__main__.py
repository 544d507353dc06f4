"""`python -m tests.bench [NAME ...]` measures, and tells what came; with --write it keeps that, and writes page and pictures."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.bench import others, page, pictures, profiled, record, shown
from tests.bench.record import ROOT, Run
from tests.bench.samples import FULL, QUICK, Samples, Size
from tests.bench.tables import Measures, Section, measures, tried

NAMED: Final = 3
"""So many of the changed files are named."""


def main(
    arguments: list[str] | None = None,
    root: Path = ROOT,
    busy: Callable[[], float] = others.now,
    changed: Callable[[], list[str]] = record.changed,
    measure: Callable[[Section, Size, Measures, str], Run] | None = None,
) -> int:
    """Run the named sections, or all.

    What was measured on a busy machine, or of what is not committed, or of no commit that git names, is not kept, and the
    status is 1.
    A missed target is told, and is no failure of the measuring: a test fails by it.
    """
    wanted = measures()
    options = parser([section.name for section in wanted.section]).parse_args(arguments)
    if fault := misused(options):
        print(f"python -m tests.bench: {fault}", file=sys.stderr)
        return 2
    size = QUICK if options.quick else FULL
    if options.page:
        keep({}, wanted, root)
        return 0
    if options.profile:
        profiled.show(size)
        return 0
    if options.write and (why := refused(changed, 0.0 if options.busy else busy())):
        print(f"python -m tests.bench: {why}", file=sys.stderr)
        return 1
    date = options.date or record.committed()
    runs: dict[str, Run] = {}
    unkept: dict[str, str] = {}
    for section in wanted.section:
        if section.name in (options.names or [each.name for each in wanted.section]):
            found = runs[section.name] = (measure or run)(section, size, wanted, date)
            tell(section, found)
            if options.write and (why := refused(changed, 0.0 if options.busy else found.load)):
                unkept[section.name] = why
            elif options.write:
                # At once: whoever stops in the middle keeps what is measured.
                keep({section.name: found}, wanted, root)
    for line in missed(runs, wanted):
        print(line)
    for name, why in unkept.items():
        print(f"not kept: {name}. {why}", file=sys.stderr)
    return 1 if unkept else 0


def misused(options: argparse.Namespace) -> str:
    """What is wrong with the command line; empty where nothing is."""
    if options.quick and options.write:
        return "--quick measures nothing worth keeping. Leave out --quick, or --write."
    if options.profile and (options.names != ["relay"] or options.write):
        return "--profile is of the relay, and nothing is kept of it. Try: python -m tests.bench relay --profile"
    return ""


def refused(changed: Callable[[], list[str]], load: float) -> str:
    """Why nothing is kept; empty where nothing speaks against it."""
    try:
        files = changed()
    except record.NoCommitError as error:
        return str(error)
    if files:
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        return (
            f"not as they were committed: {', '.join(files[:NAMED])}{more}. "
            "Nobody could measure the same again: commit them first."
        )
    if load > record.BUSY:
        return (
            f"others keep {load:.2g} cores busy, and {record.BUSY:g} are allowed. "
            "Wait until they have ended, or give --busy: then the page says that it judges nothing."
        )
    return ""


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
    made.add_argument(
        "--profile",
        action="store_true",
        help="keep nothing; tell where the relay's host spends its time (with `relay`)",
    )
    made.add_argument("--busy", action="store_true", help="keep also what was measured while others used the machine")
    made.add_argument("--date", default="", help="of the record; that of the last commit when left out")
    return made


def run(section: Section, size: Size, wanted: Measures, date: str) -> Run:
    """Measure one section."""
    began = others.moment()
    samples: Samples = import_module(f"tests.bench.{section.name}").measure(size)
    units = {
        each: wanted.unit_of(each) for each in [*section.measured(), *(derived.id for derived in section.following())]
    }
    return Run(
        date=date,
        machine=record.machine(),
        program=record.program(),
        load=round(others.cores(began, others.moment()), 2),
        figures=record.figures(section, samples, units),
    )


def tell(section: Section, found: Run) -> None:
    """Print what came."""
    print(f"{section.title}: {section.command} (others kept {found.load:g} cores busy)")
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
        else:
            (docs / pictures.PICTURES / f"{section.name}.svg").unlink(missing_ok=True)


def missed(runs: dict[str, Run], wanted: Measures) -> list[str]:
    """The targets that these runs have missed, in sentences."""
    figures = {name: figure for each in runs.values() for name, figure in each.figures.items()}
    return [
        f"missed: {target.text}: {shown.figure(figures[target.measure])}"
        for target in wanted.target
        if target.measure in figures and not target.is_met(figures[target.measure].median)
    ]


if __name__ == "__main__":
    sys.exit(main())
