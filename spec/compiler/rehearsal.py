"""Asks whether the core lives by its tables: for every mutant, the real host and guest are built on it, and must be heard to differ.

A copy of the program is laid out in a temporary directory, with the generated modules of a small world (durations of seconds).
For each mutant its one generated module is written there, and a fresh process plays the scripts that come to the change.
"""

import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from typing import NamedTuple

from msgspec.structs import replace

from spec.compiler import python
from spec.compiler.hostside import Tables
from spec.compiler.lint_machine import BOUNDARIES
from spec.compiler.mutants import Mutant
from spec.compiler.mutate import changed_pairs
from spec.compiler.reader import Spec
from spec.compiler.script import Script, small_world, tables_of
from spec.compiler.scripts import continued, differs, leads_elsewhere, lines_of, scripts
from spec.compiler.together import durations

ENOUGH = 3
"""So many scripts are played, each with everything that may follow, before a core is called deaf."""

ROOT = Path(__file__).resolve().parents[2]


NOWHERE = "nobody comes there"
ALIKE = "everybody hears the same"
LATE = "no core can be late"
"""Why nothing else has to be heard of a mutant: no conversation takes what is changed, or what is changed has no effect on
anybody in any script or in what may follow it, or a timer would fire behind its time."""


class OutOfTuneError(Exception):
    """The core says something else than its tables already before anything is broken."""


class Hearing(NamedTuple):
    """What became of a mutant on the stage."""

    mutant: Mutant
    beyond: str
    """Why nothing else has to be heard in a script, going by the tables; empty where something has. No conversation comes to
    what some mutants change: a host never admits a connection twice, but the table says what then."""
    heard: str | None
    """What else was heard of the core."""

    @property
    def is_in_reach(self) -> bool:
        """Whether something else has to be heard."""
        return not self.beyond


def rehearse(spec: Spec, broken: Sequence[Mutant]) -> list[Hearing]:
    """Play every one of them; all processors share the work.

    Raises:
        OutOfTuneError: the sound core is not heard as written, so that no difference would mean anything.
    """
    workers = os.cpu_count() or 1
    share = -(-len(broken) // (workers * 2)) or 1
    found = scripts(spec)
    parts = [(spec, found, broken[start : start + share]) for start in range(0, len(broken), share)]
    with ProcessPoolExecutor(workers) as pool:
        return [hearing for part in pool.map(_rehearse_part, parts) for hearing in part]


def _rehearse_part(part: tuple[Spec, Sequence[Script], Sequence[Mutant]]) -> list[Hearing]:
    spec, found, broken = part
    with TemporaryDirectory() as folder, Theatre(spec, found, Path(folder)) as theatre:
        theatre.tune()
        return [theatre.hear(mutant) for mutant in broken]


class Theatre:
    """A copy of the program in a folder, and a process that plays scripts with it."""

    def __init__(self, spec: Spec, found: Sequence[Script], folder: Path) -> None:
        self._spec = small_world(spec)
        self._scripts = found
        self._folder = folder
        shutil.copytree(ROOT / "tunnel", folder / "tunnel")
        self._written = python.write(self._spec)
        self._lay_out(self._written)
        # Compiled once; what is written anew is known by its text, since a clock may not tell two versions apart.
        compileall.compile_dir(folder / "tunnel", quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        self._tables = tables_of(spec)
        self._longer_ones: dict[Script, Sequence[Script]] = {}
        self._lines = {role: lines_of(found, role) for role in ("host", "guest")}
        self._stage = subprocess.Popen(
            [sys.executable, "-m", "spec.compiler.stage"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Theatre":
        return self

    def __exit__(self, *_: object) -> None:
        self._stage.communicate()

    def tune(self) -> None:
        """Play everything with the sound core, which must be heard as written.

        Raises:
            OutOfTuneError: it is not.
        """
        if (found := self._play(self._scripts)) is not None:
            raise OutOfTuneError(found)

    def hear(self, mutant: Mutant) -> Hearing:
        """Play the scripts in which a mutant has to be heard, and what may follow on them, until it is."""
        if any(timer.fires and timer.passed_when == BOUNDARIES[0] for timer in mutant.table.timers):
            # Reading refuses such a table: what fires does so at its time, and no core can do otherwise.
            return Hearing(mutant, LATE, heard=None)
        spec = replace(self._spec, machines={**self._spec.machines, mutant.machine: mutant.table})
        tables = Tables.of(spec, durations(spec))
        near = list(self._near(mutant))
        # What a script does not tell may be told by what follows: of a connection only what it does is heard, not where it is.
        apart = (script for script in near if leads_elsewhere(tables, self._tables, script))
        following = (more for script in apart for more in self._following(script))
        telling = _telling(tables, near) or _telling(tables, following)
        if not telling:
            return Hearing(mutant, ALIKE if near else NOWHERE, heard=None)
        changed = {path: text for path, text in python.write(spec).items() if text != self._written[path]}
        self._lay_out(changed)
        heard = self._play(telling[:1]) or self._play([more for script in telling for more in self._longer(script)])
        self._lay_out({path: self._written[path] for path in changed})
        return Hearing(mutant, "", heard)

    def _play(self, played: Sequence[Script]) -> str | None:
        """Play scripts with the program as it lies there; the first difference."""
        assert self._stage.stdin is not None
        assert self._stage.stdout is not None
        self._stage.stdin.write(json.dumps([(script.role, script.turns) for script in played]) + "\n")
        self._stage.stdin.flush()
        return json.loads(self._stage.stdout.readline())

    def _longer(self, script: Script) -> Iterator[Script]:
        return continued(self._tables, script, self._lines[script.role])

    def _following(self, script: Script) -> Sequence[Script]:
        """The longer ones of a script that many mutants are near to."""
        if script not in self._longer_ones:
            self._longer_ones[script] = list(self._longer(script))
        return self._longer_ones[script]

    def _near(self, mutant: Mutant) -> Iterator[Script]:
        machine = self._spec.machines[mutant.machine]
        pairs = {(mutant.machine, *pair) for pair in changed_pairs(machine, mutant.table)}
        is_everywhere = (machine.timers, machine.initial) != (mutant.table.timers, mutant.table.initial)
        role = "guest" if mutant.machine == "guest" else "host"
        for script in self._scripts:
            if script.role == role and (is_everywhere or not pairs.isdisjoint(script.touched)):
                yield script

    def _lay_out(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self._folder / path).write_text(text, encoding="utf-8")


def _telling(tables: Tables, found: Iterable[Script]) -> list[Script]:
    """The first scripts of which something else is heard with these tables."""
    return list(islice((script for script in found if differs(tables, script)), ENOUGH))
