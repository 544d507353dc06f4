"""Lists what there is of a server and of all that it has started: processes, sockets and files.

Whatever a process starts inherits its environment, so a mark in there finds them all, whoever their parent is by now.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

MARK = "STANDIN_MARK"
"""The variable that is inherited."""


class Left(NamedTuple):
    """What there is at one moment."""

    processes: frozenset[str] = frozenset()
    """Number and command."""
    sockets: frozenset[str] = frozenset()
    """Of those processes: state, local and remote address."""
    descriptors: frozenset[str] = frozenset()
    """What those processes have open: sockets, pipes and files, counted."""
    files: frozenset[str] = frozenset()
    """Whatever is below the folders and is no folder."""

    def beyond(self, before: "Left") -> list[str]:
        """What there is more than there was."""
        return sorted(item for now, then in zip(self, before, strict=True) for item in now - then)


def left(mark: str, *folders: Path) -> Left:
    """What there is now."""
    marked = list(_marked(mark))
    return Left(
        frozenset(f"process {process.pid} {_command(process)}" for process in marked),
        frozenset(socket for process in marked for socket in _sockets(process)),
        frozenset(kind for process in marked for kind in _descriptors(process)),
        frozenset(f"file {path}" for folder in folders for path in folder.rglob("*") if not path.is_dir()),
    )


def _marked(mark: str) -> Iterator[psutil.Process]:
    wanted = f"{MARK}={mark}".encode()
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            # The dead that nobody has buried have no environment any more.
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                yield psutil.Process(pid)


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())[:400]
    return "(gone)"


def _sockets(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error, OSError):
        return [
            f"{socket.status} {_address(socket.laddr)} {_address(socket.raddr)}"
            for socket in process.net_connections("inet")
        ]
    return []


def _address(address: tuple[object, ...]) -> str:
    return ":".join(map(str, address))


def _descriptors(process: psutil.Process) -> list[str]:
    counted: Counter[str] = Counter()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):
                # socket:[12345] and pipe:[12345] have numbers of their own every time.
                counted[str(descriptor.readlink()).partition(":[")[0]] += 1
    # One for each: so one more is one more, and one less is nothing.
    return [
        f"{process.pid} has {number} of {kind} open"
        for kind, count in counted.items()
        for number in range(1, count + 1)
    ]
