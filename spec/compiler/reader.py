"""Reads the tables of one wire version; a typo in any of them is an error that names file, row and field."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tunnel.spec.model import Bundle, Cases, Frames, Machine, Protocol, Refusals, Rules, Tools

MACHINES = ("session", "connection", "guest")
FILES = (
    "frames.toml",
    *(f"{machine}.toml" for machine in MACHINES),
    "refusals.toml",
    "rules.toml",
    "tools.toml",
    "cases.toml",
)
"""What a wire version consists of, besides `protocol.toml`, which names the same."""

T = TypeVar("T")


class SpecError(Exception):
    """A table of the spec is wrong; the text names file, row and field."""


class Spec(Bundle, frozen=True, kw_only=True):
    """All tables of one wire version, and where they stand."""

    folder: Path


def read(folder: Path) -> Spec:
    """Read the tables of `folder`, one wire version.

    Raises:
        SpecError: a file is missing, is not TOML, or holds a field or a type that the tables do not have.
    """
    protocol = table(folder / "protocol.toml", Protocol)
    numbers = {constant.name: str(constant.value) for constant in protocol.constants}
    return Spec(
        folder=folder,
        protocol=protocol,
        frames=table(folder / "frames.toml", Frames),
        refusals=table(folder / "refusals.toml", Refusals, numbers),
        rules=table(folder / "rules.toml", Rules),
        tools=table(folder / "tools.toml", Tools),
        cases=table(folder / "cases.toml", Cases),
        machines={name: table(folder / f"{name}.toml", Machine) for name in MACHINES},
    )


def table(path: Path, kind: type[T], numbers: dict[str, str] | None = None) -> T:
    """Read one table, with the numbers put in where they are given.

    Raises:
        SpecError: it is missing, is not TOML, or holds a field or a type that such a table does not have.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path.name}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name}: is not TOML: {error}") from None
    if numbers is not None:
        raw = _filled(raw, numbers, path.name)
    try:
        return msgspec.convert(raw, type=kind)
    except msgspec.ValidationError as error:
        raise SpecError(f"{path.name}: {_with_rows(str(error), raw)}") from None


def _filled(value: Any, numbers: dict[str, str], where: str) -> Any:
    """Put the constants in: `{IDLE_SECONDS}` becomes its number. Lower-case placeholders belong to the notices."""

    def number(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            raise SpecError(f"{where}: {match[0]} is no constant of protocol.toml")
        return numbers[match[1]]

    match value:
        case str():
            return re.sub(r"\{([A-Z_]+)\}", number, value)
        case [*rows]:
            return [_filled(row, numbers, f"{where}, row {_label(row, index)}") for index, row in enumerate(rows)]
        case {**fields}:
            return {name: _filled(field, numbers, f"{where}, {name}") for name, field in fields.items()}
        case _:
            return value


def _with_rows(message: str, raw: Any) -> str:
    """Name the rows on the way: `$.transitions[3].fro` alone sends the reader counting."""
    rows: list[str] = []
    for name, index in re.findall(r"\.(\w+)\[(\d+)\]", message):
        raw = raw[name][int(index)]
        rows.append(f"row {_label(raw, int(index))} of {name}")
    return f"{', '.join(rows)}: {message}" if rows else message


def _label(row: Any, index: int) -> str:
    """How people call a row: by its id or name, else by its number, the first being 1."""
    match row:
        case {"id": str(label)} | {"name": str(label)}:
            return repr(label)
        case _:
            return str(index + 1)
