"""Writes the pages. What stands in them from outside is escaped: by the templates as HTML, and as text that hides nothing."""

import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from tunnel.spec.model import Case, Rule
from tunnel_conformance.records import Outcome, Run, Verdict
from tunnel_conformance.report.html.diagram import draw
from tunnel_conformance.report.marks import MARKS, WORST, counts_against, totals, worst
from tunnel_conformance.report.matrix import Column, Matrix, Row, label, matrices
from tunnel_conformance.report.text import lines, shown
from tunnel_conformance.report.words import decided_at, grouped, headline, step_in_words
from tunnel_conformance.spec import rules, spec

MARKER: Final = ".tunnel-conformance"
"""Says that a folder is a report, and may be replaced by the next one."""

_FOLDERS: Final = ("implementations", "rules", "cases")


class BadFolder(Exception):
    """The report cannot be written there; the text says why. Name another folder, or empty this one."""


class CasePage(Struct, frozen=True, kw_only=True):
    """A case, and how it went wherever it was run."""

    row: Row
    case: Case | None
    verdicts: tuple[tuple[Column, Verdict], ...]


class RulePage(Struct, frozen=True, kw_only=True):
    """A rule, the verdicts of all its cases, and the worst of them for each column."""

    rule: Rule
    verdicts: tuple[tuple[Column, Verdict], ...]
    cells: tuple[Outcome | None, ...]


def check(folder: Path) -> None:
    """Look before a run whether its report can be written afterwards.

    Raises:
        BadFolder: it is no folder, or holds something else than an earlier report.
    """
    if folder.exists() and not folder.is_dir():
        raise BadFolder(f"{folder} is no folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise BadFolder(f"{folder} holds something that is no report; name an empty or a new folder")


def write(folder: Path, runs: Sequence[Run]) -> None:
    """Write the report, in place of an earlier one.

    Raises:
        BadFolder: as for `check`.
    """
    check(folder)
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    (folder / MARKER).touch()
    for name, text in pages(runs):
        (folder / name).write_text(text, encoding="utf-8")


def pages(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Every file of the report: its path in the folder, and its text."""
    found = matrices(runs)
    columns = [column for matrix in found for column in matrix.columns]
    by_case = _case_pages(found)
    by_rule = [_rule_page(rule, columns) for rule in rules().values()]
    slugs = {page.row.case: page.row.slug for page in by_case}
    yield "style.css", files(__package__ or "").joinpath("templates/style.css").read_text(encoding="utf-8")
    yield "index.html", _page("index", matrices=found)
    yield "rules.html", _page("rules", pages=by_rule, columns=columns)
    for column in columns:
        yield f"implementations/{column.slug}.html", _page("implementation", root="../", column=column, slugs=slugs)
    for page in by_rule:
        yield f"rules/{page.rule.id}.html", _page("rule", root="../", page=page, columns=columns, slugs=slugs)
    for page in by_case:
        yield f"cases/{page.row.slug}.html", _page("case", root="../", page=page)


def _case_pages(found: Sequence[Matrix]) -> list[CasePage]:
    known = {case.id: case for case in spec().cases.cases}
    verdicts: dict[str, list[tuple[Column, Verdict]]] = {}
    for matrix in found:
        for row in matrix.rows:
            own = zip(matrix.columns, row.cells, strict=True)
            verdicts.setdefault(row.case, []).extend((column, cell) for column, cell in own if cell is not None)
    rows = {row.case: row for matrix in found for row in matrix.rows}
    return [
        CasePage(row=rows[case], case=known.get(case), verdicts=tuple(sorted(judged, key=_weight)))
        for case, judged in verdicts.items()
    ]


def _weight(judged: tuple[Column, Verdict]) -> int:
    return WORST.index(judged[1].outcome)


def _rule_page(rule: Rule, columns: Sequence[Column]) -> RulePage:
    own = [[v for v in column.verdicts.values() if rule.id in v.rules] for column in columns]
    return RulePage(
        rule=rule,
        verdicts=tuple((column, verdict) for column, found in zip(columns, own, strict=True) for verdict in found),
        cells=tuple(worst(found) for found in own),
    )


def _page(template: str, *, root: str = "", **words: object) -> str:
    return _templates().get_template(f"{template}.html.jinja").render(root=root, **words)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("tunnel_conformance.report.html"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_fit,
    )
    words: dict[str, object] = {
        "MARKS": MARKS,
        "WORST": WORST,
        "Outcome": Outcome,
        "rules": rules(),
        "wire": spec().protocol.wire,
        "counts_against": counts_against,
        "decided_at": decided_at,
        "draw": draw,
        "grouped": grouped,
        "headline": headline,
        "label": label,
        "lines": lines,
        "prose": prose,
        "step_in_words": step_in_words,
        "totals": totals,
    }
    cast(dict[str, object], made.globals).update(words)  # jinja2 declares it with what is in it at the start
    return made


def prose(text: str) -> Markup:
    """A sentence of the spec: what stands between backticks is set as code."""
    parts = shown(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _fit(value: object) -> object:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
