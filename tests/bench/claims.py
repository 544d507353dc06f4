"""No figure in a paper without its command.

What was measured is marked and compared with the record of the benchmarks, of the endurance runs or of fuzzing; what is not
marked must be the program's own, as `own.toml` says by the words around it, or stand in its table of clients.

    ... in 6 s <!-- measured: kit.no_time --> ...
    ... 1,000 cycles <!-- measured: endurance.cycles.cycles --> ...
    ... 1,268,671 runs <!-- measured: fuzz.link.runs --> ...
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import structs

from tests.bench import shown
from tests.bench.own import OWN
from tests.bench.record import ROOT, Figure, Record
from tests.bench.tables import measures, tried
from tests.bench.written import A_FIGURE, amount, figures, in_base
from tests.endurance import records
from tests.fuzz import record as fuzzed
from tunnel.app.clients import CLIENTS

PAPERS: Final = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "conformance/README.md",
    "docs/index.md",
    "docs/guides/*.md",
    "docs/contributors/*.md",
    "tests/bench/speed.md.jinja",
)
"""Where a reader meets figures, beside those that pages take from the records."""

MARK: Final = re.compile(
    rf"(?:\b(at most|less than|within|at least|more than|about) )?{A_FIGURE}[*`]* <!-- measured: ([\w.-]+) -->",
    re.IGNORECASE,
)
ANY_MARK: Final = re.compile(r"<!-- measured:.*?-->", re.DOTALL)

ABOUT: Final = 0.25
"""What is said with `about` may be off by a quarter."""

BINDS: Final = 3
"""A bound that is further off than so many times says nothing."""


def papers() -> dict[str, str]:
    """Every paper, and what is told beside the figures on the pages that are written from the records."""
    paths = [path for pattern in PAPERS for path in sorted(ROOT.glob(pattern))]
    written = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return written | dict(told_beside())


def told_beside() -> Iterator[tuple[str, str]]:
    """How it was measured, why a miss is accepted, why something was kept: sentences of tables, which a page repeats."""
    yield "measures.toml: how", "\n".join(section.how for section in measures().section)
    yield "measures.toml: accepted", "\n".join(target.accepted for target in measures().target)
    yield "tried.toml: why", "\n".join(each.why for each in tried())
    yield "tests/endurance/records.py", records._PAGE


def flat(text: str) -> str:
    """In one line, as sentences are looked for."""
    return " ".join(text.replace("&nbsp;", " ").split())


def wrong(text: str, record: Record) -> list[str]:
    """The marked figures that are not what was measured last, and the marks that belong to no figure."""
    found = list(MARK.finditer(flat(text)))
    loose = len(ANY_MARK.findall(text)) - len(found)
    faults = [f"{loose} marks stand behind no figure; write `6 s <!-- measured: kit.no_time -->`"] if loose else []
    for mark in found:
        how, number, unit, measure = mark.groups()
        figure = recorded(measure, record)
        if figure is None:
            faults.append(f"{mark[0]}: {measure} was never recorded; run `make bench`, `make endurance` or `make fuzz`")
        elif (run := record.run_of(measure)) and not run.is_quiet:
            faults.append(f"{mark[0]}: a busy machine gave that, which says nothing ({figure.command} --write)")
        elif not _holds(how, number, unit, figure):
            faults.append(f"{mark[0]}: the last run gave {told(figure)} ({figure.command})")
    return faults


def unmarked(text: str) -> list[str]:
    """The figures that nobody vouches for."""
    bare = without_marks(text)
    for client in CLIENTS:
        bare = _row(client.name, client.limit).sub("", bare)
    for own in OWN:
        bare = bare.replace(own.words, "")
    return [written for written, _, _ in figures(bare)]


def without_marks(text: str) -> str:
    """In one line, without the marked figures."""
    return ANY_MARK.sub("", MARK.sub("", flat(text)))


def _row(name: str, limit: str) -> re.Pattern[str]:
    """A row of the table of clients, which another test compares."""
    return re.compile(rf"\| {re.escape(name)} \|[^|]*\|[^|]*\| {re.escape(limit)} \|")


def recorded(measure: str, record: Record) -> Figure | None:
    """What a mark names."""
    return record.figure(measure) or next((each for name, each in others() if name == measure), None)


def others() -> Iterator[tuple[str, Figure]]:
    """Every number of the other two records, by the name that a mark gives it: of `ms per cycle`, `ms_per_cycle`."""
    for run in records.read().runs if records.RECORD.is_file() else []:
        for name, value in run.figures.items():
            if not isinstance(value, str):
                yield f"endurance.{run.name}.{name.replace(' ', '_')}", _one(float(value), _unit(name), run.command)
    for target, row in fuzzed.read().items():
        for name, value in structs.asdict(row).items():
            if not isinstance(value, str):
                unit = "s" if name == "seconds" else "B" if name == "bytes" else ""
                command = f"python -m tests.fuzz {target} --seconds {row.seconds}"
                yield f"fuzz.{target}.{name}", _one(float(value), unit, command)


def told(figure: Figure) -> str:
    """A figure in words."""
    return shown.figure(figure) if figure.unit else f"{figure.median:,g}"


def _unit(name: str) -> str:
    """The unit in the name of a figure; empty for what is counted."""
    if name.endswith("/s"):
        return "/s"
    return next((word for word in name.split() if word in shown.UNITS), "")


def _one(value: float, unit: str, command: str) -> Figure:
    return Figure(median=value, low=value, high=value, rounds=1, unit=unit, command=command)


def _holds(how: str | None, number: str, unit: str, figure: Figure) -> bool:
    kind, value = in_base(number, unit)
    measured_kind, measured = in_base("1", figure.unit or "cycles")
    measured *= figure.median
    if unit.lower() == "times" and not figure.unit:
        kind = measured_kind
    if kind != measured_kind:
        return False
    match how and how.lower():
        case "at most" | "less than" | "within":
            return measured <= value <= measured * BINDS
        case "at least" | "more than":
            return measured / BINDS <= value <= measured
        case "about":
            return abs(measured - value) <= ABOUT * value
        case _:
            return abs(measured - value) <= _last_digit(number) / amount(number) * value / 2


def _last_digit(written: str) -> float:
    """What the last digit that counts is worth: 10 in `1,230`, 0.1 in `6.5`, 1000 in `36k`."""
    digits = written.replace(",", "").lower()
    if digits.endswith("k"):
        return 1000 * _last_digit(digits[:-1])
    if "." in digits:
        return 10.0 ** -len(digits.partition(".")[2])
    return 10.0 ** (len(digits) - len(digits.rstrip("0"))) if digits.isdigit() else 1.0
