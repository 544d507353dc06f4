"""Runs side by side: a table for each role, whose rows are cases by area and whose columns are implementations."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from tunnel_conformance.records import Run, Verdict
from tunnel_conformance.report.marks import counts_against
from tunnel_conformance.report.text import shown, slug
from tunnel_conformance.spec import DIGEST, spec

RoleName = Literal["host", "guest"]

ROLES: Final[tuple[RoleName, ...]] = ("host", "guest")


class Column(Struct, frozen=True, kw_only=True):
    """One run: an implementation in a role."""

    name: str
    """As it is shown; no two columns of a role have the same."""
    slug: str
    """For file names; no two columns have the same."""
    role: RoleName
    run: Run
    verdicts: dict[str, Verdict]
    """By label."""

    @property
    def against(self) -> list[Verdict]:
        """What counts against the implementation."""
        return [verdict for verdict in self.verdicts.values() if counts_against(verdict)]

    @property
    def missing(self) -> int:
        """How many cases of the spec have no verdict; 0 when it was judged by another spec than this kit's."""
        if self.run.header.spec != DIGEST:
            return 0
        own = {case.id for case in spec().cases.cases if case.judges.value == self.role}
        return len(own - {verdict.case for verdict in self.verdicts.values()})


class Row(Struct, frozen=True, kw_only=True):
    """One case, by its label, and how it went in each column."""

    case: str
    slug: str
    title: str
    rules: tuple[str, ...]
    cells: tuple[Verdict | None, ...]


class Area(Struct, frozen=True, kw_only=True):
    """The cases about one part of the protocol: `WIRE`, `AUTH`, `LOCK` and so on."""

    name: str
    rows: tuple[Row, ...]


class Matrix(Struct, frozen=True, kw_only=True):
    """All columns of one role."""

    role: RoleName
    columns: tuple[Column, ...]
    areas: tuple[Area, ...]

    @property
    def rows(self) -> list[Row]:
        """The cases of all areas."""
        return [row for area in self.areas for row in area.rows]


def matrices(runs: Sequence[Run]) -> list[Matrix]:
    """A matrix for each role that was judged."""
    found = columns(runs)
    slugs = case_slugs(runs)
    return [_matrix(role, own, slugs) for role in ROLES if (own := tuple(c for c in found if c.role == role))]


def columns(runs: Sequence[Run]) -> list[Column]:
    """The columns of all runs, in their order; who ran twice is told apart by a number."""
    made: list[Column] = []
    names: Counter[tuple[str, str]] = Counter()
    slugs: Counter[str] = Counter()
    for run in runs:
        header = run.header
        names[header.role, header.subject] += 1
        times = names[header.role, header.subject]
        name = shown(header.subject, 60) + (f" ({times})" if times > 1 else "")
        verdicts = {label(verdict): verdict for verdict in run.verdicts}
        made.append(
            Column(name=name, slug=_once(f"{name} {header.role}", slugs), role=header.role, run=run, verdicts=verdicts)
        )
    return made


def label(verdict: Verdict) -> str:
    """What a row is called: the case, and in a conversation of two implementations the partner."""
    return f"{verdict.case} with {verdict.partner}" if verdict.partner else verdict.case


def _once(text: str, taken: Counter[str]) -> str:
    part = slug(text)
    taken[part] += 1
    # No slug holds an underscore: this one is not taken either.
    return part if taken[part] == 1 else f"{part}_{taken[part]}"


def _matrix(role: RoleName, columns: tuple[Column, ...], slugs: dict[str, str]) -> Matrix:
    ids = [case for case in slugs if any(case in column.verdicts for column in columns)]
    areas = dict.fromkeys(area_of(case) for case in ids)
    return Matrix(
        role=role,
        columns=columns,
        areas=tuple(
            Area(name=name, rows=tuple(_row(case, slugs[case], columns) for case in ids if area_of(case) == name))
            for name in areas
        ),
    )


def _row(case: str, slug: str, columns: Sequence[Column]) -> Row:
    cells = tuple(column.verdicts.get(case) for column in columns)
    told = next(cell for cell in cells if cell is not None)
    return Row(case=case, slug=slug, title=told.title, rules=told.rules, cells=cells)


def area_of(case: str) -> str:
    """`lock-second-guest` belongs to `LOCK`."""
    return shown(case.partition("-")[0].upper(), 12)


def case_slugs(runs: Sequence[Run]) -> dict[str, str]:
    """Every label of the runs, in the order of the spec, and a name for its file; no two are the same, wherever a run is from."""
    known = {case.id: number for number, case in enumerate(spec().cases.cases)}
    seen = {label(verdict): verdict.case for run in runs for verdict in run.verdicts}
    taken: Counter[str] = Counter()
    return {name: _once(name, taken) for name in sorted(seen, key=lambda name: known.get(seen[name], len(known)))}
