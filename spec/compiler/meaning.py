"""What a peer can see of a wire version, without the words around it: the part of the tables that is frozen with it.

A field stands at the place where people look for it: table, kind of row, row, field. One that the types of the tables call
free is left out, and so is one at an empty default, so that a field which is added to the types changes no older version.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from msgspec import Struct, structs, to_builtins

from spec.compiler.lint_handshake import formulas
from spec.compiler.reader import Spec, SpecError
from tunnel.spec.model import FREE, Machine

NAMES: Final = ("id", "name")
"""What a row is called by is its place, and no field of it."""

WORDS: Final = frozenset({"name", "why", "flag"})
"""Fields of a vector that say nothing about its answer: what it is called by, and words and marks for people."""

OWN: Final = "table"
"""The kind of row that holds what a table says beside its rows."""

ORDER: Final = "order"
"""The kind of row that says in which order others stand."""

PROSE: Final = "tunnel.md"
"""Of this page, the formulas and the grammar of the link are frozen."""

ASKING: Final = ("cases", "invariants")
"""Kinds of rows that ask whether a peer keeps the rest. There may always be more of them; of these, the ids are kept."""


class Place(NamedTuple):
    """Where a row stands. A field of a frame is a row, too: `auth.response`."""

    table: str
    kind: str
    row: str


Meaning = dict[Place, dict[str, Any]]
"""The frozen fields of every row, as JSON could hold them."""


def meaning(spec: Spec) -> Meaning:
    """All that is frozen with a version.

    Raises:
        SpecError: a file of vectors is not one.
    """
    found: Meaning = {}
    tables = {name: table for name, table in _fields(spec) if isinstance(table, Struct)}
    for name, table in {**tables, **spec.machines}.items():
        found |= dict(_table(f"{name}.toml", name, table))
    found |= dict(_orders(spec))
    found |= {Place("cases.toml", "cases", case.id): {} for case in spec.cases.cases}
    for name, machine in spec.machines.items():
        found |= {Place(f"{name}.toml", "invariants", invariant.id): {} for invariant in machine.invariants}
    return found | dict(_formulas(spec.folder)) | dict(_vectors(spec.folder / "vectors"))


def _table(file: str, name: str, table: Struct) -> Iterator[tuple[Place, dict[str, Any]]]:
    own = {field: to_builtins(value) for field, value in _fields(table) if not _is_rows(value)}
    if own:
        yield Place(file, OWN, name), own
    for field, value in _fields(table):
        if _is_rows(value):
            yield from _rows(file, field, value)


def _rows(file: str, kind: str, rows: Iterable[Struct], within: str = "") -> Iterator[tuple[Place, dict[str, Any]]]:
    for row in rows:
        name = f"{within}{_name(row)}"
        plain = ((f, value) for f, value in _fields(row) if f not in NAMES and not _is_rows(value))
        yield Place(file, kind, name), {field: to_builtins(value) for field, value in plain}
        for _, value in _fields(row):
            if _is_rows(value):
                yield from _rows(file, kind, value, f"{name}.")


def _name(row: Struct) -> str:
    """What people call a row."""
    return str(next(getattr(row, field) for field in NAMES if hasattr(row, field)))


def _is_rows(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(row, Struct) for row in value)  # pyright: ignore[reportUnknownVariableType] - of whatever it is


def _fields(row: Struct) -> Iterator[tuple[str, Any]]:
    for field in _frozen(type(row)):
        value = getattr(row, field.name)
        # A default that says something is part of what the row says; an empty one says nothing.
        if value not in ((), {}) and (value or value != field.default):
            yield field.encode_name, value


@cache
def _frozen(kind: type[Struct]) -> list[structs.FieldInfo]:
    return [field for field in structs.fields(kind) if FREE not in get_args(field.type)]


def _orders(spec: Spec) -> Iterator[tuple[Place, dict[str, Any]]]:
    for shape in (*spec.frames.records, *spec.frames.frames):
        yield Place("frames.toml", ORDER, shape.name), {"fields": [field.name for field in shape.fields]}
    for name, machine in spec.machines.items():
        for event, rows in _tried(machine).items():
            if len(rows) > 1:
                yield Place(f"{name}.toml", ORDER, event), {"rows": rows}
        # Those of one deadline take effect in this order; one that only is asked takes none.
        firing = [timer.name for timer in machine.timers if timer.fires]
        if len(firing) > 1:
            yield Place(f"{name}.toml", ORDER, name), {"timers": firing}


def _tried(machine: Machine) -> dict[str, list[str]]:
    """The rows of each event, in the order in which they are tried."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in machine.transitions:
        found[row.on].append(row.id)
    return found


def _formulas(folder: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Each with its comment, which binds as well; what is told of one name in several lines is one formula."""
    page = folder / PROSE
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    grammar = [
        line for block in re.findall(r"^```abnf\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for line in _lines(block)
    ]
    for kind, lines in {"formulas": formulas(folder), "grammar": grammar}.items():
        told: defaultdict[str, list[str]] = defaultdict(list)
        for line in lines:
            name, _, says = line.partition(" ")
            told[name].append(says)
        yield from ((Place(PROSE, kind, name), {"text": says}) for name, says in told.items())


def _lines(grammar: str) -> list[str]:
    """Its rules: a line that is indented goes on with the one before it."""
    joined = re.sub(r"\n[ \t]+", " ", grammar)
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def _vectors(folder: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    for path in sorted(folder.glob("*.json")):
        file = f"vectors/{path.name}"
        try:
            # Not msgspec's reader: vectors hold halves of surrogate pairs, which it refuses. What explains them holds none.
            found: list[dict[str, Any]] = json.loads(path.read_bytes()).get("vectors", [])
            names = [str(vector["name"]) for vector in found]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpecError(f"{file}: is no file of vectors: {error!r}") from None
        if twice := {name for name in names if names.count(name) > 1}:
            raise SpecError(f"{file}: {', '.join(sorted(twice))}: stands there more than once")
        for name, vector in zip(names, found, strict=True):
            yield Place(file, "vectors", name), {field: value for field, value in vector.items() if field not in WORDS}
