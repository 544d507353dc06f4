"""Draws the machines that run: every row once, on the arrow that leaves a state or a whole group, or in the state that it stays in.

Colours are the page's: the picture has none of its own, so that it can be read in light and in dark.
"""

import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from html import escape
from itertools import pairwise
from typing import NamedTuple

from tunnel.spec.model import Machine

Draw = Callable[[str], str]
"""From the language of Graphviz to SVG."""

SECONDS = 30
MISSING = (
    "The picture is missing, because `dot` was not there when this page was made. It is part of Graphviz "
    "(Debian: `apt-get install graphviz`; macOS: `brew install graphviz`). The arrows are these."
)


class DrawingError(Exception):
    """Graphviz does not draw; the text says what it said."""


def with_dot(name: str = "dot") -> Draw | None:
    """Graphviz, where it is installed.

    Args:
        name: of its program.
    """
    program = shutil.which(name)
    if program is None:
        return None

    def svg(text: str) -> str:
        command = [program, "-Tsvg"]
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - our own text
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DrawingError(f"{program} cannot be run: {error}") from None
        if done.returncode or "<svg" not in done.stdout:
            raise DrawingError(
                f"{program} draws nothing, and says: {done.stderr.strip()[-300:] or 'nothing'}. Install Graphviz anew; without it "
                "there are tables instead of pictures."
            )
        return done.stdout

    return svg


def draw(machine: Machine, dot: Draw | None) -> str:
    """The picture of a machine as Markdown."""
    if dot is None:
        lines = [
            f"| {', '.join(way.sources)} | {way.target} | {', '.join(rows)} |" for way, rows in ways(machine).items()
        ]
        return "\n".join([f":::{{note}}\n{MISSING}\n:::\n", "| from | to | rows |", "|---|---|---|", *lines])
    picture = dot(graph(machine))
    picture = re.sub(r"<!--.*?-->\s*", "", picture[picture.index("<svg") :], flags=re.DOTALL)
    # Titles are tooltips that name a node; the labels say more.
    picture = re.sub(r"<title>.*?</title>\s*", "", picture)
    picture = picture.replace("<svg ", f'<svg role="img" aria-label="{escape(machine.title)}: its states and rows" ', 1)
    return f'```{{raw}} html\n<div class="diagram" tabindex="0">\n{picture.strip()}\n</div>\n```'


class Way(NamedTuple):
    """From one state, or from several alike, to another."""

    sources: tuple[str, ...]
    target: str


def ways(machine: Machine) -> dict[Way, list[str]]:
    """The rows of every way. Those that stay where they are and do nothing are the silence around it, and left out."""
    found: dict[Way, list[str]] = {}
    for row in machine.transitions:
        leaves = machine.states_of(row.leaves)
        sources = tuple(state.name for state in machine.states if state.name in leaves and state.name != row.to)
        if row.to != "=":
            found.setdefault(Way(sources, row.to), []).append(row.id)
        elif row.do:
            for state in sources:
                found.setdefault(Way((state,), state), []).append(row.id)
    return found


def graph(machine: Machine) -> str:
    """The machine in the language of Graphviz."""
    rows = ways(machine)
    lines = [
        "digraph machine {",
        'graph [bgcolor="transparent", nodesep=0.3, ranksep=0.45, margin=0.05]',
        'node [shape=box, style=rounded, fontname="DejaVu Sans", fontsize=12, margin="0.2,0.12"]',
        'edge [fontname="DejaVu Sans", fontsize=10]',
        "begin [shape=point, width=0.14]",
        f"begin -> {machine.initial} [weight=100]",
    ]
    for state in machine.states:
        stays = _lines(", ".join(rows.get(Way((state.name,), state.name), ())), 28)
        below = [f'<BR/><FONT POINT-SIZE="10">{line}</FONT>' for line in [*_lines(state.doc, 28), *_led(stays)]]
        ends = ", peripheries=2" if state.final else ""
        lines.append(f"{state.name} [label=<<B>{state.name}</B>{''.join(below)}>{ends}]")
    steps = set(pairwise(state.name for state in machine.states))
    for number, (way, ids) in enumerate(rows.items()):
        if (*way.sources, way.target) in steps:
            # One state below the other, in the order of the table: a column that also a phone shows.
            label = "<BR/>".join(f"&#160;&#160;{line}" for line in _lines(", ".join(ids), 24))
            lines.append(f"{way.sources[0]} -> {way.target} [label=<{label}>, weight=100]")
        elif way.sources != (way.target,):
            lines += _around(machine, f"way{number}", way, ids)
    return "\n".join([*lines, "}"])


def _around(machine: Machine, node: str, way: Way, ids: list[str]) -> Iterator[str]:
    """A way beside that column: its rows stand on it, once, where the lines of its states meet."""
    called = [f"<I>{_called(machine, way.sources)}</I>"] if len(way.sources) > 1 else []
    label = "<BR/>".join([*called, *_lines(", ".join(ids), 24)])
    yield f'{node} [label=<{label}>, fontsize=10, style="rounded,dashed", margin="0.1,0.06"]'
    yield from (f"{source} -> {node} [arrowhead=none, style=dashed, weight=0]" for source in way.sources)
    yield f"{node} -> {way.target} [weight=0]"


def _called(machine: Machine, states: tuple[str, ...]) -> str:
    """The name of a group of states, or the states."""
    names = ("live", *machine.groups)
    return next((name for name in names if set(machine.states_of((name,))) == set(states)), ", ".join(states))


def _lines(text: str, width: int) -> list[str]:
    return [escape(line) for line in textwrap.wrap(text.replace("`", ""), width, break_on_hyphens=False)]


def _led(stays: list[str]) -> list[str]:
    """What happens in place, told apart by an arrow that comes back."""
    return [f"\u21ba {stays[0]}", *stays[1:]] if stays else []
