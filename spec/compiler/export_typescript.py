"""TypeScript types of what goes over the wire, and of the ids, states and events that programs switch on.

Frames come in two forms where these differ: as a sender writes them, and as much of them as is read (`ReadSend`).
"""

import json
from functools import partial
from typing import Any, Final

from spec.compiler.python import by, class_name, environment
from spec.compiler.reader import Spec
from tunnel.spec.model import Field, Shape

_WRITTEN: Final[dict[type, str]] = {int: "number", str: "string"}
"""What a sender writes into a field of which a receiver takes anything: what stands there by default is one."""


def types(spec: Spec) -> str:
    """The whole text of the declarations."""
    words: dict[str, Any] = {  # what the template asks for
        "spec": spec,
        "by": by,
        "json": json.dumps,
        "comment": comment,
        "fields": partial(_fields, spec),
        "names": partial(_names, spec),
        "partly_read": [shape for shape in (*spec.frames.records, *spec.frames.frames) if is_partly_read(spec, shape)],
    }
    return environment().get_template("export/tunnel.d.ts.jinja").render(words)


def comment(text: str) -> str:
    """A text inside a comment of TypeScript."""
    return text.replace("*/", "*\\/")


def is_partly_read(spec: Spec, shape: Shape) -> bool:
    """Whether a receiver takes something that no sender writes, in the shape or in a record that it holds."""
    held = {record.name: record for record in spec.frames.records}
    kinds = [field.type.split()[0] for field in shape.fields]
    return any(kind in ("any", "const") or (kind in held and is_partly_read(spec, held[kind])) for kind in kinds)


def _names(spec: Spec, shapes: list[Shape], prefix: str = "") -> str:
    return " | ".join(_name(spec, shape, prefix) for shape in shapes)


def _name(spec: Spec, shape: Shape, prefix: str) -> str:
    return f"{prefix if is_partly_read(spec, shape) else ''}{class_name(shape.name)}"


def _fields(spec: Spec, shape: Shape, prefix: str) -> str:
    """The fields of an interface: as written, or as read."""
    lines: list[str] = []
    for field in shape.fields:
        if prefix and field.type == "const":
            continue
        lines.append(f"  /** {comment(_doc(spec, field))} */")
        lines.append(f"  {field.name}{'?' if field.type == 'any' else ''}: {_type(spec, field, prefix)};")
    return "".join(f"{line}\n" for line in lines)


def _doc(spec: Spec, field: Field) -> str:
    bound = f" At most {field.max} ({spec.constants[field.max]})." if field.max else ""
    seen = f" Visible to {field.visible_note}." if field.visible_note else ""
    return field.doc + (f" ({field.encoding})" if field.encoding else "") + bound + seen


def _type(spec: Spec, field: Field, prefix: str) -> str:
    records = {record.name: record for record in spec.frames.records}
    match field.type.split():
        case ["string"]:
            return "string"
        case ["integer" | "number"]:
            return "number"
        case ["any"]:
            return "unknown" if prefix else _WRITTEN[type(field.default)]
        case ["const"]:
            return json.dumps(field.value)
        case ["one", "of", *words]:
            return " | ".join(json.dumps(word) for word in words)
        case [record, "list"] if record in records:
            return f"readonly {_name(spec, records[record], prefix)}[]"
        case [record] if record in records:
            return _name(spec, records[record], prefix)
        case _:
            raise ValueError(f"{field.name}: {field.type!r} is no type")
