"""`python -m tests.bench [NAME ...]` measures, and tells what came; with --write it keeps that, and writes page and pictures."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tests.bench import others, page, pictures, record, shown
from tests.bench.record import ROOT, Run
from tests.bench.samples import FULL, QUICK, Samples, Size
from tests.bench.tables import Measures, Section, measures, tried


def main(arguments: list[str] | None = None, root: Path = ROOT, busy: Callable[[], float] = others.now) -> int:
    """Run the named sections, or all; what was measured on a busy machine is not kept, and the status is 1.

    A missed target is told, and is no failure of the measuring: a test fails by it.
    """
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
    date = options.date or record.committed()
    if options.write and not date:
        print("python -m tests.bench: nobody knows the date. Give it: --date 2026-11-23", file=sys.stderr)
        return 2
    if options.write and not options.busy and (load := busy()) > record.BUSY:
        print(refused(load), file=sys.stderr)
        return 1
    runs: dict[str, Run] = {}
    for section in wanted.section:
        if section.name in (options.names or [each.name for each in wanted.section]):
            found = runs[section.name] = run(section, QUICK if options.quick else FULL, wanted, date)
            tell(section, found)
            if options.write and (found.is_quiet or options.busy):
                # At once: whoever stops in the middle keeps what is measured.
                keep({section.name: found}, wanted, root)
    for line in missed(runs, wanted):
        print(line)
    disturbed = [] if options.busy or not options.write else [name for name, each in runs.items() if not each.is_quiet]
    for name in disturbed:
        print(f"not kept: {name}. {refused(runs[name].load)}", file=sys.stderr)
    return 1 if disturbed else 0


def refused(load: float) -> str:
    """Why nothing is kept."""
    return (
        f"python -m tests.bench: others keep {load:.2g} cores busy, and {record.BUSY:g} are allowed. "
        "Wait until they have ended, or give --busy: then the page says that it judges nothing."
    )


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
