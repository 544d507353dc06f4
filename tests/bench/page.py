"""Writes `docs/speed.md` from the record: what is wanted, what came, pictures, and what was tried. Nobody edits it."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.bench import shown
from tests.bench.pictures import PICTURES, alternative, is_drawn
from tests.bench.record import ROOT, Record
from tests.bench.tables import FOLDER, Measures, Section, Target, Tried

PAGE: Final = ROOT / "docs" / "speed.md"


def page(record: Record, measures: Measures, attempts: tuple[Tried, ...]) -> str:
    """The whole text."""

    def told(measure: str) -> str:
        return shown.figure(record.figure(measure))

    def judged(target: Target) -> str:
        return verdict(record, target)

    def described(section: Section) -> str:
        return alternative(section, record.sections[section.name])

    words: dict[str, Any] = {  # what the template names
        "measures": measures,
        "runs": [(each, record.sections[each.name]) for each in measures.section if each.name in record.sections],
        "attempts": attempts,
        "figure": told,
        "verdict": judged,
        "described": described,
        "amount": shown.amount,
        "exact": shown.exact,
        "unit_of": measures.unit_of,
        "pictures": PICTURES,
        "is_drawn": is_drawn,
    }
    return environment().get_template("speed.md.jinja").render(words)


def verdict(record: Record, target: Target) -> str:
    """Whether a target is met; one that is missed is said to be, and one that was not measured, too."""
    found = record.figure(target.measure)
    if found is None:
        return "not measured"
    return "met" if target.is_met(found.median) else "**missed**"


def environment() -> Environment:
    """Templates beside this module."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def write(text: str, path: Path = PAGE) -> None:
    """Put it where the documentation is."""
    path.write_text(text, encoding="utf-8")
