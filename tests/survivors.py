"""Mutants of the code that no test notices, after `make mutants`: each stands in `survivors.toml` with its reason, and no other."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FILE: Final = Path(__file__).with_suffix(".toml")
MUTMUT: Final = ("-m", "mutmut")

NOTICED: Final = frozenset({"killed", "timeout", "segfault", "caught by type check"})
"""How a mutant ends that is noticed, as mutmut says it: by a test that fails, or by one that hangs or crashes. A mutant that ends in
any other way is alive: it survived, has no tests, was skipped or not checked, or its check was suspicious or interrupted."""

_RESULT: Final = re.compile(r"^\s*(?P<name>\S+): (?P<status>.+)$", re.MULTILINE)


class Survivor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mutant, or several of one kind, and why nobody can notice."""

    file: str
    """What is changed."""
    line: str
    """The line that is changed, without its indent."""
    instead: tuple[str, ...]
    """What stands there instead: one text for each mutant, empty where the line is gone."""
    why: str
    """Why no test can tell the two apart."""


class _Survivors(Struct, forbid_unknown_fields=True):
    survivor: tuple[Survivor, ...]


Change = tuple[str, str, str]
"""File, line, and what stands there instead."""


def known() -> dict[Change, str]:
    """Every survivor that is on record, and why it is one."""
    survivors = msgspec.toml.decode(FILE.read_bytes(), type=_Survivors).survivor
    return {(one.file, one.line, instead): one.why for one in survivors for instead in one.instead}


def change(diff: str) -> Change:
    """What a mutant changes, by its diff.

    Args:
        diff: as `mutmut show` gives it.
    """
    lines = diff.splitlines()
    file = next(line.removeprefix("--- ") for line in lines if line.startswith("--- "))
    gone, come = (
        " ".join(line[1:].strip() for line in lines if line[:1] == sign and line[:3] != sign * 3) for sign in "-+"
    )
    return file, gone, come


def statuses(results: str) -> dict[str, str]:
    """How every mutant ended, by its name.

    Args:
        results: what `mutmut results --all true` prints.
    """
    return {found["name"]: found["status"].strip() for found in _RESULT.finditer(results)}


def alive(ended: Mapping[str, str]) -> list[str]:
    """The names of those that nothing noticed.

    Args:
        ended: how every mutant ended, by its name.
    """
    return [name for name, status in ended.items() if status not in NOTICED]


def score(ended: Mapping[str, str]) -> str:
    """How many mutants ended in which way, each way by its own name."""
    counts = Counter(ended.values())
    return f"{len(ended)} mutants: {', '.join(f'{count} {status}' for status, count in counts.most_common())}"


def faults(alive: Iterable[Change], on_record: Mapping[Change, str]) -> list[str]:
    """What is wrong between those that are alive and those that are on record, either way."""
    alive = list(alive)
    unexplained = [f"nothing notices: {_told(one)}" for one in alive if one not in on_record]
    stale = [
        f"it is noticed, or gone, and stands in {FILE.name}: {_told(one)}" for one in on_record if one not in alive
    ]
    return unexplained + stale


def main() -> int:
    """Print the score of the last run, and what is wrong with the record; 1 when something is."""
    ended = statuses(_mutmut("results", "--all", "true"))
    unnoticed = [change(_mutmut("show", name)) for name in alive(ended)]
    wrong = faults(unnoticed, known()) if ended else ["mutmut has no results: run it first"]
    print(score(ended))
    print("\n".join(wrong) or f"every one of the {len(unnoticed)} that nothing notices is explained in {FILE.name}")
    return 1 if wrong else 0


def _mutmut(*words: str) -> str:
    done = subprocess.run((sys.executable, *MUTMUT, *words), capture_output=True, text=True, check=True)
    return done.stdout


def _told(one: Change) -> str:
    file, line, instead = one
    return f"{file}: {line!r} -> {instead!r}"


if __name__ == "__main__":
    sys.exit(main())
