"""Where a person's commands find the servers that run: one socket for each in a folder that only this user can enter.

A socket's name says whose it is, and that it is alive is found out by connecting to it.
"""

import os
import re
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from tunnel.app.folder import closing, open_folder

FOLDERS: Final = (".tunnel", "run")
"""Where the sockets are, below the home folder."""

LOOKED_AT: Final = 1000
"""So many entries of the folder are looked at."""

BACKLOG: Final = 8

START_SECONDS: Final = 60
"""A socket that does not listen after so long is one that was left behind by a start that was killed."""

# No longer than the other: a socket's path is bounded.
_UNREADY: Final = ".new"
_READY: Final = ".sock"
_OURS: Final = re.compile(r"([0-9]{1,10})-[0-9a-f]{16}\.(?:sock|new)")
_SOCKET: Final = 0o600
_FDS: Final = Path("/proc/self/fd")


class Listening:
    """The socket of one server, in the folder until it is closed.

    Args:
        folder: the folder's descriptor, which is ours from now on.
        name: the socket's.
        bound: the socket, which listens.
    """

    def __init__(self, folder: int, name: str, bound: socket.socket) -> None:
        self.socket = bound
        self._folder = folder
        self._name = name
        self._is_closed = False

    def close(self) -> None:
        """Take it away."""
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(OSError):
            os.unlink(self._name, dir_fd=self._folder)
        self.socket.close()
        os.close(self._folder)


def listen(
    home: Path | None,
    pid: int,
    entropy: Callable[[int], bytes],
    user: int,
    unix_seconds: Callable[[], float] = time.time,
) -> Listening:
    """A socket for this process; those that others left behind are swept.

    Args:
        home: the person's.
        pid: this process's id.
        entropy: gives random bytes.
        user: to whom the folder must belong.
        unix_seconds: what time it is.

    Raises:
        OSError: there cannot be one.
    """
    folder = open_folder(home, FOLDERS, user, makes=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    name = f"{pid}-{entropy(8).hex()}"
    try:
        for found in _names(folder):
            _sweep(folder, found, home, unix_seconds())
        bound.bind(_address(folder, name + _UNREADY, home))
        _show(folder, name, bound)
    except OSError:
        bound.close()
        os.close(folder)
        raise
    return Listening(folder, name + _READY, bound)


def connect(home: Path | None, user: int, seconds: float) -> list[tuple[int, socket.socket]]:
    """A connection to every server that runs, with its process id; the eldest first.

    Args:
        home: the person's.
        user: whose servers they must be.
        seconds: how long one may take at a time.

    Raises:
        OSError: the folder cannot be trusted. That there is none is no error.
    """
    try:
        folder = open_folder(home, FOLDERS, user, makes=False)
    except FileNotFoundError:
        return []
    with closing(folder):
        found: list[tuple[int, socket.socket]] = []
        ready = (name for name in _names(folder) if name.endswith(_READY))
        for name in sorted(ready, key=lambda name: _born(folder, name)):
            to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            to.settimeout(seconds)
            try:
                to.connect(_address(folder, name, home))
            except OSError:
                to.close()
                continue
            found.append((int(name.partition("-")[0]), to))
        return found


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in islice(entries, LOOKED_AT) if _OURS.fullmatch(entry.name)]


def _show(folder: int, name: str, bound: socket.socket) -> None:
    """Give a socket its name once it listens: before, the sweep of another start would take it for one that was left behind."""
    try:
        os.chmod(name + _UNREADY, _SOCKET, dir_fd=folder)
        bound.listen(BACKLOG)
        bound.settimeout(0)
        os.rename(name + _UNREADY, name + _READY, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(name + _UNREADY, dir_fd=folder)
        raise


def _sweep(folder: int, name: str, home: Path | None, unix_seconds: float) -> None:
    """Take a socket away behind which nobody is. One that is busy, or may only just be made, is not touched."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        is_starting = name.endswith(_UNREADY) and unix_seconds - found.st_mtime < START_SECONDS
        if stat.S_ISSOCK(found.st_mode) and not is_starting:
            probe.settimeout(0)
            try:
                probe.connect(_address(folder, name, home))
            except ConnectionRefusedError:
                os.unlink(name, dir_fd=folder)


def _born(folder: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_ctime_ns
    except OSError:
        return 0


def _address(folder: int, name: str, home: Path | None, fds: Path = _FDS) -> str:
    """How a socket in the folder is named. A path of ours may be longer than a socket's can be, and Linux has a shorter one."""
    if fds.is_dir():
        return str(fds / str(folder) / name)
    return str(Path(home or "/", *FOLDERS, name))
