"""Programs for Node, with the packages that their locks name. Nothing is installed into the sources."""

import shutil
import subprocess
from pathlib import Path


def installed(source: Path, copy: Path) -> Path:
    """A copy of a folder with a `package-lock.json`, with its packages beside it."""
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=copy, check=True, timeout=120)
    return copy
