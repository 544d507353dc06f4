"""What a script is: a short conversation with what must be heard after each line, in a world of seconds and small bounds."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from spec.compiler.explore import ranked
from spec.compiler.hostside import Tables, Taken
from spec.compiler.reader import Spec
from spec.compiler.together import durations

SMALL = {"STRANGER_CONNECTIONS": 1, "CONTROL_FRAMES": 1}
"""Bounds that are reached at once."""

Line = tuple[str, ...]
"""An input by its name, and what it is about: `auth`, `A`, `right`."""

Touched = frozenset[tuple[str, str, str]]
"""Machine, state and event of rows that were taken."""


class Exchange(NamedTuple):
    """An input, and what must be heard then."""

    line: Line
    heard: tuple[str, ...]


class Script(NamedTuple):
    """One conversation."""

    role: str
    turns: tuple[Exchange, ...]
    touched: Touched
    """All rows on its way, also those that timers take."""


def small_world(spec: Spec) -> Spec:
    """The spec with durations of a few seconds, in their order and with a moment within each, and with small bounds."""
    small = {**SMALL, **{name: 1 + rank for name, rank in ranked(durations(spec)).items()}}
    constants = tuple(replace(c, value=small.get(c.name, c.value)) for c in spec.protocol.constants)
    return replace(spec, protocol=replace(spec.protocol, constants=constants))


def tables_of(spec: Spec) -> Tables:
    """The tables of a spec in its small world."""
    return Tables.of(spec, durations(small_world(spec)))


def touched(taken: Iterable[Taken]) -> Touched:
    """What these rows were taken for."""
    return frozenset((one.machine, one.place.state, one.event) for one in taken)


def clock(name: str, remaining: int | None) -> str:
    """What is left of a timer; what is past is past."""
    return f"{name}: {'-' if remaining is None else max(remaining, -1)}"
