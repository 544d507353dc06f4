"""Folders of ours below a person's home: on the way to them no symbolic link is followed, and only this user can read there."""

import errno
import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MODE: Final = 0o700


def open_folder(home: Path | None, names: Sequence[str], user: int, *, makes: bool) -> int:
    """The descriptor of a folder, which is the caller's.

    Args:
        home: where to begin.
        names: the folders on the way, ours from the first one on.
        user: to whom they must belong.
        makes: whether those that are missing are made, and their modes mended.

    Raises:
        OSError: there is none, or it cannot be trusted.
    """
    if home is None:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder; set HOME")
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    for name in names:
        with closing(folder):
            folder = _step(folder, name, user, makes=makes)
    return folder


@contextmanager
def closing(file: int) -> Generator[int]:
    """Close a descriptor at the end."""
    try:
        yield file
    finally:
        os.close(file)


def _step(folder: int, name: str, user: int, *, makes: bool) -> int:
    """The descriptor of a folder of ours in a folder."""
    if makes:
        with suppress(FileExistsError):
            os.mkdir(name, MODE, dir_fd=folder)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    try:
        found = os.fstat(inner)
        if found.st_uid != user:
            raise PermissionError(errno.EPERM, f"{name} belongs to another user")
        if makes and stat.S_IMODE(found.st_mode) != MODE:
            os.fchmod(inner, MODE)
    except OSError:
        os.close(inner)
        raise
    return inner
