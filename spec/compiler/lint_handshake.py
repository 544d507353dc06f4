"""Whether the symbolic proofs are still about this handshake: they were made by hand, and nothing can run them here."""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from spec.compiler.reader import Spec

RECORD = "recorded.toml"
FRAMES = ("challenge", "auth", "auth_ok", "auth_fail", "send", "msg", "message", "draft")
RULES = ("AUTH-", "SEAL-", "LINK-1", "LINK-3", "LINK-6", "SEQ-2", "SEQ-3", "SEQ-5", "SEQ-6")
CONSTANTS = ("KEY_BYTES", "CHALLENGE_BYTES", "SEAL_NONCE_BYTES", "SEAL_TAG_BYTES")
EVENTS = {"session": ("auth",), "connection": ("upgraded", "auth", "admit"), "guest": ("challenge", "auth_ok")}


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
        "rules": _digest([(r.id, r.level, r.role, r.text) for r in spec.rules.rules if _is_about_it(r.id)]),
        "constants": _digest([(name, spec.constants.get(name)) for name in CONSTANTS]),
        "rows": _digest(
            [
                (name, row.on, sorted(machine.states_of(row.leaves)), row.when, row.to, row.do)
                for name, machine in spec.machines.items()
                for row in machine.transitions
                if row.on in EVENTS.get(name, ())
            ]
        ),
    }


def files(folder: Path) -> dict[str, str]:
    """The digest of every model and every recorded result."""
    found = sorted([*folder.glob("*.pv"), *folder.glob("proverif*.txt")])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def _is_about_it(rule: str) -> bool:
    return rule in RULES or rule.startswith(tuple(family for family in RULES if family.endswith("-")))


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()
