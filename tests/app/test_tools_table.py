"""What our tools take and give is what `tools.toml` says that those of any implementation take and give, with more behind it."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from spec.compiler.reader import read
from tunnel.app import results
from tunnel.app.tools import Tools
from tunnel.spec.model import Tool, ToolField, ToolRecord

SPEC: Final = read(Path(__file__).parents[2] / "spec" / "v1")

ARGUMENTS: Final[dict[str, type[msgspec.Struct]]] = {
    "tunnel_open": results.OpenArguments,
    "tunnel_join": results.JoinArguments,
    "tunnel_say": results.SayArguments,
    "tunnel_listen": results.ListenArguments,
    "tunnel_status": results.StatusArguments,
    "tunnel_close": results.CloseArguments,
}
RECORDS: Final[dict[str, type[msgspec.Struct]]] = {
    "opened": results.Opened,
    "joined": results.JoinedTunnel,
    "said": results.SaidMessage,
    "message": results.ListenedMessage,
    "status": results.Status,
    "listened": results.Listened,
    "closed": results.Closed,
}

Schema = dict[str, Any]  # JSON Schema

NUMBER: Final[Schema] = {"anyOf": [{"type": "integer"}, {"type": "number"}]}
IN_OTHER_WORDS: Final[dict[str, Schema]] = {"closedBecause": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
"""The ids of causes and failures are enumerations of ours, whose values these are."""


def schema_of(kind: type[msgspec.Struct]) -> Schema:
    _, components = msgspec.json.schema_components([kind])
    found: Schema = components[kind.__name__]
    return found


def bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("description", "default")}


def as_schema(field: ToolField) -> Schema:
    """How a field of the table reads as JSON Schema."""
    match field.type.split():
        case ["one", "of", *_]:
            schema: Schema = {"enum": sorted(SPEC.words_of(field))}
        case [record, "list"]:
            schema = {"type": "array", "items": {"$ref": f"#/$defs/{RECORDS[record].__name__}"}}
        case [record] if record in RECORDS:
            schema = {"$ref": f"#/$defs/{RECORDS[record].__name__}"}
        case _:
            schema = NUMBER if field.type == "number" else {"type": field.type}
    return {"anyOf": [schema, {"type": "null"}]} if field.nullable else schema


def differences(ours: Schema, fields: tuple[ToolField, ...]) -> list[str]:
    given = {name: bare(schema) for name, schema in ours["properties"].items()}
    wrong = [f"{field.name} is lacking" for field in fields if field.name not in given]
    for field in fields:
        wanted = IN_OTHER_WORDS.get(field.name, as_schema(field))
        if field.name in given and given[field.name] != wanted:
            wrong.append(f"{field.name} is {given[field.name]}, not {wanted}")
    return wrong


@pytest.mark.parametrize("tool", SPEC.tools.tools, ids=lambda tool: tool.name)
def test_our_tools_take_what_any_takes(tool: Tool) -> None:
    ours = schema_of(ARGUMENTS[tool.name])
    # A JSON number without a fraction is an integer to some, and none to others.
    taken = {name: {"type": "integer"} if bare(s) == NUMBER else s for name, s in ours["properties"].items()}

    assert differences({"properties": taken}, tool.arguments) == []
    assert set(ours["required"]) == {argument.name for argument in tool.arguments if argument.needed}


@pytest.mark.parametrize("record", SPEC.tools.records, ids=lambda record: record.name)
def test_our_tools_give_what_any_gives(record: ToolRecord) -> None:
    """Those fields, too, that an implementation may lack."""
    assert differences(schema_of(RECORDS[record.name]), record.fields) == []


def test_they_are_the_tools_of_the_table() -> None:
    assert ARGUMENTS.keys() == {tool.name for tool in SPEC.tools.tools}
    assert all(hasattr(Tools, name.removeprefix("tunnel_")) for name in ARGUMENTS)
    assert RECORDS.keys() == {record.name for record in SPEC.tools.records}


def test_a_difference_is_named() -> None:
    odd = (ToolField(name="seq", type="string", doc=""), ToolField(name="sequence", type="integer", doc=""))

    assert differences(schema_of(results.SaidMessage), odd) == [
        "sequence is lacking",
        "seq is {'type': 'integer'}, not {'type': 'string'}",
    ]
