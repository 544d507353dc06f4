"""What a text is as a frame, read slowly and by the tables alone: `spec/v1/frames.toml`, and Python's own reader of JSON.

Where JSON leaves open what a text means (RFC 8259 sections 4 and 6), the tables do, too: nobody writes a name twice in one
object, nor a whole number with a fraction or an exponent (WIRE-11), and a receiver may read either in any way.
"""

import json
from functools import cache
from math import isfinite
from typing import Any, Final, TypeAlias

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

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Reading: TypeAlias = "dict[str, Any] | str"
"""A frame's fields; or, where it is none, the name that the text gives itself."""


def is_left_open(text: str) -> bool:
    """Whether the tables do not say what the text is: it is JSON, and spelled as nobody may write."""
    found: list[bool] = []

    def keep(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    def number(spelled: str) -> float:
        found.append(float(spelled).is_integer())
        return float(spelled)

    try:
        json.loads(text, object_pairs_hook=keep, parse_float=number, parse_int=_number)
    except (ValueError, RecursionError):
        return False
    return any(found)


def read(text: str, sender: Role) -> Reading:
    """The frame that a text is, if this end has sent it."""
    if _has_half(text):
        return ""
    try:
        value: Json = json.loads(text, parse_int=_number, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict) or not _is_flat(value):
        return ""
    name = value.get(FRAMES.tag_field)
    if not isinstance(name, str):
        return ""
    shape = _shapes(sender).get(name)
    return _taken(shape, value) if shape and not _spells_half(value) and _fits(shape, value) else name


@cache
def _shapes(sender: Role) -> dict[str, Shape]:
    return {row.name: row for row in FRAMES.frames if row.sender is sender}


def _taken(shape: Shape, given: dict[str, Json]) -> dict[str, Any]:
    """What its receiver reads of it."""
    return {field.name: _content(field, given[field.name]) for field in shape.fields if field.type not in UNREAD}


def _content(field: Field, value: Json) -> Any:  # whatever the tables let stand there
    match field.type.split(), value:
        case [record, *_], dict() if record in RECORDS:
            return _taken(RECORDS[record], value)
        case [record, "list"], list() if record in RECORDS:
            return [_taken(RECORDS[record], one) for one in value if isinstance(one, dict)]
        case _:
            return value


def _fits(shape: Shape, given: dict[str, Json]) -> bool:
    return all(
        _value_fits(field, given[field.name]) if field.name in given else field.type in UNREAD for field in shape.fields
    )


def _value_fits(field: Field, value: Json) -> bool:
    match field.type.split():
        case ["any" | "const"]:
            return True
        case ["string"]:
            return isinstance(value, str) and _in_bounds(field, value)
        case ["integer"]:
            return isinstance(value, int) and not isinstance(value, bool) and _in_range(field, value)
        case ["number"]:
            return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        case ["one", "of", *allowed]:
            return value in allowed
        case [record, "list"]:
            return isinstance(value, list) and all(_is(record, one) for one in value)
        case [record]:
            return _is(record, value)
        case _:
            raise AssertionError(f"a type that is not known: {field.type}")


def _is(record: str, value: Json) -> bool:
    return isinstance(value, dict) and _fits(RECORDS[record], value)


def _in_bounds(field: Field, value: str) -> bool:
    if not field.max:
        return True
    bound = CONSTANTS[field.max]
    return len(value.encode() if bound.unit == "bytes" else value) <= bound.value


def _in_range(field: Field, value: int) -> bool:
    return (field.min is None or field.min <= value) and (not field.max or value <= CONSTANTS[field.max].value)


def _number(spelled: str) -> int | float:
    """A whole number, or the float without a bound where no float holds it."""
    return int(spelled) if isfinite(float(spelled)) else float(spelled)


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def _inner(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _is_flat(value: Json) -> bool:
    """Whether it nests no deeper than FRAME_DEPTH (SIZE-4)."""
    level = [value]
    for _ in range(FRAME_DEPTH + 1):
        if not (level := [one for one in level if isinstance(one, list | dict)]):
            return True
        level = [inner for outer in level for inner in _inner(outer)]
    return False


def _spells_half(value: Json) -> bool:
    """Whether a string in it, the names of fields included, holds half of a surrogate pair (WIRE-6)."""
    names = list(value) if isinstance(value, dict) else []
    return any(map(_has_half, names)) or (
        _has_half(value) if isinstance(value, str) else any(map(_spells_half, _inner(value)))
    )


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
