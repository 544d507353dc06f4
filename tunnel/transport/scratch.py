"""A folder for one download: it goes when its user is done, and if its process was killed, with the next use of a tunnel.

A lock in it tells the living from the dead: the system lets go of it when a process ends, however it ends.
"""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

ATTEMPTS: Final = 10
"""So often a folder is made anew when somebody sweeps it before it is locked."""

_PREFIX: Final = ".download-"
_LOCK: Final = "lock"


@contextmanager
def scratch(parent: Path, attempts: int = ATTEMPTS) -> Generator[Path]:
    """A new folder that nobody sweeps while it is used, on the file system of its parent.

    Raises:
        OSError: it cannot be made.
    """
    folder, lock = _made(parent, attempts)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def sweep(parent: Path) -> None:
    """Remove what killed processes have left; what cannot be removed stays."""
    for leftover in parent.glob(f"{_PREFIX}*"):
        # What a link leads to is not ours.
        with suppress(OSError):
            if leftover.is_symlink():
                continue
            lock = _locked(leftover)
            _remove(leftover)
            os.close(lock)


def _made(parent: Path, attempts: int) -> tuple[Path, int]:
    for _ in range(attempts):
        folder = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            return folder, _locked(folder)
        except (FileNotFoundError, BlockingIOError):
            continue
        except OSError:
            _remove(folder)
            raise
    raise FileNotFoundError(errno.ENOENT, "what is made there is removed at once", str(parent))


def _locked(folder: Path) -> int:
    """The lock of a folder, which is ours.

    Raises:
        BlockingIOError: somebody else has it.
        FileNotFoundError: somebody else has removed it meanwhile.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A lock on a file that has been removed keeps nobody out.
        _check_still_there(lock, folder)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _check_still_there(lock: int, folder: Path) -> None:
    if not os.fstat(lock).st_nlink:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
