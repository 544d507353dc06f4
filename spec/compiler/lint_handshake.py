"""Whether the symbolic proofs are still about this handshake: they were made by hand, and nothing can run them here."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from spec.compiler.reader import Spec

RECORD = "recorded.toml"
FRAMES = ("challenge", "auth", "auth_ok", "auth_fail", "send", "msg", "message", "draft")
RULES = ("AUTH-", "SEAL-", "LOCK-1", "LINK-1", "LINK-3", "LINK-4", "LINK-6", "NAME-1", "SEQ-", "WIRE-1")
CONSTANTS = ("KEY_BYTES", "CHALLENGE_BYTES", "SEAL_NONCE_BYTES", "SEAL_TAG_BYTES")
EVENTS = {
    "session": ("auth", "send"),
    "connection": ("upgraded", "auth", "admit", "send"),
    "guest": ("challenge", "auth_ok", "msg"),
}


def lint_handshake(spec: Spec) -> Iterator[str]:
    """What has changed since the proofs were made: a part of the handshake, or a file of theirs."""
    folder = spec.folder / "proofs"
    try:
        recorded = tomllib.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        yield f"proofs/{RECORD}: cannot be read ({error})"
        return
    for part, found in digests(spec).items():
        if recorded.get("handshake", {}).get(part) != found:
            yield (
                f"proofs/{RECORD}: stale: the {part} of the handshake have changed since the symbolic proofs were made."
                f" Read proofs/README.md, and ask whether the models still describe it; if they do not, change them, run"
                f" ProVerif and record what it says; then write {part} = {found!r} there"
            )
    for name, found in files(folder).items():
        if recorded.get("files", {}).get(name) != found:
            yield (
                f"proofs/{name}: is not the file that was recorded. Restore it; or, if it was changed and run anew, write"
                f" {name!r} = {found!r} into proofs/{RECORD}"
            )
    for name in recorded.get("files", {}):
        if not (folder / name).is_file():
            yield f"proofs/{name}: is missing, and proofs/{RECORD} names it"


def digests(spec: Spec) -> dict[str, str]:
    """A digest of each part of the handshake: what binds, and no prose."""
    shapes = [shape for shape in (*spec.frames.records, *spec.frames.frames) if shape.name in FRAMES]
    return {
        "frames": _digest(
            [(s.name, s.sender, [(f.name, f.type, f.encoding, f.value, f.visible) for f in s.fields]) for s in shapes]
        ),
        "rules": _digest([(r.id, r.level, r.role, r.text) for r in spec.rules.rules if is_watched(r.id)]),
        "constants": _digest([(name, spec.constants.get(name)) for name in CONSTANTS]),
        "rows": _digest(
            [
                (name, row.on, sorted(machine.states_of(row.leaves)), row.when, row.to, row.do)
                for name, machine in spec.machines.items()
                for row in machine.transitions
                if row.on in EVENTS.get(name, ())
            ]
        ),
        "texts": _digest([(row.id, row.text) for row in spec.refusals.refusals]),
        "formulas": _digest(formulas(spec.folder)),
    }


def formulas(folder: Path) -> list[str]:
    """What the prose says in formulas: how a response and a body are made."""
    path = folder / "tunnel.md"
    found = re.findall(r"^ {4}(\w.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else []
    return [" ".join(line.split()) for line in found]


def is_watched(rule: str) -> bool:
    """Whether the proofs are stale when this rule changes."""
    return rule in RULES or rule.startswith(tuple(family for family in RULES if family.endswith("-")))


def files(folder: Path) -> dict[str, str]:
    """The digest of every model and every recorded result."""
    found = sorted([*folder.glob("*.pv"), *folder.glob("proverif*.txt")])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()
