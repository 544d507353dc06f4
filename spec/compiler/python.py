"""Writes what stands under `tunnel/spec/v1`: constants, frames, refusals, rules and machines as Python, and all tables as JSON."""

from collections.abc import Iterable
from enum import Enum
from functools import cache, partial
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct, structs

from spec.compiler.reader import Spec
from tunnel.spec.model import Bundle, Field, Machine, Role, Shape

_OBJECTS = {"refusal": "Refusal", "closing": "Closing", "cause": "Cause", "failure": "Failure", "notice": "Notice"}


def write(spec: Spec) -> dict[str, str]:
    """Every generated file: path below the root of the repository, and its whole text."""
    templates = environment()
    words: dict[str, Any] = {
        "spec": spec,
        "python_type": partial(python_type, spec=spec),
        "python_name": python_name,
        "by": by,
        "objects": _OBJECTS,
    }
    package = f"tunnel/spec/v{spec.protocol.wire}"
    files = {
        f"{package}/{name}.py": templates.get_template(f"{name}.py.jinja").render(words)
        for name in ("__init__", "constants", "frames", "refusals", "rules")
    }
    for name, machine in spec.machines.items():
        files[f"{package}/{name}.py"] = templates.get_template("machine.py.jinja").render(
            words, machine=machine, takes=taken(machine), used=used(machine)
        )
    files[f"{package}/spec.json"] = bundle(spec)
    return files


def bundle(spec: Spec) -> str:
    """All tables in one JSON text, for programs in any language."""
    tables = {name: getattr(spec, name) for name in Bundle.__struct_fields__}
    return msgspec.json.format(msgspec.json.encode(tables), indent=1).decode() + "\n"


@cache
def environment() -> Environment:
    """The templates of everything that the compiler writes."""
    made = Environment(
        loader=PackageLoader("spec.compiler"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python and Markdown come out of it, not HTML
    )
    made.filters |= {"literal": literal, "raw": raw, "class_name": class_name, "constant_name": str.upper, "doc": doc}
    return made


def literal(value: Any) -> str:
    """The Python expression of a value of the tables; fields that stand at their default are left out."""
    match value:
        case Enum():
            return f"model.{type(value).__name__}.{value.name}"
        case Struct():
            given = [
                f"{f.name}={literal(getattr(value, f.name))}"
                for f in structs.fields(value)
                if not _is_default(value, f)
            ]
            return f"model.{type(value).__name__}({', '.join(given)})"
        case tuple():
            inside = ", ".join(literal(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
            return f"({inside},)" if len(value) == 1 else f"({inside})"  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"  # pyright: ignore[reportUnknownVariableType]
        case str():
            return '"' + repr(value)[1:-1].replace('"', '\\"').replace("\\'", "'") + '"'
        case _:
            return repr(value)


def _is_default(value: Struct, field: structs.FieldInfo) -> bool:
    if field.default is not structs.NODEFAULT:
        return bool(getattr(value, field.name) == field.default)
    return field.default_factory is not structs.NODEFAULT and not getattr(value, field.name)


def class_name(name: str) -> str:
    """`auth_ok` -> `AuthOk`."""
    return "".join(word.capitalize() for word in name.split("_"))


def python_name(field: Field) -> str:
    """`sinceSeq` -> `since_seq`; `from` -> `sender`, since it is a keyword."""
    if field.name == "from":
        return "sender"
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field.name)


def python_type(field: Field, spec: Spec) -> str:
    """The msgspec type of a field."""
    records = {record.name for record in spec.frames.records}
    match field.type.split():
        case ["string"]:
            return f"Annotated[str, Meta(max_length=constants.{field.max})]" if field.max.endswith("_CHARS") else "str"
        case ["integer"]:
            return f"Annotated[int, Meta(ge={field.min}, le=constants.{field.max})]"
        case ["number"]:
            return "int | float"
        # Whatever stands there is not read, so it is not turned into a value that it might not have.
        case ["any"] | ["const"]:
            return "Raw"
        case ["one", "of", *words]:
            return f"Literal[{', '.join(literal(word) for word in words)}]"
        case [record, "list"] if record in records:
            return f"tuple[{class_name(record)}, ...]"
        case [record] if record in records:
            return class_name(record)
        case _:
            raise ValueError(f"{field.name}: {field.type!r} is no type")


def raw(value: Any) -> str:
    """The Python expression of a value of JSON that nobody has read."""
    spelled, is_text = msgspec.json.encode(value).decode(), isinstance(value, str)
    return f"Raw(b{repr(spelled) if is_text else literal(spelled)})"


def by(frames: Iterable[Shape], sender: Role | str) -> list[Shape]:
    """The frames of one sender."""
    return [frame for frame in frames if frame.sender is Role(sender)]


def doc(text: str) -> str:
    """A text inside a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''").replace("\u2014", "-")


def taken(machine: Machine) -> list[str]:
    """The tables of which the machine's actions take an object."""
    return sorted({_OBJECTS[action.takes] for action in machine.actions if action.takes})


def used(machine: Machine) -> list[str]:
    """Every action as it stands in a row, once, in the order of the table."""
    return list(dict.fromkeys(action for row in machine.transitions for action in row.do))
