"""What is measured and what is wanted of it, as `measures.toml` says, and what was tried, as `tried.toml` says."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

FOLDER: Final = Path(__file__).parent

_Table = TypeVar("_Table")


class Measure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is measured, once a round."""

    id: str
    what: str
    unit: str
    beside: str = ""
    """What is measured beside it in the same run, if something is."""
    points: tuple[int, ...] = ()
    """Where it is measured, if in several places: then ID.POINT are its ids."""
    along: str = ""
    """What is counted by these points."""
    bare: bool = False
    """Whether nothing of ours is in it, so that it stands beside the others."""
    tail: bool = False
    """Whether it is what the slowest of a hundred calls take: drawn by itself."""

    def ids(self) -> Iterator[str]:
        """What it is recorded under, without what follows from it."""
        for each in [f"{self.id}.{point}" for point in self.points] or [self.id]:
            yield each
            if self.beside:
                yield f"{each}.bare"


class Derived(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows from two measures, round by round."""

    id: str
    what: str
    unit: str
    how: Literal["ratio", "difference"]
    of: str
    to: str


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one module measures in one run."""

    name: str
    title: str
    how: str
    measure: tuple[Measure, ...]
    derived: tuple[Derived, ...] = ()
    optional: bool = False
    """Whether it is measured only where something is installed that is not needed."""

    @property
    def command(self) -> str:
        """What measures it again."""
        return f"python -m tests.bench {self.name}"

    def measured(self) -> list[str]:
        """The ids that its module gives."""
        return [each for measure in self.measure for each in measure.ids()]

    def following(self) -> list[Derived]:
        """What follows, the ratios of what is measured beside each other included."""
        ratios = [
            Derived(
                id=f"{each.removesuffix('.bare')}.ratio",
                what=measure.what,
                unit="x",
                how="ratio",
                of=each.removesuffix(".bare"),
                to=each,
            )
            for measure in self.measure
            for each in measure.ids()
            if each.endswith(".bare")
        ]
        return [*ratios, *self.derived]


class Target(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a figure must be; one of the two bounds is given."""

    measure: str
    text: str
    least: float | None = None
    most: float | None = None
    accepted: str = ""
    """Why it may be missed, until somebody finds a way; empty where a miss is a fault."""

    def is_met(self, value: float) -> bool:
        """Whether a figure is good."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


class Measures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `measures.toml`."""

    section: tuple[Section, ...]
    target: tuple[Target, ...]

    def section_of(self, id: str) -> Section:
        """Where a figure is measured."""
        return next(
            each for each in self.section if id in (*each.measured(), *(derived.id for derived in each.following()))
        )

    def unit_of(self, id: str) -> str:
        """In which unit a figure is."""
        for section in self.section:
            for measure in section.measure:
                if id in measure.ids():
                    return measure.unit
            for derived in section.following():
                if id == derived.id:
                    return derived.unit
        raise KeyError(id)


class Tried(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attempt to be faster or smaller, whatever came of it."""

    what: str
    measure: str
    """The measure by which it was judged."""
    before: float
    after: float
    commit: str = ""
    """Which one has it; empty where none does."""
    kept: bool
    why: str


class _Attempts(Struct, frozen=True, forbid_unknown_fields=True):
    tried: tuple[Tried, ...] = ()


def measures() -> Measures:
    """What is measured."""
    return read("measures.toml", Measures)


def tried() -> tuple[Tried, ...]:
    """What was tried."""
    return read("tried.toml", _Attempts).tried


def read(name: str, table: type[_Table]) -> _Table:
    """A table of this folder."""
    # The path of a wrong field is in msgspec's own error.
    return msgspec.convert(tomllib.loads((FOLDER / name).read_text(encoding="utf-8")), table)
