"""What `frozen.toml` holds: a digest of every field that a peer can see, so that a change is named, and one over all tables."""

import hashlib
import json
import re
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from spec.compiler.meaning import ORDER, Meaning, Place, meaning
from spec.compiler.reader import Spec, SpecError

FILE: Final = "frozen.toml"
"""In the folder of a version; one that has none is a draft."""

DIGITS: Final = 6
"""Of the digest of a field. Should another value in a table have the same one, `sha256` still tells."""


class Frozen(Struct, frozen=True, kw_only=True):
    """What `frozen.toml` holds: the digest of each field, and where an order stands, names."""

    spec_version: str
    sha256: str
    earlier: dict[str, str]
    """The `sha256` of each edition that was recorded before this one."""
    rows: Meaning


def is_frozen(folder: Path) -> bool:
    """Whether a version is frozen; else it is a draft, in which anything may change."""
    return (folder / FILE).is_file()


def read_frozen(folder: Path) -> Frozen:
    """What was recorded.

    Raises:
        SpecError: it is not as it was written.
    """
    try:
        raw = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        head = {name: str(raw.pop(name)) for name in ("spec_version", "sha256")}
        earlier = msgspec.convert(raw.pop("earlier"), dict[str, str])
        tables = msgspec.convert(raw, dict[str, dict[str, dict[str, dict[str, Any]]]])
        rows = {
            Place(table, kind, row): fields
            for table, kinds in tables.items()
            for kind, found in kinds.items()
            for row, fields in found.items()
        }
        return Frozen(**head, earlier=earlier, rows=rows)
    except (OSError, ValueError, KeyError) as error:
        raise SpecError(f"{FILE}: cannot be read ({error}): restore it") from None


def written(spec: Spec, following: Meaning, before: Frozen | None = None) -> str:
    """The text of `frozen.toml`: a row in a line, so that a change of it shows what it is about.

    Args:
        spec: the tables.
        following: what follows from them.
        before: what was recorded of the edition before.
    """
    found = meaning(spec)
    earlier = {**before.earlier, before.spec_version: before.sha256} if before else {}
    lines = [
        f"# What peers can see of wire version {spec.protocol.wire}: a digest of every field of the tables that is not for people only.",
        "# `python -m spec.compiler freeze` writes it, and `lint` compares; spec/README.md says what may still change. Never edit it.",
        "",
        f"spec_version = {_quoted(spec.protocol.spec_version)}",
        f"sha256 = {_quoted(sha256(found))}",
        f"earlier = {_inline({_quoted(version): digest for version, digest in earlier.items()})}",
    ]
    for (table, kind), rows in groupby(digests(found | following).items(), lambda row: row[0][:2]):
        lines += ["", f"[{_quoted(table)}.{kind}]"]
        lines += [f"{_key(place.row)} = {_inline(fields)}" for place, fields in rows]
    return "\n".join(lines) + "\n"


def digests(found: Meaning) -> Meaning:
    """The digest of every field; an order keeps its names, so that additions can be told from a change of order."""
    return {
        place: dict(fields) if place.kind == ORDER else {field: _digest(value) for field, value in fields.items()}
        for place, fields in found.items()
    }


def sha256(found: Meaning) -> str:
    """The digest of all tables."""
    lines = sorted([*place, fields] for place, fields in found.items())
    return hashlib.sha256(_canonical(lines)).hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()[:DIGITS]


def _canonical(value: object) -> bytes:
    # In ASCII: a vector may hold half of a surrogate pair, which no other text can.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _key(text: str) -> str:
    return text if re.fullmatch(r"[\w-]+", text, re.ASCII) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _inline(fields: dict[str, Any]) -> str:
    return f"{{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in fields.items())} }}" if fields else "{}"
