"""Writes `docs/speed.md` from the record: what is wanted, what came, pictures, and what was tried. Nobody edits it."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.bench import shown
from tests.bench.pictures import PICTURES, alternative, is_drawn
from tests.bench.record import BUSY, ROOT, Record
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
        "section_of": measures.section_of,
        "pictures": PICTURES,
        "busy": BUSY,
        "is_drawn": is_drawn,
    }
    return environment().get_template("speed.md.jinja").render(words)


def verdict(record: Record, target: Target) -> str:
    """Whether a target is met; one that is missed is said to be, and one that was not measured, too."""
    run, found = record.run_of(target.measure), record.figure(target.measure)
    if run is None or found is None:
        return "not measured"
    if not run.is_quiet:
        return "busy machine: not judged"
    if target.is_met(found.median):
        return "met"
    return f"**missed**: {target.accepted}" if target.accepted else "**missed**"


def faults(record: Record, measures: Measures) -> list[str]:
    """The targets that are neither met nor missed for a reason that was accepted."""
    return [
        f"{target.text}: {told}; {shown.figure(record.figure(target.measure))}. `{measures.section_of(target.measure).command}`"
        for target in measures.target
        if (told := verdict(record, target)) != "met" and not (told.startswith("**missed**") and target.accepted)
    ]


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
