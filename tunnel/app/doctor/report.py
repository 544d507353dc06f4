"""What was found, for a person or for a program."""

import textwrap
from collections.abc import Sequence
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from tunnel.app.doctor.checks import TITLES
from tunnel.app.doctor.findings import Row, Verdict

_STYLES: Final = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.PROBLEM: "bold red"}
_VERDICT_WIDTH: Final = max(len(verdict.value) for verdict in Verdict) + 2
_TITLE_WIDTH: Final = max(map(len, TITLES.values())) + 2
_NARROWEST: Final = 40
_ARROW: Final = "-> "


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects; their fields are stable."""
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode("utf-8")


def show(rows: Sequence[Row], console: Console) -> None:
    """A line for each, and below it what to do; only a terminal has a width at which lines are broken."""
    indent = " " * (_VERDICT_WIDTH + _TITLE_WIDTH)
    width = max(console.width - len(indent), _NARROWEST) if console.is_terminal else None
    for row in rows:
        first, *others = _lines(row.found, "", width) + (_lines(row.todo, _ARROW, width) if row.todo else [])
        title = TITLES.get(row.check, row.check)
        line = Text().append(row.verdict.value.ljust(_VERDICT_WIDTH), _STYLES[row.verdict])
        line.append(title.ljust(_TITLE_WIDTH), "bold").append(first)
        console.print(line, soft_wrap=True)
        for other in others:
            console.print(Text(f"{indent}{other}"), soft_wrap=True)
    console.print(Text(summary(rows)), soft_wrap=True)


def summary(rows: Sequence[Row]) -> str:
    """All of it in a sentence."""
    problems, notes = (sum(row.verdict is verdict for row in rows) for verdict in (Verdict.PROBLEM, Verdict.NOTE))
    if problems:
        return f"{_counted(problems, 'problem')}, {_counted(notes, 'note')}. Mend the first problem first."
    return f"No problem, {_counted(notes, 'note')}."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _lines(text: str, lead: str, width: int | None) -> list[str]:
    if width is None:
        return [f"{lead}{text}"]
    # A path or an address stays whole, so that it can be copied.
    broken = textwrap.TextWrapper(width, lead, " " * len(lead), break_on_hyphens=False, break_long_words=False)
    return broken.wrap(text) or [lead]
