"""Where a person's commands find the servers that run: one socket for each in a folder that only this user can enter.

A socket's name says whose it is, and that it is alive is found out by connecting to it.
"""

import os
import re
import socket
import stat
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

_OURS: Final = re.compile(r"([0-9]{1,10})-[0-9a-f]{16}\.sock")
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


def listen(home: Path | None, pid: int, entropy: Callable[[int], bytes], user: int) -> Listening:
    """A socket for this process; those that others left behind are swept.

    Raises:
        OSError: there cannot be one.
    """
    folder = open_folder(home, FOLDERS, user, makes=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    name = f"{pid}-{entropy(8).hex()}.sock"
    try:
        for found in _names(folder):
            _sweep(folder, found, home)
        bound.bind(_address(folder, name, home))
        os.chmod(name, _SOCKET, dir_fd=folder)
        bound.listen(BACKLOG)
        bound.settimeout(0)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        bound.close()
        os.close(folder)
        raise
    return Listening(folder, name, bound)


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
        for name in sorted(_names(folder), key=lambda name: _born(folder, name)):
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


def _sweep(folder: int, name: str, home: Path | None) -> None:
    """Take a socket away behind which nobody is. One that is busy is not touched."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if stat.S_ISSOCK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
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
