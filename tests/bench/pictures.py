"""One picture for each section: bars for what stands beside something, lines for what grows. Legible on light and on dark.

Each carries a digest of the figures it shows, so that a test can tell an old one without drawing.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.bench import shown
from tests.bench.record import ROOT, Figure, Run
from tests.bench.tables import Measure, Section

PICTURES: Final = "_static/bench"
"""Where they are, below `docs/`."""

OURS: Final = "#2f8fce"
BARE: Final = "#e0912f"
INK: Final = "#808080"
"""Readable on white and on black."""

FAR_APART: Final = 8.0
"""What differs by more has axes of its own, or the smaller one would not be seen."""

_DIGEST: Final = re.compile(rb"figures ([0-9a-f]{64})")
_WIDE: Final = 7.4
_LINE_HIGH: Final = 2.3
_BARS_HIGH: Final = 0.15
_BAR_HIGH: Final = 0.42
"""Inches."""

_THICK: Final = 0.36
_STYLES: Final = ((OURS, "-o"), (OURS, "--o"), ("#8a68c8", "-s"), ("#8a68c8", "--s"), (BARE, ":^"))


def draw(section: Section, run: Run, folder: Path = ROOT / "docs" / PICTURES) -> Path:
    """Write the picture of a section."""
    import matplotlib as mpl

    inks = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    # Text stays text: it is read aloud, searched, and takes the reader's own font.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": section.name, "font.size": 9} | dict.fromkeys(inks, INK)
    with mpl.rc_context(settings):
        from matplotlib.figure import Figure as Canvas

        panels = _panels(section, run)
        heights = [_height(each) for each in panels]
        canvas = Canvas(figsize=(_WIDE, sum(heights)), layout="constrained")
        axes: Any = canvas.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
        for axis, measures in zip(axes.flat, panels, strict=True):
            (_lines if measures[0].points else _bars)(axis, measures, run)
        folder.mkdir(parents=True, exist_ok=True)
        told = {"Date": None, "Creator": None, "Title": section.title, "Description": f"figures {digest(section, run)}"}
        canvas.savefig(folder / f"{section.name}.svg", transparent=True, metadata=told)
    return folder / f"{section.name}.svg"


def digest(section: Section, run: Run) -> str:
    """What tells one set of figures, and of words beside them, from another."""
    return hashlib.sha256(msgspec.json.encode([section, run.figures], order="sorted")).hexdigest()


def digest_in(picture: Path) -> str:
    """Which figures a picture shows."""
    found = _DIGEST.search(picture.read_bytes())
    return found[1].decode("ascii") if found else ""


def is_drawn(section: Section) -> bool:
    """Whether a section has a picture: two numbers are no picture."""
    return any(measure.beside or measure.points for measure in section.measure)


def alternative(section: Section, run: Run) -> str:
    """What the picture shows, for those who do not see it."""
    told = [f"{measure.what}: {_told(measure, run)}" for measure in section.measure]
    return _plainly(f"{section.title}. {'; '.join(told)}.")


def _plainly(text: str) -> str:
    """Without Markdown."""
    return text.replace("`", "")


def _told(measure: Measure, run: Run) -> str:
    if measure.points:
        found = [(point, run.figures.get(f"{measure.id}.{point}")) for point in (measure.points[0], measure.points[-1])]
        return ", ".join(f"{_amount(each)} at {point:,}" for point, each in found)
    bare = run.figures.get(f"{measure.id}.bare")
    return _amount(run.figures.get(measure.id)) + (f", {measure.beside} {_amount(bare)}" if bare else "")


def _amount(figure: Figure | None) -> str:
    return shown.amount(figure.median, figure.unit) if figure else "not measured"


def _panels(section: Section, run: Run) -> list[list[Measure]]:
    """What is drawn on the same axes: the same unit and about the same size, and lines with lines."""
    panels: list[list[Measure]] = []
    for measure in section.measure:
        if not _drawn(measure, run):
            continue
        fitting = (panel for panel in panels if _fits(measure, panel[0], run))
        if panel := next(fitting, None):
            panel.append(measure)
        else:
            panels.append([measure])
    return panels


def _fits(measure: Measure, beside: Measure, run: Run) -> bool:
    small, large = sorted(_drawn(each, run)[0].median for each in (measure, beside))
    return (measure.unit, measure.points, measure.tail) == (beside.unit, beside.points, beside.tail) and (
        large <= small * FAR_APART
    )


def _drawn(measure: Measure, run: Run) -> list[Figure]:
    return [run.figures[each] for each in measure.ids() if each in run.figures]


def _height(measures: list[Measure]) -> float:
    return _LINE_HIGH if measures[0].points else _BARS_HIGH + _BAR_HIGH * len(measures)


def _bars(axis: Any, measures: list[Measure], run: Run) -> None:
    longest = max(figure.high for measure in measures for figure in _drawn(measure, run))
    for row, measure in enumerate(measures):
        ours, bare = run.figures.get(measure.id), run.figures.get(f"{measure.id}.bare")
        off = _THICK / 2 if bare else 0
        for figure, colour, at, name in ((ours, OURS, row - off, ""), (bare, BARE, row + off, measure.beside)):
            if figure:
                axis.barh(at, figure.median, _THICK, color=colour)
                axis.plot([figure.low, figure.high], [at, at], color=INK, linewidth=1)
                label = f"{_amount(figure)}  {_plainly(name)}".strip()
                axis.text(figure.high + longest * 0.01, at, label, va="center", fontsize=8)
    axis.set_yticks(range(len(measures)), [_plainly(measure.what) for measure in measures])
    axis.set_ylim(len(measures) - 0.5, -0.5)
    axis.set_xlim(0, longest * 1.4)
    axis.set_xticks([])
    _plain(axis, "top", "right", "bottom")


def _lines(axis: Any, measures: list[Measure], run: Run) -> None:
    points = measures[0].points
    for measure, (colour, style) in zip(measures, _STYLES, strict=False):
        for suffix, ink, name in (("", colour, measure.what), (".bare", BARE, measure.beside)):
            found = [(point, run.figures.get(f"{measure.id}.{point}{suffix}")) for point in points]
            there = [(point, figure.median) for point, figure in found if figure]
            if there:
                axis.plot(*zip(*there, strict=True), style, color=ink, markersize=4, linewidth=1.2, label=name)
    axis.set_xscale("symlog" if points[0] == 0 else "log")
    axis.set_xticks(points, [f"{point:,}" for point in points])
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel(measures[0].along)
    axis.set_ylabel(shown.UNITS[measures[0].unit])
    axis.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    _plain(axis, "top", "right")


def _plain(axis: Any, *sides: str) -> None:
    for side in sides:
        axis.spines[side].set_visible(False)
