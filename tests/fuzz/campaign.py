"""One target is fuzzed for so long, in a process of its own; what it reached that was not reached before is kept.

Whatever breaks a claim is kept, too, so that every test run fails until it is mended.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha1
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from tests.fuzz import corpus
from tests.fuzz.engine import PLAIN
from tests.fuzz.target import ROOT, load

ONE_INPUT_SECONDS: Final = 10
"""An input that takes longer breaks every claim."""

LARGEST_MB: Final = 1024
"""As does one that takes more memory."""

MERGE_SECONDS: Final = 300

_RUNS: Final = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_REACHED: Final = re.compile(r"\bcov: (\d+) ft: (\d+)")
_MERGED: Final = "MERGE-OUTER: successful"
_FAILED: Final = re.compile(r"=== Uncaught Python exception: ===\n(.*?)\n\n==", re.DOTALL)


class NoEngine(Exception):
    """Atheris is not installed; its text says where it can be."""


class Reached(Struct, frozen=True):
    """What a run has come to."""

    runs: int
    seconds: int
    edges: int
    """Steps from one place in the code to the next that were taken."""
    features: int
    """The same, with how often they were taken by one input."""
    broken: str = ""
    """What was claimed in vain; empty when nothing was."""


def engine_version() -> str:
    """The engine's version.

    Raises:
        NoEngine: there is none.
    """
    try:
        return f"atheris {version('atheris')}"
    except PackageNotFoundError:
        raise NoEngine(
            "Atheris is not installed. It runs on Linux, on x86-64, and `make fuzz` installs it there; everywhere else "
            "`make test` replays what it has found."
        ) from None


def fuzz(name: str, seconds: int, folder: Path = corpus.CORPUS) -> Reached:
    """Fuzz a target, and keep what is new.

    Args:
        name: of the target.
        seconds: for how long.
        folder: where inputs are kept.
    """
    with TemporaryDirectory() as place:
        new, found, seeds = (made(Path(place) / each) for each in ("new", "found", "seeds"))
        target = load(name)
        for seed in target.seeds():
            (seeds / sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
        words = Path(place) / "words"
        words.write_text(dictionary(target.words), encoding="ascii")
        kept = made(folder / name)
        options = [f"-max_total_time={seconds}", f"-max_len={target.longest}", f"-dict={words}"]
        said = run(name, [new, kept, seeds], [*options, f"-artifact_prefix={found}/"], seconds)
        for breach in found.iterdir():
            shutil.copyfile(breach, kept / f"found-{breach.name}")
        broken = _broken(said, sorted(found.iterdir()))
        if not broken:
            broken = _merge(name, [made(Path(place) / "merged"), kept, new, seeds], folder)
    return _reached(said, seconds, broken)


def _merge(name: str, folders: list[Path], into: Path) -> str:
    """Keep as few inputs as together reach what all of them do; why that could not be done."""
    # Edges alone: how often each was taken would keep ten times as many inputs.
    said = run(name, folders, ["-set_cover_merge=1", "-use_counters=0"], MERGE_SECONDS)
    if _MERGED not in said:
        return said[-2000:]
    corpus.replace(name, folders[0], into)
    return ""


def made(folder: Path) -> Path:
    """The folder, which is there from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(name: str, folders: Iterable[Path], options: Iterable[str], seconds: int, *, guided: bool = True) -> str:
    """Run the engine to its end; what it says."""
    command = [sys.executable, "-m", "tests.fuzz.engine", name, *map(str, folders), *options]
    command += [f"-timeout={ONE_INPUT_SECONDS}", f"-rss_limit_mb={LARGEST_MB}", "-print_final_stats=1"]
    command += [] if guided else [PLAIN]
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=seconds + MERGE_SECONDS,
    )
    return done.stdout


def dictionary(words: Iterable[str | bytes]) -> str:
    r"""Words as libFuzzer reads them: in quotes, everything else than letters and the like as `\xNN`."""
    spelled = (word.encode() if isinstance(word, str) else word for word in words)
    return "".join(f'"{"".join(map(_escaped, word))}"\n' for word in spelled)


def _escaped(byte: int) -> str:
    return chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"\\x{byte:02x}"


def _broken(said: str, breaches: list[Path]) -> str:
    if not breaches and _RUNS.search(said):
        return ""
    failed = _FAILED.search(said)
    return failed[1] if failed else said[-2000:]


def _reached(said: str, seconds: int, broken: str) -> Reached:
    runs, reached = _RUNS.search(said), _REACHED.findall(said)
    edges, features = reached[-1] if reached else (0, 0)
    return Reached(int(runs[1]) if runs else 0, seconds, int(edges), int(features), broken)
