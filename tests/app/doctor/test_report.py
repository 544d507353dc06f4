"""A report is a line for each finding, with what to do below it; a program gets objects."""

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from tunnel.app.doctor.findings import Row, Verdict
from tunnel.app.doctor.report import as_json, show, summary

LONG = "a way that is blocked " * 10
ROWS = [
    Row(check="python", verdict=Verdict.OK, found="3.12.1", todo=""),
    Row(check="dns", verdict=Verdict.PROBLEM, found=f"[bold]{LONG}[/]".strip(), todo="Check it. " * 12),
    Row(check="clock", verdict=Verdict.NOTE, found="nobody was asked", todo=""),
]


def shown(*, terminal: bool, width: int = 80) -> str:
    file = io.StringIO()
    show(ROWS, Console(file=file, force_terminal=terminal, width=width, color_system="standard" if terminal else None))
    return file.getvalue()


def test_in_a_pipe_each_is_one_line_and_what_to_do_another() -> None:
    first, second, third, *rest = shown(terminal=False).splitlines()

    assert first == "ok       Python        3.12.1"
    assert second.startswith(f"problem  DNS           [bold]{LONG}")
    assert third == " " * 23 + "-> " + ROWS[1].todo
    assert len(rest) == 2


@pytest.mark.parametrize("width", [70, 120])
def test_on_a_terminal_lines_are_broken_between_words_and_indented(width: int) -> None:
    drawn = shown(terminal=True, width=width)
    lines = Text.from_ansi(drawn).plain.splitlines()

    assert all(len(line) <= width for line in lines[:-1])
    assert sum(line.startswith(" " * 23) for line in lines) > 3
    assert "\x1b[1;31mproblem" in drawn


def test_a_narrow_terminal_is_enough() -> None:
    assert "3.12.1" in shown(terminal=True, width=10)


def test_a_program_gets_objects_whose_fields_are_stable() -> None:
    rows = json.loads(as_json(ROWS))

    assert rows[0] == {"check": "python", "verdict": "ok", "found": "3.12.1", "todo": ""}
    assert [row["verdict"] for row in rows] == ["ok", "problem", "note"]


def test_at_the_end_it_is_summed_up() -> None:
    assert summary(ROWS) == "1 problem, 1 note. Mend the first problem first."
    assert summary(ROWS[:1]) == "No problem, 0 notes."


def test_a_name_that_has_no_title_is_shown_as_it_is() -> None:
    file = io.StringIO()
    show([Row(check="new", verdict=Verdict.OK, found="", todo="")], Console(file=file))

    assert file.getvalue().startswith("ok       new")
