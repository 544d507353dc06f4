"""How this program is registered with an MCP client. The table is data, `registration.toml`; it ages.

What is printed is whole and valid whatever stands in a path or a value, and holds absolute paths: a graphical client is not
started from a shell, and finds nothing by name.
"""

import difflib
import importlib.metadata
import json
import os
import platform
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, assert_never, cast

import msgspec
from msgspec import Struct, field

from tunnel.app.settings import read_settings
from tunnel.core.text import visible
from tunnel.errors import TheirFault

NAME: Final = "tunnel"
"""What the server is called in a client."""

PROGRAM: Final = "tunnel-mcp"

_SHOWN_BYTES: Final = 300
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
System = Literal["linux", "darwin", "windows"]


NOT_INSTALLED: Final = (
    "This program is not installed here, so the client will not find it: install it (for example with "
    "`pip install .`), and ask again."
)


class BadRegistrationError(TheirFault):
    """What was asked for is no registration. The text never repeats what was typed: it may be a join link."""


class Registration(Struct, frozen=True):
    """How a client is told of this program."""

    snippet: str
    """What is to be run, or to be put into a file, and nothing else."""
    advice: str
    """Where it goes, in lines."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in which a client looks for its servers."""

    systems: tuple[System, ...]
    folder: str
    name: str
    variable: str = ""

    def path(self, environment: Mapping[str, str], home: Path) -> Path:
        """Where it is on this machine."""
        moved = Path(environment.get(self.variable, "")) if self.variable else Path()
        folder = moved if moved.is_absolute() else home / self.folder.removeprefix("~").lstrip("/")
        return folder / self.name


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one client is told of a server, as it was found on a day."""

    id: str
    name: str
    form: Literal["shell", "json", "toml"]
    keys: tuple[str, ...]
    places: tuple[Place, ...] = field(name="file")
    after: str
    source: str
    seen: date
    entry: dict[str, Any] = field(default_factory=dict[str, Any])  # what the client wants there
    words: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    is_graphical: bool = field(default=False, name="graphical")

    def paths(self, environment: Mapping[str, str], home: Path, system: str) -> list[Path]:
        """The files in which it looks on such a system."""
        return [place.path(environment, home) for place in self.places if system in place.systems]


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    clients: tuple[Client, ...] = field(name="client")


def read_table(text: str) -> tuple[Client, ...]:
    """The clients of a table in TOML."""
    return msgspec.convert(tomllib.loads(text), _Table).clients


CLIENTS: Final = read_table(files("tunnel.app").joinpath("registration.toml").read_text("utf-8"))


def this_system() -> str:
    """As the table calls it."""
    return platform.system().lower()


def register(
    name: str,
    given: Sequence[str],
    transport: str | None,
    transports: Sequence[str],
    environment: Mapping[str, str],
    command: Sequence[str],
    *,
    is_installed: bool = True,
) -> Registration:
    """The registration with a client.

    Args:
        name: whose.
        given: variables for the server, each as NAME=VALUE.
        transport: for TUNNEL_TRANSPORT.
        transports: those that there are.
        environment: where HOME is, and what moves the client's files.
        command: the words by which the server is started.
        is_installed: whether they will be understood in any folder.

    Raises:
        BadRegistrationError: there is no such client, or one of the rest cannot be.
    """
    asked = client(name)
    wanted = variables(given, transport, transports)
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~")
    paths = asked.paths(environment, home, this_system()) or asked.paths(environment, home, "linux")
    if asked.form == "shell":
        where = f"Run this; it writes into {visible(str(paths[0]), _SHOWN_BYTES)}."
    else:
        where = (
            f"This belongs into {visible(str(paths[0]), _SHOWN_BYTES)}. If something is in that file already, add only "
            f"what is new to its `{asked.keys[-1]}`."
        )
    missing = "" if is_installed else NOT_INSTALLED
    set_up = read_settings(wanted)
    doubts = [f"Look again: {sentence}" for sentence in (*set_up.problems, *set_up.warnings)]
    lines = [
        *doubts,
        where,
        asked.after,
        caution(asked, command, wanted),
        missing,
        f"As found on {asked.seen}: {asked.source}",
    ]
    return Registration(snippet(asked, command, wanted), "\n".join(filter(None, lines)))


def client(name: str) -> Client:
    """The client that is meant.

    Raises:
        BadRegistrationError: there is none of this name.
    """
    by_id = {client.id: client for client in CLIENTS}
    meant = name.strip().lower().replace(" ", "-").replace("_", "-")
    if meant in by_id:
        return by_id[meant]
    near = difflib.get_close_matches(meant[:100], by_id, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    found = "no such client" if meant else "no client is named"
    raise BadRegistrationError(f"{found}. {hint}There are: {', '.join(by_id)}.")


def this_program(argv0: str, python: str = sys.executable, path: str | None = None) -> list[str]:
    """The words by which this program is started again, from any folder.

    Args:
        argv0: as the system gave it to this process.
        python: the interpreter.
        path: where a bare name is looked up; PATH.
    """
    # The name by which it was called, and not what a link leads to: that may go with the next update.
    program = Path(argv0 if os.sep in argv0 else shutil.which(argv0, path=path) or "").absolute()
    if program.stem == PROGRAM and program.is_file():
        return [str(program)]
    return [str(Path(python).absolute()), "-m", "tunnel"]


def is_installed(package: str = PROGRAM) -> bool:
    """Whether this Python finds this program from any folder."""
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def variables(given: Sequence[str], transport: str | None, transports: Sequence[str]) -> dict[str, str]:
    """The environment of a server.

    Args:
        given: each as NAME=VALUE.
        transport: for TUNNEL_TRANSPORT.
        transports: those that there are.

    Raises:
        BadRegistrationError: one of them cannot be.
    """
    found: dict[str, str] = {}
    for row in given:
        name, is_set, value = row.partition("=")
        if not (is_set and _VARIABLE.fullmatch(name)) or "\0" in value:
            raise BadRegistrationError("what stands behind --env is no NAME=VALUE, as in --env TUNNEL_BUDGET=80.")
        found[name] = value
    if transport is not None:
        found["TUNNEL_TRANSPORT"] = transport
    named = found.get("TUNNEL_TRANSPORT", "").strip().lower()
    if named not in transports and (named or transport is not None):
        near = difflib.get_close_matches(named[:100], transports, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise BadRegistrationError(f"no such transport. {hint}There are: {', '.join(transports)}.")
    return found


def snippet(client: Client, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What is to be run, or to be put into a file, and nothing else.

    Raises:
        BadRegistrationError: a path or a value is no text, so it cannot be written.
    """
    try:
        for text in (*command, *environment.values()):
            text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRegistrationError(
            "the path of this program, or a value, is not UTF-8, which no client can be told. Install it in another folder."
        ) from None
    match client.form:
        case "shell":
            return shlex.join(_words(client.words, command, environment))
        case "json":
            inner: dict[str, Any] = {NAME: _entry(client.entry, command, environment)}  # as the client wants it
            for key in reversed(client.keys):
                inner = {key: inner}
            return json.dumps(inner, indent=2, ensure_ascii=False)
        case "toml":
            return _toml([*client.keys, NAME], _entry(client.entry, command, environment))
        case _:
            assert_never(client.form)


