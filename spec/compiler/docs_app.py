"""What the documentation says of the server: its tools as a client lists them, and how it is registered with each client."""

import asyncio
from typing import Any, NamedTuple

import mcp_types
from mcp import Client

from tunnel.app import registration
from tunnel.app.registration import Registration, register
from tunnel.app.server import make_server
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.io.clock import SystemClock

HOME = "/home/you"
PROGRAM = f"{HOME}/.venvs/tunnel/bin/{registration.PROGRAM}"
"""Where the readers of the guides have installed it."""


class Value(NamedTuple):
    """An argument of a tool, or a field of what it gives back."""

    name: str
    type: str
    needed: bool
    text: str


class Told(NamedTuple):
    """A tool, as a client hears of it."""

    name: str
    title: str
    description: str
    hints: list[str]
    arguments: list[Value]
    result: list[Value]
    parts: dict[str, list[Value]]
    """What its result is made of, by name."""


class Registered(NamedTuple):
    """How one client is told of the server."""

    client: registration.Client
    how: Registration


def tools() -> list[Told]:
    """The tools of a server that runs."""
    return [_told(tool) for tool in asyncio.run(_listed())]


def clients() -> list[Registered]:
    """What `tunnel-mcp config` prints for each client that it knows."""
    return [
        Registered(client, register(client.id, (), None, (), {"HOME": HOME}, [PROGRAM]))
        for client in registration.CLIENTS
    ]


async def _listed() -> list[mcp_types.Tool]:
    server = make_server(Tools(Settings(), "you", SystemClock()))
    async with Client(server) as client:
        return (await client.list_tools()).tools


def _told(tool: mcp_types.Tool) -> Told:
    result = tool.output_schema or {}
    hints = tool.annotations
    said = {
        "reads only": hints and hints.read_only_hint,
        "ends something": hints and hints.destructive_hint,
        "can be called twice": hints and hints.idempotent_hint,
        "reaches out": hints and hints.open_world_hint,
    }
    return Told(
        name=tool.name,
        title=tool.title or tool.name,
        description=tool.description or "",
        hints=[hint for hint, is_so in said.items() if is_so],
        arguments=_values(tool.input_schema),
        result=_values(result),
        parts={name: _values(part) for name, part in result.get("$defs", {}).items() if "properties" in part},
    )


def _values(schema: dict[str, Any]) -> list[Value]:  # a JSON Schema
    needed = schema.get("required", ())
    return [
        Value(name, type_told(value), name in needed, value.get("description", ""))
        for name, value in schema.get("properties", {}).items()
    ]


def type_told(schema: dict[str, Any]) -> str:
    """The type in words: what a reader needs, and not all that a schema can say."""
    match schema:
        case {"anyOf": [*kinds]}:
            return " or ".join(dict.fromkeys(type_told(kind) for kind in kinds))
        case {"$ref": str(name)}:
            return f"`{name.rpartition('/')[2]}`"
        case {"enum": [*words]}:
            return " or ".join(f"`{word}`" for word in words)
        case {"type": "array", "items": items}:
            return f"list of {type_told(items)}"
        case {"type": "object", "additionalProperties": dict(inner)}:  # pyright: ignore[reportUnknownVariableType] - of a schema
            return f"{type_told(inner)} by name"  # pyright: ignore[reportUnknownArgumentType]
        case {"type": str(name)}:
            return name
        case _:
            return "anything"
