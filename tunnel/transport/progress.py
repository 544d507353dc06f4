"""Shows that a download is alive: a bar where a person looks at standard error, else a line now and then. Never on stdout."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

Advance: TypeAlias = Callable[[int, int | None], None]
"""Told how many bytes are here, and of how many, if that is known."""

LINE_BYTES: Final = 10_000_000
"""So often there is a line where no bar can be drawn."""

_MEGABYTE: Final = 1_000_000


@contextmanager
def progress(title: str, report: Callable[[str], None], console: Console) -> Generator[Advance]:
    """Show the progress of one download while it lasts.

    Args:
        title: what is downloaded.
        report: takes a line, where the console is no terminal.
        console: writes to standard error.
    """
    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        report(f"{title} ...")
        yield _lines(title, report)


def _bar(console: Console) -> Progress:
    """It leaves stdout and stderr as they are: by default rich would send what others print there through its console."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)


def _lines(title: str, report: Callable[[str], None]) -> Advance:
    said = 0

    def advance(done: int, total: int | None) -> None:
        nonlocal said
        if done // LINE_BYTES > said:
            said = done // LINE_BYTES
            report(f"{title}: {done // _MEGABYTE}{f' of {total // _MEGABYTE}' if total else ''} MB")

    return advance
