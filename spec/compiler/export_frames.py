"""JSON Schema of every frame: what a receiver takes. Unknown fields pass (WIRE-3), and so does anything in a field that is not read.

What a schema cannot tell, such as the bytes of a text, is in `spec/v1/export/README.md`, and a test compares the two with the codec.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from spec.compiler.export_json import Schema, head
from spec.compiler.reader import Spec
from tunnel.spec.model import Field, Shape

IN_FILE: Final = "#/$defs/{}"
"""Where a record stands in a schema that is a file of its own."""


def schemas(spec: Spec) -> dict[str, Schema]:
    """The schema of every frame by its name, each with the records that it holds."""
    return {frame.name: _whole(spec, frame) for frame in spec.frames.frames}


def shape(spec: Spec, found: Shape, place: str = IN_FILE) -> Schema:
    """The schema of a frame or a record.

    Args:
        spec: the tables.
        found: the frame or record.
        place: where the schemas of records are found.
    """
    tag: Schema = {spec.frames.tag_field: {"const": found.name, "description": "The name of the frame."}}
    fields = {field.name: _field(spec, field, place) for field in found.fields}
    return {
        "description": found.doc,
        "type": "object",
        "properties": (tag if found.sender else {}) | fields,
        "required": [*(tag if found.sender else ()), *(field.name for field in found.fields if _is_needed(field))],
        **({"x-sender": found.sender.value} if found.sender else {}),
        "x-rules": list(found.rules),
        "examples": examples(spec, found.name),
    }


def records_in(spec: Spec, frame: Shape) -> list[Shape]:
    """The records that a frame holds; records hold none."""
    words = {field.type.split()[0] for field in frame.fields}
    return [record for record in spec.frames.records if record.name in words]


def examples(spec: Spec, name: str) -> list[Any]:  # frames as JSON
    """The frames of this name in the vectors, as their senders write them; of a record, the parts of frames that are one."""
    found = [part for written in _written(spec) for part in _parts(spec, written, name)]
    return [part for index, part in enumerate(found) if part not in found[:index]]


def _parts(spec: Spec, written: dict[str, Any], name: str) -> Iterator[Any]:  # frames as JSON
    kind = written[spec.frames.tag_field]
    if kind == name:
        yield written
    for field in next(frame.fields for frame in spec.frames.frames if frame.name == kind):
        match field.type.split():
            case [record, "list"] if record == name:
                yield from written[field.name]
            case [record] if record == name:
                yield written[field.name]
            case _:
                pass


def _written(spec: Spec) -> list[dict[str, Any]]:  # frames as JSON
    """Every frame of the vectors that a sender writes who keeps to this specification."""
    path = spec.folder / "vectors" / "encode.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return [json.loads(vector["text"]) for vector in vectors if vector["verdict"] != "stricter"]


def _whole(spec: Spec, frame: Shape) -> Schema:
    records = {record.name: shape(spec, record) for record in records_in(spec, frame)}
    begin = head(spec, f"frame:{frame.name}", f"The frame `{frame.name}`", f"spec/v{spec.protocol.wire}/frames.toml")
    return begin | shape(spec, frame) | ({"$defs": records} if records else {})


def _is_needed(field: Field) -> bool:
    return field.type not in ("any", "const")


def _field(spec: Spec, field: Field, place: str) -> Schema:
    described = {"description": field.doc, "x-visible": field.visible}
    if field.visible_note:
        described["x-visible-note"] = field.visible_note
    if field.encoding:
        described["x-encoding"] = field.encoding
    if field.encoding.startswith("base64url"):
        described["contentEncoding"] = "base64url"
    return _kind(spec, field, place) | described


def _kind(spec: Spec, field: Field, place: str) -> Schema:
    records = {record.name for record in spec.frames.records}
    match field.type.split():
        case ["string"]:
            return {"type": "string"} | _length(spec, field)
        case ["integer"]:
            return {"type": "integer", "minimum": field.min, "maximum": spec.constants[field.max]}
        case ["number"]:
            return {"type": "number"}
        case ["any"]:
            return {"default": field.default}
        case ["const"]:
            return {"x-written": field.value}
        case ["one", "of", *words]:
            return {"enum": words}
        case [record, "list"] if record in records:
            return {"type": "array", "items": {"$ref": place.format(record)}}
        case [record] if record in records:
            # A description beside a bare `$ref` is lost on readers of older dialects.
            return {"allOf": [{"$ref": place.format(record)}]}
        case _:
            raise ValueError(f"{field.name}: {field.type!r} is no type")


def _length(spec: Spec, field: Field) -> Schema:
    """A schema counts characters. What is longer in characters than it may be in bytes is too long in any case."""
    if not field.max:
        return {}
    most = spec.constants[field.max]
    return {"maxLength": most} | ({} if field.max.endswith("_CHARS") else {"x-max-bytes": most})
