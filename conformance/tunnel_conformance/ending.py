"""How a run is ended from outside: by a signal, or because nobody reads on. No status of these is that of a verdict."""

import asyncio
import os
import signal
import sys
from typing import Final

from rich.console import Console

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""

UNREAD: Final = 141
"""Exit status when nobody reads what is written, as shells have it."""

_SIGNALS: Final = {signal.SIGTERM: "Terminated", signal.SIGHUP: "Hung up"}


class Paper(Console):
    """A console on stdout that says so when nobody reads on."""

    def on_broken_pipe(self) -> None:
        """Nobody reads on. Rich itself would exit with the status of a verdict.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError


class Ending:
    """Has the current task cancelled by the signals that ask a program to end, and notes which came."""

    def __init__(self) -> None:
        self._came: signal.Signals | None = None

    def watch(self) -> None:
        """Begin with it, in the task that is to be cancelled."""
        task = asyncio.current_task()
        assert task is not None
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._end, task, number)

    def _end(self, task: "asyncio.Task[object]", number: signal.Signals) -> None:
        self._came = self._came or number
        task.cancel()

    def told(self) -> int:
        """Say that the run was ended; its exit status."""
        if self._came is None:
            return cut_short("Interrupted", INTERRUPTED)
        return cut_short(_SIGNALS[self._came], 128 + self._came)


def cut_short(how: str, status: int) -> int:
    """Say that a run was ended from outside; its exit status."""
    sys.stderr.write(f"{how}: nothing is left running. The run has no footer, and says nothing.\n")
    return status


def forget_stdout() -> None:
    """Nobody reads it: what is still to be written is lost, and nothing complains when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
