"""What a text is as a frame, read slowly and by the tables alone: `spec/v1/frames.toml`, and Python's own reader of JSON.

Where JSON leaves it open (RFC 8259 sections 4 and 6), this is how wire version 1 is read: of two fields of one name both
must fit, and the last counts, also for a bound in bytes; a whole number is written without a point and an exponent; and a
number that no float can hold fits nowhere, though it may stand in a field that nobody knows.
"""

import json
from functools import cache
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from spec.compiler.reader import table
from tests.fuzz.target import ROOT
from tunnel.spec.model import Field, Frames, Protocol, Role, Shape
from tunnel.spec.v1.constants import FRAME_DEPTH

V1: Final = ROOT / "spec" / "v1"
FRAMES: Final = table(V1 / "frames.toml", Frames)
CONSTANTS: Final = {row.name: row for row in table(V1 / "protocol.toml", Protocol).constants}
RECORDS: Final = {row.name: row for row in FRAMES.records}

UNREAD: Final = ("any", "const")
"""Types of fields that may be left out, and of which a receiver reads little or nothing."""

Json: TypeAlias = "bool | int | float | str | list[Json] | Pairs | None"
Reading: TypeAlias = "dict[str, Any] | str"
"""A frame's fields; or, where it is none, the name that the text gives itself."""


class Pairs(list[tuple[str, Json]]):
    """An object of JSON, with fields that come twice."""


def read(text: str, sender: Role) -> Reading:
    """The frame that a text is, if this end has sent it."""
    if _has_half(text):
        return ""
    try:
        value: Json = json.loads(text, object_pairs_hook=Pairs, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, Pairs) or not _is_flat(value):
        return ""
    named = [given for name, given in value if name == FRAMES.tag_field]
    name = named[-1] if named else ""
    shape = _shapes(sender).get(name) if isinstance(name, str) else None
    if any(not isinstance(one, str) for one in named):
        # Two names, and one of them none: a text without halves of pairs does not say what it is.
        return name if isinstance(name, str) and _spells_half(value) else ""
    if shape is None or len(set(map(str, named))) > 1 or _spells_half(value) or not _fits(shape, value):
        return cast(str, name)
    return _taken(shape, value)


@cache
def _shapes(sender: Role) -> dict[str, Shape]:
    return {row.name: row for row in FRAMES.frames if row.sender is sender}


def _taken(shape: Shape, pairs: Pairs) -> dict[str, Any]:
    """What its receiver reads of it."""
    given = dict(pairs)
    return {field.name: _content(field, given[field.name]) for field in shape.fields if field.type not in UNREAD}


def _content(field: Field, value: Json) -> Any:  # whatever the tables let stand there
    match field.type.split(), value:
        case [record, *_], Pairs() if record in RECORDS:
            return _taken(RECORDS[record], value)
        case [record, "list"], list() if record in RECORDS:
            return [_taken(RECORDS[record], one) for one in value if isinstance(one, Pairs)]
        case _:
            return value


def _fits(shape: Shape, pairs: Pairs) -> bool:
    return all(_field_fits(field, [given for name, given in pairs if name == field.name]) for field in shape.fields)


def _field_fits(field: Field, found: list[Json]) -> bool:
    if not found:
        return field.type in UNREAD
    return all(_value_fits(field, value) for value in found) and _in_bytes(field, found[-1])


def _value_fits(field: Field, value: Json) -> bool:
    match field.type.split():
        case ["any" | "const"]:
            return _is_finite(value)
        case ["string"]:
            return isinstance(value, str) and _in_bounds(field, value)
        case ["integer"]:
            return isinstance(value, int) and not isinstance(value, bool) and _in_range(field, value)
        case ["number"]:
            return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
        case ["one", "of", *allowed]:
            return value in allowed
        case [record, "list"]:
            return isinstance(value, list) and not isinstance(value, Pairs) and all(_is(record, one) for one in value)
        case [record]:
            return _is(record, value)
        case _:
            raise AssertionError(f"a type that is not known: {field.type}")


def _is(record: str, value: Json) -> bool:
    return isinstance(value, Pairs) and _fits(RECORDS[record], value)


def _in_bounds(field: Field, value: str) -> bool:
    if not field.max:
        return True
    bound = CONSTANTS[field.max]
    return bound.unit == "bytes" or len(value) <= bound.value


def _in_bytes(field: Field, value: Json) -> bool:
    bound = CONSTANTS.get(field.max)
    return bound is None or bound.unit != "bytes" or (isinstance(value, str) and len(value.encode()) <= bound.value)


def _in_range(field: Field, value: int) -> bool:
    return (field.min is None or field.min <= value) and (not field.max or value <= CONSTANTS[field.max].value)


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def _inner(value: Json) -> list[Json]:
    if isinstance(value, Pairs):
        return [inner for _, inner in value]
    return value if isinstance(value, list) else []


def _is_flat(value: Json) -> bool:
    """Whether it nests no deeper than FRAME_DEPTH (SIZE-4)."""
    level = [value]
    for _ in range(FRAME_DEPTH + 1):
        if not (level := [one for one in level if isinstance(one, list)]):
            return True
        level = [inner for outer in level for inner in _inner(outer)]
    return False


def _is_finite(value: Json) -> bool:
    return isfinite(value) if isinstance(value, float) else all(map(_is_finite, _inner(value)))


def _spells_half(value: Json) -> bool:
    """Whether a string in it, the names of fields included, holds half of a surrogate pair (WIRE-6)."""
    names = [name for name, _ in value] if isinstance(value, Pairs) else []
    return any(map(_has_half, names)) or (
        _has_half(value) if isinstance(value, str) else any(map(_spells_half, _inner(value)))
    )


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
