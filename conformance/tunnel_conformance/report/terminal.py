"""The matrix for people at a terminal: read without colour, however many implementations; plain lines where it is none."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunnel_conformance.records import Outcome, Run, Verdict
from tunnel_conformance.report.expect import Expectations
from tunnel_conformance.report.marks import MARKS, counts_against, totals
from tunnel_conformance.report.matrix import Column, Matrix, matrices
from tunnel_conformance.report.text import shown
from tunnel_conformance.report.words import grouped, headline, told

_CASE_WIDTH: Final = 30
_PADDING: Final = 3


def show(console: Console, runs: Sequence[Run], expectations: Expectations) -> None:
    """The whole report: matrices, sentences, and every verdict that counts against somebody."""
    if not console.is_terminal:
        for line in plain(runs, expectations):
            console.file.write(f"{line}\n")
        return
    for matrix in matrices(runs):
        _show_matrix(console, matrix)
    for line in failures(runs, expectations):
        console.print(Text(line), soft_wrap=True)


def plain(runs: Sequence[Run], expectations: Expectations) -> Iterator[str]:
    """A line a verdict, with tabs, for `grep` and `cut`; then sentences, and what counts against somebody in full."""
    found = matrices(runs)
    for matrix in found:
        for number, column in enumerate(matrix.columns):
            for row in matrix.rows:
                cell = row.cells[number]
                if cell is not None:
                    yield "\t".join(
                        (cell.outcome.value, column.name, matrix.role, shown(row.case, 60), shown(",".join(row.rules)))
                    )
    for matrix in found:
        for column in matrix.columns:
            yield _sentence(column)
    yield from failures(runs, expectations)


def failures(runs: Sequence[Run], expectations: Expectations) -> Iterator[str]:
    """Every verdict that counts against an implementation, with its conversation; of those that are known the reason."""
    for run in runs:
        against = [verdict for verdict in run.verdicts if counts_against(verdict)]
        for verdict, times in grouped(against):
            yield ""
            known = expectations.known(run.header, verdict)
            if known is None:
                yield from told(verdict, run.header.subject, times)
            else:
                yield f"KNOWN  {next(told(verdict, run.header.subject))}"
                yield f"  {'reason':<9} {shown(known.reason)}"


def _show_matrix(console: Console, matrix: Matrix) -> None:
    by_name = _CASE_WIDTH + sum(len(column.name) + _PADDING for column in matrix.columns) <= console.width
    at_once = len(matrix.columns) if by_name else max(1, (console.width - _CASE_WIDTH) // (4 + _PADDING))
    for first in range(0, len(matrix.columns), at_once):
        block = range(first, min(first + at_once, len(matrix.columns)))
        console.print(_table(console, matrix, block, by_name=by_name))
    for outcome in _used(matrix):
        mark = MARKS[outcome]
        line = Text(f"{_short(console, outcome)}  ", style=mark.colour)
        console.print(line.append(f"{outcome.value}: {mark.meaning}", style="default"))
    console.print()
    for number, column in enumerate(matrix.columns, 1):
        console.print(Text(_sentence(column) if by_name else f"{number:>3}  {_sentence(column)}"))


def _table(console: Console, matrix: Matrix, block: Iterable[int], *, by_name: bool) -> Table:
    table = Table(title=f"As {matrix.role}", title_justify="left", title_style="bold")
    table.add_column("case", no_wrap=True)
    columns = [matrix.columns[number] for number in block]
    for number, column in zip(block, columns, strict=True):
        table.add_column(Text(column.name if by_name else str(number + 1)), justify="center", no_wrap=True)
    for area in matrix.areas:
        table.add_section()
        table.add_row(Text(area.name, style="bold"))
        for row in area.rows:
            table.add_row(Text(f"  {shown(row.case, 40)}"), *(_cell(console, row.cells[number]) for number in block))
    table.add_section()
    counted = [totals(column.verdicts.values()) for column in columns]
    for outcome in _used(matrix):
        counts = (str(count[outcome.value]) if outcome.value in count else "" for count in counted)
        table.add_row(Text(outcome.value, style=MARKS[outcome].colour), *counts)
    return table


def _cell(console: Console, verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("")
    return Text(_short(console, verdict.outcome), style=MARKS[verdict.outcome].colour)


def _short(console: Console, outcome: Outcome) -> str:
    mark = MARKS[outcome]
    return mark.short if console.encoding.startswith("utf") else mark.letter


def _used(matrix: Matrix) -> list[Outcome]:
    found = {cell.outcome for row in matrix.rows for cell in row.cells if cell is not None}
    return [outcome for outcome in Outcome if outcome in found]


def _sentence(column: Column) -> str:
    return f"{column.name} as {column.role}: {headline(column)}"
