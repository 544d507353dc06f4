"""What is known of MCP clients: how long each lets a tool call wait. The table is data, `clients.toml`; it ages."""

import tomllib
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct, field

NAME_CHARS: Final = 100
"""So much of a name that a client gives itself is compared."""


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One client, as it was found on a day."""

    name: str
    names: tuple[str, ...]
    """Patterns for `clientInfo.name`, in lower case."""
    seconds: int | None = None
    """The longest wait that is safe; None where no limit is known."""
    progress: bool | None = None
    """Whether progress extends the limit; None where nobody says."""
    limit: str
    source: str
    seen: date


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    clients: tuple[Client, ...] = field(name="client")


def read_table(text: str) -> tuple[Client, ...]:
    """The clients of a table in TOML."""
    return msgspec.convert(tomllib.loads(text), _Table).clients


CLIENTS: Final = read_table(files("tunnel.app").joinpath("clients.toml").read_text("utf-8"))


def known(name: str) -> Client | None:
    """The client that calls itself so, if it is one that we know."""
    name = name[:NAME_CHARS].casefold().strip()
    return next((client for client in CLIENTS if any(fnmatchcase(name, pattern) for pattern in client.names)), None)
