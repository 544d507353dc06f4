"""Everything that is generated from the tables of one wire version and committed, and where it is no longer what they say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from spec.compiler import export, export_traces, export_vectors, python
from spec.compiler.reader import Spec

WRITERS: Final[tuple[Callable[[Spec], dict[str, str]], ...]] = (
    python.write,
    export.write,
    export_vectors.write,
    export_traces.write,
)
"""Each gives the whole texts of its files, by path below the root of the repository."""


def everything(spec: Spec) -> dict[str, str]:
    """Every generated file: path below the root of the repository, and its whole text."""
    return {path: text for write in WRITERS for path, text in write(spec).items()}


def folders(spec: Spec) -> tuple[str, ...]:
    """Where nothing may lie that is not generated, a README in an export aside."""
    version = f"v{spec.protocol.wire}"
    return (f"tunnel/spec/{version}", export.folder(spec))


def drift(spec: Spec, root: Path, made: dict[str, str] | None = None) -> list[str]:
    """Compare whole texts: a generated file that was edited, or that is older than its table, is drift.

    Args:
        spec: the tables.
        root: the repository.
        made: `everything`, where it is at hand.
    """
    written = everything(spec) if made is None else made
    found: list[str] = []
    for path, text in written.items():
        if not (root / path).is_file():
            found.append(f"{path}: is missing; run `make spec`")
        # As bytes: reading as text would take other line ends for the same.
        elif (root / path).read_bytes() != text.encode("utf-8"):
            found.append(f"{path}: differs from its table; run `make spec`, never edit it")
    return found + [f"{path}: nothing generates it" for path in _lying(spec, root) if path not in written]


def _lying(spec: Spec, root: Path) -> Iterator[str]:
    """What lies in the generated folders, however deep; what Python leaves behind aside."""
    for folder in folders(spec):
        for path in sorted((root / folder).rglob("*")):
            by_hand = path.name == "README.md" and folder == export.folder(spec)
            if path.is_file() and not by_hand and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()
