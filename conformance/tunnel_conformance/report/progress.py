"""What is seen while a run goes on: a bar that moves at a terminal, and a line a case where there is none."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.report.marks import MARKS
from tunnel_conformance.report.text import shown


class Watch:
    """Tells of verdicts as they come. Used as a context: what it draws is gone at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[tally]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._drawn: AbstractContextManager[object] = self._bars if console.is_terminal else nullcontext()

    def __enter__(self) -> Self:
        self._drawn.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._drawn.__exit__(None, None, None)

    def run(self, subject: str, role: str, cases: int) -> "Watched":
        """A run begins."""
        return Watched(self._console, self._bars, f"{shown(subject, 40)} as {role}", cases)


class Watched:
    """One run that is watched."""

    def __init__(self, console: Console, bars: Progress, name: str, cases: int) -> None:
        self._console = console
        self._bars = bars
        self._name = name
        self._cases = cases
        self._seen: Counter[Outcome] = Counter()
        self._task = bars.add_task(name, total=cases, tally="")

    def told(self, verdict: Verdict) -> None:
        """A case has come to its end."""
        self._seen[verdict.outcome] += 1
        if self._console.is_terminal:
            self._bars.update(self._task, advance=1, tally=self._tally())
            return
        count = f"{self._seen.total()}/{self._cases}"
        self._console.file.write(
            f"{self._name}: {count} {verdict.outcome.value}: {shown(verdict.case, 60)} ({verdict.seconds:.1f} s)\n"
        )
        self._console.file.flush()

    def say(self, text: str) -> None:
        """Something that people should know while it runs."""
        self._console.print(Text(f"{self._name}: {shown(text)}"), soft_wrap=True)

    def _tally(self) -> str:
        return "  ".join(f"{MARKS[outcome].letter} {count}" for outcome, count in self._seen.items())
