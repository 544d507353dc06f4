"""Programs for Node, with the packages that their locks name: installed once for each lock, and never into the sources."""

import shutil
import subprocess
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

LOCK = "package-lock.json"


def installed(source: Path, copy: Path, config: pytest.Config) -> Path:
    """A copy of a folder with a lock, with its packages beside it.

    Args:
        source: the folder, which has a `package-lock.json`.
        copy: where the copy is made.
        config: pytest's, whose cache keeps packages from one run to the next.
    """
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
    assert config.cache
    (copy / "node_modules").symlink_to(packages(source, config.cache.mkdir("npm")) / "node_modules")
    return copy


def packages(source: Path, kept: Path) -> Path:
    """The folder below `kept` in which what a lock names is installed."""
    found = kept / sha256((source / LOCK).read_bytes()).hexdigest()
    if not found.exists():
        with TemporaryDirectory(dir=kept) as made:
            whole = Path(made) / "whole"
            whole.mkdir()
            for name in ("package.json", LOCK):
                shutil.copy(source / name, whole)
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=whole, check=True, timeout=120)
            # All at once, so nobody finds half of it. Whoever runs beside us may have been faster.
            with suppress(OSError):
                whole.rename(found)
    return found
