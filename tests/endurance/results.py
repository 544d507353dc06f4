"""What a run of the endurance tests is, and what it gives back: figures, and whatever was lost, late or left behind."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

Figure: TypeAlias = int | float | str


class Found(Struct, frozen=True, kw_only=True):
    """What one run has found."""

    figures: Mapping[str, Figure]
    """What was counted or measured, each under a name that holds its unit."""
    faults: list[str]
    """Each thing that was lost, late or left behind, in a sentence; none when all is well."""


class Run(Struct, frozen=True, kw_only=True):
    """One thing that must be endured."""

    name: str
    claim: str
    """What holds if there are no faults, in a sentence."""
    unit: str
    """What its size counts, in the plural: also the name of the option."""
    size: int
    """The size at which it is recorded."""
    small: int
    """The size at which `make test` runs it; 0 where other tests do so."""
    run: Callable[[int, Path], Awaitable[Found]]
    """Takes the size, and a folder for its files."""
    needs: tuple[str, ...] = ()
    """Programs beyond Python, as `tests/needs.py` names them."""

    def command(self, size: int | None = None) -> str:
        """How it is run again."""
        return f"python -m tests.endurance {self.name} --{self.unit} {self.size if size is None else size}"


def merged(*found: Found) -> Found:
    """What several parts of one run have found."""
    figures = {name: figure for part in found for name, figure in part.figures.items()}
    return Found(figures=figures, faults=[fault for part in found for fault in part.faults])


def too_few(what: str, found: float, least: float) -> list[str]:
    """That something against which a run is to hold has not happened, or too seldom: then nothing was endured."""
    return (
        []
        if found >= least
        else [f"{what}: {_number(found)}, and it takes {_number(least)} for a run that shows anything"]
    )


def shown(figures: Mapping[str, Figure]) -> str:
    """Figures in a line."""
    return "; ".join(f"{name} {_number(figure)}" for name, figure in figures.items())


def _number(figure: Figure) -> str:
    match figure:
        case int():
            return f"{figure:,}"
        case float():
            return f"{figure:,.1f}"
        case _:
            return figure
