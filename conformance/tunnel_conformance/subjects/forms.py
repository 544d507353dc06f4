"""The lines by which a library without MCP is controlled: what the kit asks, and what it is answered.

The names and types of arguments and results are those of `tools.toml`; `line.schema.json` is made of all that stands here.
"""

import inspect
import json
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tunnel.spec.model import Tool, ToolField
from tunnel_conformance.spec import spec

PREFIX: Final = "tunnel_"
"""In front of what the kit asks for stands this, where it is the name of a tool."""

Number = Annotated[
    int, Meta(ge=1, description="Of the question. The answer has the same one; they need not come in order.")
]


class Form(Struct, frozen=True, kw_only=True):
    """Base: fields that are not known here are ignored."""


class Answer(Form, frozen=True, kw_only=True):
    """The answer to the question with this number: either a result or an error, in plain words.

    What is not known, such as a `do` that stands in no question here, is answered with an error.
    """

    id: Number
    result: dict[str, Any] | UnsetType = UNSET  # Any: what it is depends on the question; RESULTS has the types
    error: str | UnsetType = UNSET


# Any, here and below: a type that is made while the program runs is none to a type checker.
_PLAIN: Final[dict[str, Any]] = {"string": str, "boolean": bool, "integer": int, "number": int | float}


def _made(name: str, doc: str, fields: Iterable[ToolField], records: dict[str, type[Form]]) -> type[Form]:
    """The type of a record of `tools.toml`, or of the arguments of a tool."""
    members = [(_python(field.name), *member(field, records)) for field in fields]
    # Pyright has no words for members of whom some have a default.
    made = msgspec.defstruct(
        name,
        cast(Any, members),
        bases=(Form,),
        namespace={"__doc__": doc},
        module=__name__,
        frozen=True,
        kw_only=True,
        rename={_python(field.name): field.name for field in fields},
    )
    return cast(type[Form], made)


def _python(name: str) -> str:
    # `from` is a keyword.
    return f"{name}_"


def member(field: ToolField, records: dict[str, type[Form]]) -> tuple[Any, ...]:
    """Its type, and that it may be left out."""
    match field.type.split():
        case ["one", "of", *_]:
            kind: Any = Literal[spec().words_of(field)]
        case [record, "list"]:
            kind = list[records[record]]
        case [name]:
            kind = _PLAIN.get(name) or records[name]
        case _:
            raise ValueError(f"{field.name}: {field.type!r} is no type")
    described = Annotated[kind | None if field.nullable else kind, Meta(description=field.doc)]
    return (described,) if field.needed else (described | UnsetType, UNSET)


def _records() -> dict[str, type[Form]]:
    """Every record; those that another one holds stand before it."""
    found: dict[str, type[Form]] = {}
    for record in spec().tools.records:
        found[record.name] = _made(record.name.capitalize(), record.doc, record.fields, found)
    return found


def _question(tool: Tool) -> type[Form]:
    what = tool.name.removeprefix(PREFIX)
    arguments = _made(f"{what.capitalize()}Arguments", "For the question of this name.", tool.arguments, {})
    made = msgspec.defstruct(
        f"{what.capitalize()}Question",
        [("id", Number), ("args", arguments)],
        bases=(Form,),
        namespace={"__doc__": f"{tool.doc} Answered with {tool.result.capitalize()}."},
        module=__name__,
        frozen=True,
        kw_only=True,
        tag_field="do",
        tag=what,
    )
    return cast(type[Form], made)


_RECORDS: Final = _records()

QUESTIONS: Final[tuple[type[Form], ...]] = tuple(_question(tool) for tool in spec().tools.tools)

Question: Final[Any] = reduce(lambda one, other: one | other, cast(tuple[Any, ...], QUESTIONS))
"""Any of them."""

RESULTS: Final[dict[str, type[Form]]] = {
    tool.name.removeprefix(PREFIX): _RECORDS[tool.result] for tool in spec().tools.tools
}
"""What each is answered with, by what the kit asks for."""


SCHEMA: Final = Path(__file__).with_name("line.schema.json")
"""What is made of the types, for readers without Python."""


def schema() -> dict[str, object]:
    """JSON Schema of a line: the kit's on the implementation's stdin, or the implementation's on its stdout."""
    kinds = (*QUESTIONS, Answer, *RESULTS.values())
    references, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for part in parts.values():
        part["description"] = inspect.cleandoc(part["description"])
    parts["Answer"]["oneOf"] = [{"required": ["result"]}, {"required": ["error"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line between the kit and an implementation",
        "description": "One JSON object in UTF-8, without a line break inside, and a line break behind it.",
        "oneOf": list(references[: len(QUESTIONS) + 1]),
        "$defs": dict(sorted(parts.items())),
    }


def text() -> str:
    """What stands in SCHEMA."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
