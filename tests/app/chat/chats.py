"""People who chat: on a terminal, which is a real one, or by pipes; each is a process of its own."""

import asyncio
import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pyte

from tests.app.processes import COMMAND, PATIENCE_SECONDS, environment

_TAKE_IT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""What a login does: the terminal becomes the process' own."""

LINK = re.compile(r"ws://[0-9.:]+/t/[0-9a-f]+#[A-Za-z0-9_-]{43}")


class Person:
    """Somebody at a terminal."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int, columns: int, rows: int) -> None:
        self.process = process
        self.raw = b""
        """What the terminal got so far."""
        self._terminal = terminal
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def shown(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display) + "\n"

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    @property
    def is_cooked(self) -> bool:
        """Whether the terminal shows and edits what is typed by itself, as it does before and after."""
        modes = termios.tcgetattr(self._terminal)[3]
        return bool(modes & termios.ECHO and modes & termios.ICANON)

    async def until(self, text: str, keys: str = "") -> None:
        """Wait until a text stands on the screen, and type these keys until then: what was said is loaded when a line is drawn."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while text not in self.shown:
                    if keys:
                        self.type(keys)
                    await self._look()
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in\n{self.shown}") from None

    async def link(self) -> str:
        """The join link that is shown."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            # A narrow screen breaks it.
            while not (found := LINK.search(self.raw.decode())):
                await self._look()
        return found[0]

    async def ended(self) -> int:
        """Its exit status."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.process.returncode is None:
                await self._look()
        await self._look()
        return self.process.returncode

    async def _look(self) -> None:
        # Without anybody on its other side, a terminal is an error to read.
        with suppress(OSError):
            while piece := os.read(self._terminal, 65_536):
                self.raw += piece
                self._stream.feed(piece)
        await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        """The terminal goes away."""
        os.close(self._terminal)
        self._terminal = -1

    @property
    def has_hung_up(self) -> bool:
        return self._terminal < 0


@asynccontextmanager
async def at_a_terminal(
    *arguments: str, columns: int = 200, rows: int = 60, **variables: str
) -> AsyncGenerator[Person]:
    """`tunnel-mcp chat` with these arguments, on a terminal of its own."""
    screen, own = os.openpty()
    os.set_blocking(screen, False)
    fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _TAKE_IT, *COMMAND, "chat", *arguments),
            stdin=own,
            stdout=own,
            stderr=own,
            env=environment(**{"TERM": "xterm-256color", **variables}),
            start_new_session=True,
        )
    finally:
        os.close(own)
    person = Person(process, screen, columns, rows)
    try:
        yield person
    finally:
        if process.returncode is None:
            process.kill()
        if not person.has_hung_up:
            os.close(screen)
        await process.wait()


class Script:
    """Somebody without a terminal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.process = process
        self.errors = ""
        """What stood on standard error so far."""
        self.stdin, self.stdout, self._stderr = process.stdin, process.stdout, process.stderr

    def say(self, *lines: str) -> None:
        self.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def hear(self) -> str:
        """The next line of standard output; empty at its end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.stdout.readline()).decode().removesuffix("\n")

    async def link(self) -> str:
        """The join link on standard error."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := LINK.search(self.errors)):
                self.errors += (await self._stderr.readline()).decode()
        return found[0]

    async def ended(self) -> tuple[int, list[str]]:
        """Its exit status, and what is left of its output."""
        self.stdin.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await asyncio.gather(self.stdout.read(), self._stderr.read())
            status = await self.process.wait()
        self.errors += errors.decode()
        return status, output.decode().splitlines()


@asynccontextmanager
async def by_pipes(*arguments: str, **variables: str) -> AsyncGenerator[Script]:
    """`tunnel-mcp chat` with these arguments, without a terminal."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "chat", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**variables),
    )
    script = Script(process)
    try:
        yield script
    finally:
        if process.returncode is None:
            process.kill()
        script.stdin.close()
        await asyncio.gather(script.stdout.read(), script._stderr.read(), process.wait())
