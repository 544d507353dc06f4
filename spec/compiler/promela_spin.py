"""Runs SPIN: a model becomes a program, and the program looks at every state in which a claim could break."""

import re
import shutil
import subprocess
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from spec.compiler.promela_claims import Claim

SECONDS = 280
"""Longest time that one step may take. All of it together takes far less."""
DEPTH = 100_000
"""Longest way that is followed; one that is longer is an error, never an answer."""
COMPILE = ("gcc", "-w", "-DNOREDUCE", "-DMEMLIM=2048", "-o", "pan", "pan.c")
"""Reduction finds nothing to leave out here: whatever happens touches what the claims look at."""


class SpinError(Exception):
    """SPIN or the compiler cannot be run, or ended without an answer; the text says what it said."""


class Answer(NamedTuple):
    """What SPIN found."""

    holds: bool
    states: int
    """How many different states it saw; fewer than there are when it found a breach."""
    seconds: float


class Checker:
    """A model that was compiled in a folder of its own.

    Args:
        folder: an empty one.
        model: Promela with its claims.
        fast: take long to compile, so that it runs fast.
        depth: longest way that is followed.
        seconds: longest time that one step may take.

    Raises:
        SpinError: it cannot be compiled.
    """

    def __init__(
        self, folder: Path, model: str, *, fast: bool = True, depth: int = DEPTH, seconds: float = SECONDS
    ) -> None:
        self._folder = folder
        self._depth = depth
        self._seconds = seconds
        (folder / "model.pml").write_text(model, encoding="utf-8")
        told = _run(["spin", "-a", "model.pml"], folder, seconds)
        if "Error" in told or not (folder / "pan.c").is_file():
            raise SpinError(f"spin does not take the model: {_end(told)}")
        _run([*COMPILE, "-O2" if fast else "-O0"], folder, seconds)

    def ask(self, claim: Claim) -> Answer:
        """Look for a breach of a claim; a liveness claim is asked under weak fairness, so that time goes on."""
        began = perf_counter()
        live = {"safety": (), "liveness": ("-a", "-f"), "unfair": ("-a",)}[claim.kind]
        # An end state is as good as any: a world in which nothing more happens breaks no promise by that.
        told = _run(["./pan", *live, "-E", f"-m{self._depth}", "-N", claim.id], self._folder, self._seconds)
        seconds = perf_counter() - began
        states, errors = (re.search(pattern, told) for pattern in (r"(\d+) states, stored", r"errors: (\d+)"))
        asked = f"+ ({claim.id})" in told
        if not asked or states is None or errors is None or "too small" in told or "out of memory" in told:
            raise SpinError(f"no answer about {claim.id!r}: {_end(told)}")
        if "assertion violated 0" in told:
            raise SpinError("a table does not say what happens: an event has no row. `explore` shows the way to it")
        broken = errors[1] != "0"
        return Answer(not broken, int(states[1]), seconds)


def missing() -> list[str]:
    """The programs that are not there."""
    return [program for program in ("spin", "gcc") if shutil.which(program) is None]


def version() -> str:
    """The version of SPIN, such as `6.5.2`."""
    found = re.search(r"\d+(\.\d+)+", _run(["spin", "-V"], Path.cwd(), SECONDS))
    return found[0] if found else "unknown"


def _run(command: list[str], folder: Path, seconds: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program and words of ours
            command,
            cwd=folder,
            timeout=seconds,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise SpinError(
            f"{command[0]} cannot be run ({error.strerror}). Debian: apt-get install spin gcc libc6-dev"
        ) from None
    except subprocess.TimeoutExpired:
        raise SpinError(f"{command[0]} took longer than {seconds} s, and was stopped") from None
    if command[0] == "gcc" and done.returncode:
        raise SpinError(f"gcc does not take what spin wrote: {_end(done.stdout)}")
    return done.stdout


def _end(told: str) -> str:
    return " / ".join(line.strip() for line in told.strip().splitlines()[-6:])[-600:]
