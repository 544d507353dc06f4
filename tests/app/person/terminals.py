"""A person's terminal: a command that runs on one, and what is typed there."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.app.processes import COMMAND, PATIENCE_SECONDS, environment

_TAKE_IT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""What a login does: the terminal becomes the process' own."""


@contextmanager
def another_client() -> Generator[tuple[str, ...]]:
    """What stands before a server's command so that its client is not the tester, from whom a person's commands come.

    It is a program of its own: through a shell, a client starts servers too.
    """
    with TemporaryDirectory() as folder:
        client = shutil.copy(Path(shutil.which("sh") or "sh").resolve(), Path(folder, "client"))
        yield str(client), "-c", '"$@"; exit "$?"', "client"


class Running:
    """A command on a terminal."""

    def __init__(self, process: asyncio.subprocess.Process, screen: int) -> None:
        self.process = process
        self.shown = ""
        """What stood on the terminal so far."""
        self._screen = screen

    def type(self, text: str) -> None:
        os.write(self._screen, (text + "\n").encode())

    async def until(self, pattern: str) -> str:
        """What the terminal shows that fits, as soon as it does."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(pattern, self.shown)):
                self._look()
                await asyncio.sleep(0.02)
        return found[1] if found.groups() else found[0]

    async def ended(self) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await self.process.communicate()
        self._look()
        assert self.process.returncode is not None
        return self.process.returncode, output.decode(), errors.decode()

    def _look(self) -> None:
        # Without anybody on its other side, a terminal is an error to read.
        with suppress(OSError):
            while piece := os.read(self._screen, 4096):
                self.shown += piece.decode("utf-8", "replace")


@asynccontextmanager
async def on_a_terminal(*arguments: str, prefix: Sequence[str] = (), **variables: str) -> AsyncGenerator[Running]:
    """`tunnel-mcp` with these arguments, by a person at a terminal; its output goes elsewhere."""
    screen, own = os.openpty()
    os.set_blocking(screen, False)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _TAKE_IT, *prefix, *COMMAND, *arguments),
            stdin=own,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(**variables),
            start_new_session=True,
        )
    finally:
        os.close(own)
    try:
        yield Running(process, screen)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        os.close(screen)


async def without_a_terminal(*arguments: str, **variables: str) -> tuple[int, str, str]:
    """The same as an agent's tool would run it."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**variables),
        start_new_session=True,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()