def caution(client: Client, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What may come out otherwise than it was written, in a sentence; mostly nothing."""
    texts = [*command, *environment.values()]
    filled_in = [mark for mark in client.replaces if any(mark in text for text in texts)]
    if filled_in:
        return (
            f"A path or a value holds {filled_in[0]}, where {client.name} may fill something in: look at what arrives."
        )
    if any(part.startswith("archive-v") for word in command for part in Path(word).parts):
        return "This program lies in a folder that uv throws away some day: install it with `uv tool install`, and ask again."
    return ""


def _words(words: Sequence[str], command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    said: list[str] = []
    for word in words:
        match word:
            case "{command}":
                said += command
            case "{environment}":
                said += [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
            case _:
                said.append(word)
    return said


def _entry(entry: Mapping[str, Any], command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    filled: dict[str, Any] = {  # what the table asks for
        "{program}": command[0],
        "{arguments}": list(command[1:]),
        "{command}": list(command),
        "{environment}": dict(environment),
    }
    made = {name: filled.get(value, value) if isinstance(value, str) else value for name, value in entry.items()}
    return {name: value for name, value in made.items() if value != {}}


def _toml(keys: Sequence[str], entry: Mapping[str, Any]) -> str:
    tables = {name: cast(dict[str, Any], value) for name, value in entry.items() if isinstance(value, dict)}
    lines = [f"[{'.'.join(keys)}]", *(f"{name} = {_toml_value(entry[name])}" for name in entry if name not in tables)]
    return "\n\n".join(["\n".join(lines), *(_toml([*keys, name], table) for name, table in tables.items())])


def _toml_value(value: Any) -> str:  # what may stand in an entry: texts, and lists of them
    # A JSON text is a basic string of TOML, but for one character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
