"""What can be wrong with the tools of an agent: a type that nobody knows, a record that is not there or that nobody gives."""

from collections.abc import Iterator

from spec.compiler.reader import Spec
from tunnel.spec.model import Refusals, ToolField


def lint_tools(spec: Spec) -> Iterator[str]:
    """Findings about `tools.toml`."""
    records = {record.name for record in spec.tools.records}
    for record in spec.tools.records:
        for field in record.fields:
            yield from _field(records, f"row {record.name!r} of records, row {field.name!r} of fields", field)
    for tool in spec.tools.tools:
        for field in tool.arguments:
            yield from _field(records, f"row {tool.name!r} of tools, row {field.name!r} of arguments", field)
        if tool.result not in records:
            yield f"tools.toml: row {tool.name!r} of tools, result: {tool.result!r} is no record"
    used = {tool.result for tool in spec.tools.tools}
    used |= {field.type.split()[0] for record in spec.tools.records for field in record.fields}
    for unused in sorted(records - used):
        yield f"tools.toml: row {unused!r} of records: no tool gives it"


def told_causes(spec: Spec) -> set[str]:
    """What an agent can be told is the cause of an end."""
    fields = [field for record in spec.tools.records for field in record.fields if field.name == "closedBecause"]
    return {word for field in fields for word in spec.words_of(field)}


def _field(records: set[str], where: str, field: ToolField) -> Iterator[str]:
    match field.type.split():
        case ["string" | "boolean" | "integer" | "number"]:
            pass
        case ["one", "of", _, *_] as words:
            for word in words[2:]:
                if word.isupper() and word.lower() not in Refusals.__struct_fields__:
                    yield f"tools.toml: {where}, type: {word!r} is no table of refusals.toml"
        case [record] | [record, "list"] if record in records:
            pass
        case _:
            yield f"tools.toml: {where}, type: {field.type!r} is no type"
