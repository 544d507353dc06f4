"""The versions of the wire side by side: a folder of tables each, `spec/v1` and on, and how the next one is begun."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spec.compiler import export
from spec.compiler.frozen import FILE, is_frozen
from spec.compiler.reader import Spec, SpecError, read
from tunnel.spec.v1.constants import WIRE

SPOKEN: Final = WIRE
"""The version that the program speaks. What is about the program, such as its documentation, is about this one."""

KEPT: Final = ("proofs", "vectors")
"""Folders that the next version takes byte by byte, READMEs aside: they say what was proved, and recorded, of the last one."""


def numbers(root: Path) -> list[int]:
    """The versions that there are, in their order."""
    found = (re.fullmatch(r"v(\d+)", path.name) for path in (root / "spec").glob("v*") if path.is_dir())
    return sorted(int(name[1]) for name in found if name)


def folder(root: Path, wire: int) -> Path:
    """Where the tables of a version stand."""
    return root / "spec" / f"v{wire}"


def read_version(root: Path, wire: int) -> Spec:
    """Read the tables of a version.

    Raises:
        SpecError: there are none, they cannot be read, or they say that they are another version's.
    """
    if wire not in numbers(root):
        raise SpecError(
            f"spec/v{wire}: is not there; there is {', '.join(f'v{one}' for one in numbers(root)) or 'none'}"
        )
    try:
        spec = read(folder(root, wire))
    except SpecError as error:
        raise SpecError(f"spec/v{wire}/{error}") from None
    if spec.protocol.wire != wire:
        raise SpecError(f"spec/v{wire}/protocol.toml: wire: is {spec.protocol.wire}, in the folder of {wire}")
    return spec


def strays(root: Path) -> Iterator[str]:
    """What was generated from tables that are gone."""
    for path in sorted((root / "tunnel" / "spec").glob("v*")):
        if path.name not in {f"v{wire}" for wire in numbers(root)} and any(path.glob("*.*")):
            yield f"tunnel/spec/{path.name}: nothing generates it, for there is no spec/{path.name}"


def begin(root: Path) -> Path:
    """Make the folder of the next version: a draft that says what the last one says, in what was written by hand.

    Raises:
        SpecError: the last one is a draft itself.
    """
    last = max(numbers(root), default=0)
    if not is_frozen(folder(root, last)):
        raise SpecError(
            f"spec/v{last}: is a draft, which may still be changed as it is; the next begins when it is frozen"
        )
    old, new = folder(root, last), folder(root, last + 1)
    for path in _by_hand(root, read_version(root, last)):
        name = path.relative_to(old)
        is_kept = name.parts[0] in KEPT and name.name != "README.md"
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).write_bytes(path.read_bytes() if is_kept else _renumbered(path, last))
    return new


def _by_hand(root: Path, spec: Spec) -> Iterator[Path]:
    for path in sorted(spec.folder.rglob("*")):
        is_made = path.is_relative_to(root / export.folder(spec)) and path.name != "README.md"
        if path.is_file() and not is_made and path.name != FILE and not path.name.startswith("."):
            yield path


def _renumbered(path: Path, last: int) -> bytes:
    text = path.read_bytes().decode("utf-8")
    text = re.sub(rf"\bwire version {last}\b", f"wire version {last + 1}", text)
    # In paths and names; `handshake_v1.pv` stays what it is called.
    text = re.sub(rf"\bv{last}\b", f"v{last + 1}", text)
    text = re.sub(rf"^(wire\s*=\s*){last}$", rf"\g<1>{last + 1}", text, flags=re.MULTILINE)
    text = re.sub(r'^(spec_version\s*=\s*)".*"$', rf'\g<1>"{last + 1}.0.0-draft"', text, flags=re.MULTILINE)
    return text.encode("utf-8")
