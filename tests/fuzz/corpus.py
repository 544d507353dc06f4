"""The inputs that are kept: few, small, and together they reach whatever was ever reached.

An input is named by its hash. One with another name shows a bug that was there once; it is never dropped.
"""

import re
import shutil
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"

MOST_FILES: Final = 300
MOST_BYTES: Final = 400_000

_BY_HASH: Final = re.compile(r"[0-9a-f]{16}")
_HASH_CHARS: Final = 16


def kept(name: str, corpus: Path = CORPUS) -> list[Path]:
    """The inputs of a target."""
    return sorted(path for path in (corpus / name).glob("*") if path.is_file())


def is_named(path: Path) -> bool:
    """Whether it shows a bug, and says which."""
    return _BY_HASH.fullmatch(path.name) is None


def replace(name: str, merged: Path, corpus: Path = CORPUS) -> None:
    """Keep these instead of what was kept by hash."""
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    named = [path for path in kept(name, corpus) if is_named(path)]
    for path in set(kept(name, corpus)) - set(named):
        path.unlink()
    known = {path.read_bytes() for path in named}
    for path in sorted(merged.iterdir()):
        if path.read_bytes() not in known:
            shutil.copyfile(path, folder / path.name[:_HASH_CHARS])


def size(name: str, corpus: Path = CORPUS) -> tuple[int, int]:
    """How many inputs of a target are kept, and of how many bytes together."""
    paths = kept(name, corpus)
    return len(paths), sum(path.stat().st_size for path in paths)
