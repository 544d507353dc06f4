"""JSON Schema of the bundle, `spec.json`: made of the types of the tables, with their docstrings as descriptions."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import structs

from spec.compiler.export_json import Schema, head
from spec.compiler.reader import Spec
from tunnel.spec import model
from tunnel.spec.model import Bundle, Table

TYPES: Final = {kind.__name__: kind for kind in vars(model).values() if inspect.isclass(kind)}


def schema(spec: Spec) -> Schema:
    """The schema of the bundle: a field that no table has is refused, as the compiler refuses it."""
    _, parts = msgspec.json.schema_components([Bundle], ref_template="#/$defs/{name}")
    said = attribute_docs()
    for name, part in parts.items():
        part |= {"description": _description(name, said)}
        for field, described in part.get("properties", {}).items():
            if text := said.get((name, _attribute(name, field))):
                described["description"] = text
    whole = parts.pop("Bundle")
    begin = head(spec, "spec", f"All tables of wire version {spec.protocol.wire}", "tunnel/spec/model.py")
    return (
        begin | {key: value for key, value in whole.items() if key != "title"} | {"$defs": dict(sorted(parts.items()))}
    )


def attribute_docs() -> dict[tuple[str, str], str]:
    """What stands below the fields of the types, which Python does not keep: by the names of type and field."""
    found: dict[tuple[str, str], str] = {}
    for kind in ast.parse(inspect.getsource(model)).body:
        if isinstance(kind, ast.ClassDef):
            found |= {(kind.name, name): text for name, text in _told(kind)}
    return found


def _told(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for line, below in zip(kind.body, kind.body[1:], strict=False):
        match line, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text).replace("\n", " ")
            case _:
                pass


def _description(name: str, said: dict[tuple[str, str], str]) -> str:
    """The docstring of a type, with what its words mean where it is one of several."""
    kind = TYPES[name]
    words: list[str] = [inspect.getdoc(kind) or ""]
    if issubclass(kind, Enum):
        words += [f"`{member.value}`: {said[name, member.name]}" for member in kind if (name, member.name) in said]
    return " ".join(words)


def _attribute(name: str, field: str) -> str:
    """What a field of the tables is called in Python: `from` is a keyword there."""
    kind: Any = TYPES[name]  # one of the tables: nothing else has properties
    assert issubclass(kind, Table)
    return next(each.name for each in structs.fields(kind) if each.encode_name == field)
