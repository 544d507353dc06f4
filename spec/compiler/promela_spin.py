"""Runs SPIN: a model becomes a program, and the program looks at every state in which a claim could break."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from spec.compiler.promela_claims import Claim
from spec.compiler.promela_text import TAKES

SECONDS = 280.0
"""How long everything may take together."""
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


class Watch:
    """What is left of the time for everything together.

    Args:
        seconds: how long it may take.
        clock: tells seconds.
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = perf_counter) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds

    def left(self) -> float:
        """Seconds until it has taken too long; none when it has."""
        return max(self._ends - self._clock(), 0.0)


class Checker:
    """A model that was compiled in a folder of its own.

    Args:
        folder: an empty one.
        model: Promela with its claims.
        watch: how long this and all that is asked may take; its own when it is left out.
        fast: take long to compile, so that it runs fast.
        depth: longest way that is followed.

    Raises:
        SpinError: it cannot be compiled.
    """

    def __init__(
        self, folder: Path, model: str, watch: Watch | None = None, *, fast: bool = True, depth: int = DEPTH
    ) -> None:
        self._folder = folder
        self._depth = depth
        self._watch = watch or Watch()
        (folder / "model.pml").write_text(model, encoding="utf-8")
        told = _run(["spin", "-a", "model.pml"], folder, self._watch)
        if "Error" in told or not (folder / "pan.c").is_file():
            raise SpinError(f"spin does not take the model: {_end(told)}")
        _run([*COMPILE, "-O1" if fast else "-O0"], folder, self._watch)

    def ask(self, claim: Claim) -> Answer:
        """Look for a breach of a claim; a liveness claim is asked under weak fairness, so that time goes on."""
        began = perf_counter()
        live = {"safety": (), "liveness": ("-a", "-f"), "unfair": ("-a",)}[claim.kind]
        # An end state is as good as any: a world in which nothing more happens breaks no promise by that.
        told = self._searched(f" about {claim.id!r}", *live, "-N", claim.id)
        seconds = perf_counter() - began
        states, errors = (re.search(pattern, told) for pattern in (r"(\d+) states, stored", r"errors: (\d+)"))
        if f"+ ({claim.id})" not in told or states is None or errors is None:
            raise SpinError(f"no answer about {claim.id!r}: {_end(told)}")
        broken = errors[1] != "0"
        return Answer(not broken, int(states[1]), seconds)

    def rows(self) -> frozenset[str]:
        """The rows that are ever taken, each behind its machine, in a model that tracks them and claims nothing."""
        told = self._searched("")
        return frozenset(re.findall(rf"^{TAKES} (.+)$", told, re.MULTILINE))

    def _searched(self, about: str, *options: str) -> str:
        told = _run(["./pan", *options, "-E", f"-m{self._depth}"], self._folder, self._watch)
        if "states, stored" not in told or "too small" in told or "out of memory" in told:
            raise SpinError(f"no answer{about}: {_end(told)}")
        if "assertion violated 0" in told:
            raise SpinError("a table does not say what happens: an event has no row. `explore` shows the way to it")
        return told


def missing() -> list[str]:
    """The programs that are not there."""
    return [program for program in ("spin", "gcc") if shutil.which(program) is None]


def version() -> str:
    """The version of SPIN, such as `6.5.2`."""
    found = re.search(r"\d+(\.\d+)+", _run(["spin", "-V"], Path.cwd(), Watch()))
    return found[0] if found else "unknown"


def _run(command: list[str], folder: Path, watch: Watch) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program and words of ours
            command,
            cwd=folder,
            timeout=watch.left(),
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
        raise SpinError(
            f"{command[0]} was stopped: everything together may take {watch.seconds:g} s. `--within` gives it longer;"
            f" the seconds in results.json say what took how long before"
        ) from None
    if command[0] == "gcc" and done.returncode:
        raise SpinError(f"gcc does not take what spin wrote: {_end(done.stdout)}")
    return done.stdout


def _end(told: str) -> str:
    return " / ".join(line.strip() for line in told.strip().splitlines()[-6:])[-600:]
