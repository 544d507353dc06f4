"""A log of a session on disk, for the life of the session: what was on the wire, and never the key or the link.

It is off unless its person wants it. A log that cannot be kept costs a line on standard error, and never the tunnel.
"""

import asyncio
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from tunnel.app.folder import closing, open_folder
from tunnel.core.transcript import Transcript
from tunnel.io.driver import Driver

FOLDERS: Final = (".tunnel", "sessions")
"""Where logs are, below the home folder."""

SWEPT_AT_ONCE: Final = 1000
"""So many entries of the folder one start looks at."""

NAP_SECONDS: Final = 0.005
NAPS: Final = 10
"""So often a new log waits so long for the sweep of another process to end: everything else of ours waits with it."""

_OURS: Final = re.compile(r"[0-9a-f]+(-2)?\.jsonl")
_FILE: Final = 0o600


class Log:
    """The log of one session. A file that is locked is alive: nobody else takes it away.

    Args:
        folder: the descriptor of the folder, which is the log's from now on.
        name: the file's.
        file: its descriptor, with its lock.
        driver: tells when messages have come.
        transcript: what is logged.
        complain: is told why it cannot go on.
    """

    def __init__(
        self,
        folder: int,
        name: str,
        file: int,
        driver: Driver,
        transcript: Transcript,
        complain: Callable[[OSError], None],
    ) -> None:
        self._folder = folder
        self._name = name
        self._file = file
        self._driver = driver
        self._transcript = transcript
        self._complain = complain
        self._written = 0
        self._has_ended = False
        self._following = asyncio.get_running_loop().create_task(self._follow())

    def end(self) -> None:
        """Take the file away: the session is over."""
        if self._has_ended:
            return
        self._has_ended = True
        self._following.cancel()
        with suppress(OSError):
            _remove(self._folder, self._name, self._file)
        os.close(self._file)
        os.close(self._folder)

    async def _follow(self) -> None:
        """Beside the driver and not in it: neither time nor trouble of a disk is a matter of the tunnel's."""
        try:
            while self._driver.cause is None:
                self._catch_up()
                await self._driver.changed()
        except OSError as error:
            self.end()
            self._complain(error)

    def _catch_up(self) -> None:
        for message in self._transcript.after(self._written):
            line = memoryview(msgspec.json.encode(message) + b"\n")
            while line:
                line = line[os.write(self._file, line) :]
            self._written = message.seq


class Logs:
    """The logs of one person's sessions.

    Args:
        home: the person's home folder; None when there is none.
        report: says something to the person.
        user: whose files are touched; whoever runs this when it is left out.
        nap: waits for so many seconds.
    """

    def __init__(
        self,
        home: Path | None,
        report: Callable[[str], None],
        user: int | None = None,
        nap: Callable[[float], None] = time.sleep,
    ) -> None:
        self._home = home
        self._report = report
        self._user = os.geteuid() if user is None else user
        self._nap = nap

    def begin(self, tunnel_id: str, driver: Driver, transcript: Transcript) -> Log | None:
        """Keep a log from now on, with what was said before; None, and a word to the person, when that cannot be."""
        try:
            folder = self._folder(makes=True)
        except OSError as error:
            self._complain(error)
            return None
        try:
            name, file = _create(folder, tunnel_id, self._nap)
        except OSError as error:
            os.close(folder)
            self._complain(error)
            return None
        return Log(folder, name, file, driver, transcript, self._complain)

    def sweep(self) -> None:
        """Take away logs that processes have left behind which could not do it themselves. Nothing else is touched."""
        with suppress(OSError), closing(self._folder(makes=False)) as folder, _locked(folder, fcntl.LOCK_EX):
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, SWEPT_AT_ONCE) if _OURS.fullmatch(entry.name)]
            for name in names:
                with suppress(OSError):
                    self._sweep(folder, name)

    def _folder(self, *, makes: bool) -> int:
        return open_folder(self._home, FOLDERS, self._user, makes=makes)

    def _sweep(self, folder: int, name: str) -> None:
        """Take a log away whose process is gone: a plain file as we write them, whose lock is free."""
        # A named pipe would hold us up.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with closing(file):
            found = os.fstat(file)
            # Released programs write logs without a lock: theirs are readable for others, and may be alive.
            if stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == _FILE and found.st_uid == self._user:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder, name, file)

    def _complain(self, error: OSError) -> None:
        self._report(
            f"tunnel-mcp: no log of this session is kept ({error.strerror}). The tunnel works without. "
            f"Mend ~/{'/'.join(FOLDERS)}, or unset TUNNEL_SESSION_LOG."
        )


def _create(folder: int, tunnel_id: str, nap: Callable[[float], None]) -> tuple[str, int]:
    """A file that was not there before, with its lock. Host and guest may be on one machine, so there are two names."""
    # Until the file has its lock, a sweep would take it for one that was left behind.
    with _locked(folder, fcntl.LOCK_SH, nap):
        with suppress(FileExistsError):
            return _new(folder, f"{tunnel_id}.jsonl")
        return _new(folder, f"{tunnel_id}-2.jsonl")


def _new(folder: int, name: str) -> tuple[str, int]:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    file = os.open(name, flags, _FILE, dir_fd=folder)
    with ExitStack() as undoing:
        undoing.callback(os.close, file)
        undoing.callback(_remove, folder, name, file)
        # On a file system without locks nobody could tell that this one is alive.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        undoing.pop_all()
    return name, file


def _remove(folder: int, name: str, file: int) -> None:
    """Take this very file away; another one that has its name by now is left alone."""
    if os.path.samestat(os.fstat(file), os.stat(name, dir_fd=folder, follow_symlinks=False)):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _locked(folder: int, how: int, nap: Callable[[float], None] | None = None) -> Generator[None]:
    """Nobody is waited for, or a few naps only: a process that has the folder may be stopped."""
    naps = [nap] * NAPS if nap else []
    while True:
        try:
            fcntl.flock(folder, how | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if not naps:
                raise
            naps.pop()(NAP_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)
