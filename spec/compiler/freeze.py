"""Keeps a frozen version as it was: what its peers can see is compared with what is recorded, and every change is named.

What the next edition records is only what changes nothing for a peer that keeps the rules.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from spec.compiler.follows import EXPORT, follows
from spec.compiler.frozen import FILE, Frozen, digests, is_frozen, read_frozen, sha256, written
from spec.compiler.lint_handshake import lint_handshake
from spec.compiler.meaning import ASKING, ORDER, OWN, PROSE, Meaning, Place, meaning
from spec.compiler.promela_claims import read_claims
from spec.compiler.promela_proof import ANEW, RECORD, digest, read_record
from spec.compiler.reader import Spec, SpecError

KEPT: Final = (
    "what peers can see stays as it is: restore it, or begin a new version with `python -m spec.compiler next`"
)

RECORDED: Final = "record it with `python -m spec.compiler freeze`"

NEXT: Final = f"raise spec_version in protocol.toml, and {RECORDED}"


class Change(NamedTuple):
    """A difference from what is frozen, in a sentence."""

    says: str
    is_allowed: bool = False
    """Whether the next edition may record it."""


def lint_frozen(spec: Spec) -> list[str]:
    """How the tables of a frozen version differ from what is recorded; of a draft nothing is said."""
    version = spec.protocol.spec_version
    if not is_frozen(spec.folder):
        return (
            [f"{FILE}: is missing, and {version!r} is no draft: restore it, or {RECORDED}"] if edition(version) else []
        )
    try:
        recorded = read_frozen(spec.folder)
        changes = [change.says for change in compared(recorded, meaning(spec))]
    except SpecError as error:
        return [str(error)]
    if not changes and version != recorded.spec_version:
        return [f"protocol.toml: spec_version: is {version!r}, and frozen is {recorded.spec_version!r}: {RECORDED}"]
    return changes


def lint_follows(spec: Spec, found: Meaning) -> list[str]:
    """How that which follows from the tables of a frozen version differs from what is recorded; of a draft nothing is said."""
    if not is_frozen(spec.folder):
        return []
    try:
        return [change.says for change in _following(read_frozen(spec.folder), found)]
    except SpecError as error:
        return [str(error)]


def freeze(spec: Spec, following: Callable[[Spec], Meaning] = follows) -> list[str]:
    """Record what peers can see, or say why that cannot be done: then nothing is written. What an edition has recorded stays."""
    try:
        recorded = read_frozen(spec.folder) if is_frozen(spec.folder) else None
        if against := [*_unready(spec), *(_refused(spec, recorded, following) if recorded else [])]:
            return against
        if recorded is None or recorded.spec_version != spec.protocol.spec_version:
            text = written(spec, following(spec), recorded)
            (spec.folder / FILE).write_bytes(text.encode("utf-8"))
    except SpecError as error:
        return [str(error)]
    return []


def compared(recorded: Frozen, now: Meaning) -> list[Change]:
    """Every difference in the tables, row by row."""
    at, new = recorded.spec_version, digests(now)
    rows = {place: fields for place, fields in recorded.rows.items() if place.table != EXPORT}
    changes: list[Change] = []
    for place in dict.fromkeys([*rows, *new]):
        old, found = rows.get(place), new.get(place)
        if old == found or (old is None and place.kind in ASKING):
            continue
        if place.kind == ORDER:
            changes += _reordered(place, old or {}, found or {}, at)
        elif found is None:
            changes.append(Change(f"{_where(place)} was frozen at {at}, and is gone: {KEPT}"))
        elif old is None:
            changes.append(_added(place, now[place], at))
        else:
            changes.append(_changed(place, old, found, at))
    told = {place: fields for place, fields in now.items() if place.kind not in ASKING or place in rows}
    if not changes and recorded.sha256 != sha256(told):
        return [Change(f"{FILE}: sha256: is not that of the tables, though every row seems to be as it was: {KEPT}")]
    return changes


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


def _refused(spec: Spec, recorded: Frozen, following: Callable[[Spec], Meaning]) -> list[str]:
    """What the next edition must not record, or may record only as a next one."""
    old, new = edition(recorded.spec_version), edition(spec.protocol.spec_version)
    if new and new < old:
        return [
            f"protocol.toml: spec_version: is {spec.protocol.spec_version!r}, below the frozen {recorded.spec_version!r}"
        ]
    refused = [change.says for change in compared(recorded, meaning(spec)) if not change.is_allowed or new == old]
    # What follows from other tables is no news.
    return refused or [change.says for change in _following(recorded, following(spec)) if new == old]


def _following(recorded: Frozen, found: Meaning) -> Iterator[Change]:
    """Whether walks or machines have become others, and whether a schema only says more, is for people to judge."""
    at, new = recorded.spec_version, digests(found)
    old = {place: fields for place, fields in recorded.rows.items() if place.table == EXPORT}
    for place in dict.fromkeys([*old, *new]):
        if old.get(place) != new.get(place):
            its = _fields(old.get(place, {}), new.get(place, {}))
            says = f"{'/'.join(place)}: is not what followed from the tables at {at} (its {its}): if peers see the same as before"
            yield Change(f"{says}, {NEXT}; else {KEPT}", is_allowed=True)


def _added(place: Place, fields: dict[str, Any], at: str) -> Change:
    if place.kind in ("rules", "vectors") or place.table == PROSE:
        return Change(f"{_where(place)} is new since {at}: if every release keeps it already, {NEXT}", is_allowed=True)
    # Harnesses take such a field for lacking where it is, and more fields are allowed everywhere (tools.toml).
    if place.table == "tools.toml" and place.kind == "records" and fields.get("needed") is False:
        return Change(f"{_where(place)} is new since {at}, and nobody needs it: {NEXT}", is_allowed=True)
    return Change(f"{_where(place)} was not there when {at} was frozen: {KEPT}")


def _changed(place: Place, old: dict[str, Any], new: dict[str, Any], at: str) -> Change:
    its = _fields(old, new)
    if its == "`doc`" or (its == "`text`" and (place.kind == "rules" or place.table == PROSE)):
        says = f"{_where(place)} has another sentence than at {at}: if it says the same, and more clearly, {NEXT}"
        return Change(says, is_allowed=True)
    return Change(f"{_where(place)} differs from what was frozen at {at} (its {its}): {KEPT}")


def _fields(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Those that differ, by name."""
    return ", ".join(f"`{field}`" for field in dict.fromkeys([*old, *new]) if old.get(field) != new.get(field))


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
