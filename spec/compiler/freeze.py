"""Keeps a frozen version as it was: what its peers can see is recorded as digests in its folder, and compared with it.

There is a digest for each field, so that the check names what was changed, and one over everything. What the next edition
records is only what changes nothing for a peer that keeps the rules.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from spec.compiler.lint_handshake import lint_handshake
from spec.compiler.meaning import ORDER, OWN, Meaning, Place, meaning
from spec.compiler.promela_claims import read_claims
from spec.compiler.promela_proof import ANEW, RECORD, digest, read_record
from spec.compiler.reader import Spec, SpecError

FILE: Final = "frozen.toml"
"""In the folder of a version; one that has none is a draft."""

DIGITS: Final = 6
"""Of the digest of a field. Should another value have the same one, `sha256` still tells."""

KEPT: Final = (
    "what peers can see stays as it is: restore it, or begin a new version with `python -m spec.compiler next`"
)
RECORDED: Final = "record it with `python -m spec.compiler freeze`"
NEXT: Final = f"raise spec_version in protocol.toml, and {RECORDED}"


class Frozen(Struct, frozen=True, kw_only=True):
    """What `frozen.toml` holds: the digest of each field, and where an order stands, names."""

    spec_version: str
    sha256: str
    rows: Meaning


class Change(NamedTuple):
    """A difference from what is frozen, in a sentence."""

    says: str
    is_allowed: bool = False
    """Whether the next edition may record it."""


def is_frozen(folder: Path) -> bool:
    """Whether a version is frozen; else it is a draft, in which anything may change."""
    return (folder / FILE).is_file()


def lint_frozen(spec: Spec) -> list[str]:
    """How a frozen version differs from what is recorded; of a draft nothing is said."""
    if not is_frozen(spec.folder):
        return []
    try:
        recorded = read_frozen(spec.folder)
        changes = [change.says for change in compared(recorded, meaning(spec))]
    except SpecError as error:
        return [str(error)]
    version = spec.protocol.spec_version
    if not changes and version != recorded.spec_version:
        return [f"protocol.toml: spec_version: is {version!r}, and frozen is {recorded.spec_version!r}: {RECORDED}"]
    return changes


def freeze(spec: Spec) -> list[str]:
    """Record what peers can see, or say why that cannot be done: then nothing is written."""
    try:
        against = [*_unready(spec), *_refused(spec)]
        text = written(spec)
    except SpecError as error:
        return [str(error)]
    if not against:
        (spec.folder / FILE).write_bytes(text.encode("utf-8"))
    return against


def compared(recorded: Frozen, now: Meaning) -> list[Change]:
    """Every difference, row by row."""
    at, new = recorded.spec_version, digests(now)
    changes: list[Change] = []
    for place in dict.fromkeys([*recorded.rows, *new]):
        old, found = recorded.rows.get(place), new.get(place)
        if old == found:
            continue
        if place.kind == ORDER:
            changes += _reordered(place, old or {}, found or {}, at)
        elif found is None:
            changes.append(Change(f"{_where(place)} was frozen at {at}, and is gone: {KEPT}"))
        elif old is None:
            changes.append(_added(place, now[place], at))
        else:
            changes.append(_changed(place, old, found, at))
    if not changes and recorded.sha256 != sha256(now):
        return [Change(f"{FILE}: sha256: is not that of the tables, though every row seems to be as it was: {KEPT}")]
    return changes


def digests(found: Meaning) -> Meaning:
    """The digest of every field; an order keeps its names, so that additions can be told from a change of order."""
    return {
        place: dict(fields) if place.kind == ORDER else {field: _digest(value) for field, value in fields.items()}
        for place, fields in found.items()
    }


def sha256(found: Meaning) -> str:
    """The digest of everything."""
    lines = sorted([*place, fields] for place, fields in found.items())
    return hashlib.sha256(_canonical(lines)).hexdigest()


def read_frozen(folder: Path) -> Frozen:
    """What was recorded.

    Raises:
        SpecError: it is not as it was written.
    """
    try:
        raw = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        head = {name: str(raw.pop(name)) for name in ("spec_version", "sha256")}
        tables = msgspec.convert(raw, dict[str, dict[str, dict[str, dict[str, Any]]]])
        rows = {
            Place(table, kind, row): fields
            for table, kinds in tables.items()
            for kind, found in kinds.items()
            for row, fields in found.items()
        }
        return Frozen(**head, rows=rows)
    except (OSError, ValueError, KeyError) as error:
        raise SpecError(f"{FILE}: cannot be read ({error}): restore it") from None


def written(spec: Spec) -> str:
    """The text of `frozen.toml`: a row in a line, so that a change of it shows what it is about."""
    found = meaning(spec)
    lines = [
        f"# What peers can see of wire version {spec.protocol.wire}: a digest of every field of the tables that is not for people only.",
        "# `python -m spec.compiler freeze` writes it, and `lint` compares; spec/README.md says what may still change. Never edit it.",
        "",
        f"spec_version = {_quoted(spec.protocol.spec_version)}",
        f"sha256 = {_quoted(sha256(found))}",
    ]
    for (table, kind), rows in groupby(digests(found).items(), lambda row: row[0][:2]):
        lines += ["", f"[{_quoted(table)}.{kind}]"]
        lines += [f"{_key(place.row)} = {_inline(fields)}" for place, fields in rows]
    return "\n".join(lines) + "\n"


def edition(version: str) -> tuple[int, ...]:
    """`1.0.0` as numbers; nothing for a draft, such as `2.0.0-draft`."""
    words = version.split(".")
    return tuple(map(int, words)) if len(words) == 3 and all(word.isdecimal() for word in words) else ()


def _unready(spec: Spec) -> Iterator[str]:
    """What has to be done before a version is frozen."""
    version, wire = spec.protocol.spec_version, spec.protocol.wire
    if edition(version)[:1] != (wire,):
        yield f"protocol.toml: spec_version: {version!r} is no edition of wire version {wire}; the first is {wire}.0.0"
    yield from lint_handshake(spec)
    record = read_record(spec.folder / "proofs")
    if record is None or record.model != digest(spec, read_claims(spec.folder / "proofs", spec)):
        yield f"proofs/{RECORD}: is not about these tables; {ANEW}"


def _refused(spec: Spec) -> list[str]:
    """What the next edition must not record, or may record only as a next one."""
    if not is_frozen(spec.folder):
        return []
    recorded = read_frozen(spec.folder)
    changes = compared(recorded, meaning(spec))
    old, new = edition(recorded.spec_version), edition(spec.protocol.spec_version)
    if new and new < old:
        return [
            f"protocol.toml: spec_version: is {spec.protocol.spec_version!r}, below the frozen {recorded.spec_version!r}"
        ]
    return [change.says for change in changes if not change.is_allowed or new == old]


def _added(place: Place, fields: dict[str, Any], at: str) -> Change:
    if place.kind in ("rules", "vectors"):
        return Change(f"{_where(place)} is new since {at}: if every release keeps it already, {NEXT}", is_allowed=True)
    # Harnesses take such a field for lacking where it is, and more fields are allowed everywhere (tools.toml).
    if place.table == "tools.toml" and place.kind == "records" and fields.get("needed") is False:
        return Change(f"{_where(place)} is new since {at}, and nobody needs it: {NEXT}", is_allowed=True)
    return Change(f"{_where(place)} was not there when {at} was frozen: {KEPT}")


def _changed(place: Place, old: dict[str, Any], new: dict[str, Any], at: str) -> Change:
    fields = [field for field in dict.fromkeys([*old, *new]) if old.get(field) != new.get(field)]
    if place.kind == "rules" and fields == ["text"]:
        says = f"{_where(place)} has another sentence than at {at}: if it says the same, and more clearly, {NEXT}"
        return Change(says, is_allowed=True)
    its = ", ".join(f"`{field}`" for field in fields)
    return Change(f"{_where(place)} differs from what was frozen at {at} (its {its}): {KEPT}")


def _reordered(place: Place, old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Change]:
    """What was added or is gone, or has gone elsewhere, is told of the row itself."""
    for rows, names in old.items():
        before, after = (
            [name for name in one if name in names and name in new.get(rows, ())] for one in (names, new.get(rows, ()))
        )
        if before != after:
            yield Change(f"{place.table}: the {rows} of {place.row!r} stand in another order than at {at}: {KEPT}")


def _where(place: Place) -> str:
    return place.table if place.kind == OWN else f"{place.table}: row {place.row!r} of {place.kind}"


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
