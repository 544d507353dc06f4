"""No figure in a paper without its command.

What was measured is marked and compared with the record; what is not marked must be
a number of the program's own, or of its table of clients.

    ... in 6 s <!-- measured: kit.no_time --> ...
"""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import msgspec

from tests.bench import shown, texts
from tests.bench.record import ROOT, Record
from tunnel.app import asking, budget, settings, waiting
from tunnel.app.clients import CLIENTS
from tunnel.io import frames, way
from tunnel.spec.v1 import constants
from tunnel.transport import published

PAPERS: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "conformance/README.md",
    "docs/index.md",
    "docs/guides/*.md",
    "docs/contributors/*.md",
)
"""Where a reader meets figures, beside the page that is written from the record."""

_WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MORE: Final = {"thirty": 30.0, "half an": 0.5, "a quarter of an": 0.25}
_NUMBERS: Final = {word: float(value) for value, word in enumerate(_WORDS)} | _MORE

SECONDS: Final = {
    **dict.fromkeys(("µs", "us"), 1e-6),
    "ms": 1e-3,
    **dict.fromkeys(("s", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
BYTES: Final = {"B": 1.0, "bytes": 1.0, "KiB": 1024.0, "MiB": 1024.0**2}
RATES: Final = dict.fromkeys(("/s", "messages a second"), 1.0)
RATIOS: Final = dict.fromkeys(("x", "×", "times"), 1.0)  # noqa: RUF001 - as a page writes it
UNITS: Final = SECONDS | BYTES | RATES | RATIOS

_UNIT: Final = "|".join(sorted(map(re.escape, [*SECONDS, *BYTES, *RATES]), key=len, reverse=True))
_NUMBER: Final = rf"(\d[\d,]*(?:\.\d+)?|{'|'.join(_NUMBERS)})"
FIGURE: Final = re.compile(rf"(?<![\w.:/-]){_NUMBER}[ \u00a0-]?({_UNIT})(?![\w/])", re.IGNORECASE)
MARK: Final = re.compile(
    rf"(?:\b(at most|less than|within|at least|more than|about) )?{_NUMBER} ?({_UNIT}|x|times)[*`]* <!-- measured: ([\w.]+) -->"
)
ANY_MARK: Final = re.compile(r"<!-- measured:.*?-->", re.DOTALL)

ABOUT: Final = 0.25
"""What is said with `about` may be off by a quarter."""


def papers() -> dict[str, str]:
    """Every paper."""
    paths = [path for pattern in PAPERS for path in sorted(ROOT.glob(pattern))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def wrong(text: str, record: Record) -> list[str]:
    """The marked figures that are not what was measured last, and the marks that belong to no figure."""
    flat = " ".join(text.split())
    found = list(MARK.finditer(flat))
    loose = len(ANY_MARK.findall(flat)) - len(found)
    faults = [f"{loose} marks stand behind no figure; write `6 s <!-- measured: kit.no_time -->`"] if loose else []
    for mark in found:
        how, number, unit, measure = mark.groups()
        figure = record.figure(measure)
        if figure is None:
            faults.append(f"{mark[0]}: {measure} was never recorded; run `make bench`")
        elif not _holds(how, number, UNITS[unit], figure.median * UNITS[figure.unit]):
            faults.append(f"{mark[0]}: the last run gave {shown.figure(figure)} ({figure.command})")
    return faults


def unmarked(text: str) -> list[str]:
    """The figures with a unit of time, size or rate that nobody vouches for."""
    flat = ANY_MARK.sub("", MARK.sub("", " ".join(text.split())))
    for client in CLIENTS:
        flat = flat.replace(client.limit, "")
    own = set(owned())
    return [
        match[0] for match in FIGURE.finditer(flat) if round(_value(match[1]) * UNITS[_unit(match[2])], 6) not in own
    ]


def owned() -> Iterator[float]:
    """Numbers of the program, in seconds and bytes: other tests compare what papers say of them."""
    modules: tuple[ModuleType, ...] = (constants, settings, budget, waiting, asking, published, frames, texts)
    for module in modules:
        for name, value in vars(module).items():
            if name.endswith(("_SECONDS", "_BYTES", "_WAIT")) and isinstance(value, int | float):
                yield round(float(value), 6)
    yield from (float(value) for value in msgspec.structs.astuple(way.Patience()))
    yield from (float(client.seconds) for client in CLIENTS if client.seconds is not None)


def _holds(how: str | None, written: str, unit: float, measured: float) -> bool:
    value = _value(written) * unit
    match how:
        case "at most" | "less than" | "within":
            return measured <= value
        case "at least" | "more than":
            return measured >= value
        case "about":
            return abs(measured - value) <= ABOUT * value
        case _:
            return abs(measured - value) <= _last_digit(written) * unit / 2


def _last_digit(written: str) -> float:
    """What the last digit that counts is worth: 10 in `1,230`, 0.1 in `6.5`."""
    digits = written.replace(",", "")
    if "." in digits:
        return 10.0 ** -len(digits.partition(".")[2])
    return 10.0 ** (len(digits) - len(digits.rstrip("0"))) if digits.isdigit() else 1.0


def _value(written: str) -> float:
    return _NUMBERS.get(written.lower()) or float(written.replace(",", ""))


def _unit(written: str) -> str:
    return written if written in UNITS else written.lower()
