"""Packs the spec of a wire version into one archive for people who write in other languages: the same bytes whenever it is packed.

It holds no code of ours: the tables and what is written about them, the vectors, the proofs, the exports and the bundle.
"""

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spec.compiler.reader import Spec

EARLIEST: Final = 315532800
"""1980-01-01, as a Unix time: the first day that every format of archives can write, for all files."""


def name(spec: Spec) -> str:
    """What the archive is called: the version of the wire, and the edition of its tables."""
    return f"{spec.protocol.name}-spec-v{spec.protocol.wire}-{spec.protocol.spec_version}"


def contents(spec: Spec, root: Path) -> dict[str, Path]:
    """What the archive holds, by its path in it, and where that stands."""
    version = f"v{spec.protocol.wire}"
    found = {
        "LICENSE": root / "LICENSE",
        "README.md": root / "spec" / "README.md",
        "spec.json": root / "tunnel" / "spec" / version / "spec.json",
    }
    return dict(sorted((found | dict(_below(root / "spec", version))).items()))


def pack(spec: Spec, root: Path) -> bytes:
    """The archive."""
    inside = io.BytesIO()
    # GNU's format writes no names, numbers or times of its own beside the ones that are set here.
    with tarfile.open(fileobj=inside, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, source in contents(spec, root).items():
            data = source.read_bytes()
            entry = tarfile.TarInfo(f"{name(spec)}/{path}")
            entry.size, entry.mtime, entry.mode = len(data), EARLIEST, 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(inside.getvalue(), mtime=EARLIEST)


def write(spec: Spec, root: Path, folder: Path) -> Path:
    """Pack the archive into a folder, which is made where it is missing; returns where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{name(spec)}.tar.gz"
    made.write_bytes(pack(spec, root))
    return made


def _below(folder: Path, version: str) -> Iterator[tuple[str, Path]]:
    """The files of a wire version, without what editors and systems leave behind."""
    for path in (folder / version).rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix(), path
