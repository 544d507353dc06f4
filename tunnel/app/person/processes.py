"""The processes of this machine as the system shows them: Linux in files, macOS through `ps`, others not at all.

Nothing that a process says of itself is believed but the name of its program.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

PROC: Final = Path("/proc")
PS: Final = "/bin/ps"
"""Not as `PATH` finds it: an agent may have written that."""

PS_SECONDS: Final = 5.0

_COLUMNS: Final = ("pid", "ppid", "tty", "stat", "comm")
_NO_TERMINAL: Final = frozenset({"?", "??", "-"})
_BUNDLE: Final = ".app/"
_PARENT, _SESSION, _TERMINAL = 1, 3, 4
"""Places in `/proc/PID/stat` behind the command's name."""


class Process(NamedTuple):
    """One process."""

    pid: int
    parent: int
    has_terminal: bool
    leads: bool
    """Whether the terminal is its own: the shell of a window of a terminal, or whatever stands in its place."""
    program: str
    """Where its program is, on macOS the bundle that it is a part of; empty if this user may not know."""
    name: str
    """What it is called."""

    def runs_the_same_as(self, other: "Process") -> bool:
        """Whether both are processes of one program, as an editor has many."""
        known = bool(self.program and other.program)
        return self.program == other.program if known else self.name == other.name


Look = Callable[[int], Process | None]
"""Tells of a process; None when there is none, or this user may not see it."""


def system(proc: Path = PROC, ps: str = PS) -> Look | None:
    """How processes are looked at here; None where they cannot be."""
    if (proc / "self").exists():
        return lambda pid: _in_files(proc, pid)
    try:
        columns = [part for column in _COLUMNS for part in ("-o", f"{column}=")]
        # One look at all of them: their lines of descent are of one moment.
        listed = subprocess.run(  # noqa: S603 - a program of the system's, and nothing from outside
            [ps, "-A", *columns], stdin=subprocess.DEVNULL, capture_output=True, timeout=PS_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return _table(listed.decode("utf-8", "replace")).get


def _in_files(proc: Path, pid: int) -> Process | None:
    try:
        called, _, rest = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
    except OSError:
        return None
    found = rest.split()
    has_terminal = found[_TERMINAL] != "0"
    try:
        program = str((proc / str(pid) / "exe").readlink())
    except OSError:
        program = ""
    return Process(
        pid=pid,
        parent=int(found[_PARENT]),
        has_terminal=has_terminal,
        leads=has_terminal and int(found[_SESSION]) == pid,
        program=program,
        name=Path(program).name or called.partition("(")[2],
    )


def _table(listed: str) -> dict[int, Process]:
    """What `ps` has listed; lines that it does not write are left out."""
    found: dict[int, Process] = {}
    for line in listed.splitlines():
        match line.split(None, len(_COLUMNS) - 1):
            case [pid, parent, terminal, state, program] if pid.isdecimal() and parent.isdecimal():
                has_terminal = terminal not in _NO_TERMINAL
                found[int(pid)] = Process(
                    pid=int(pid),
                    parent=int(parent),
                    has_terminal=has_terminal,
                    leads=has_terminal and "s" in state,
                    # The helpers of an application are programs of their own within its bundle.
                    program=program.strip().partition(_BUNDLE)[0],
                    # A login shell's name begins with a dash.
                    name=Path(program.strip()).name.removeprefix("-"),
                )
            case _:
                pass
    return found
