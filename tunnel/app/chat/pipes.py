"""A person, or a script, without a terminal: lines in, lines out. What is said and heard is all that standard output gets."""

import asyncio
import os
import select
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from tunnel.app.chat import show
from tunnel.app.chat.lines import Lines
from tunnel.app.listening import HeardMessage
from tunnel.app.results import Status
from tunnel.core import link
from tunnel.core.link import JoinLink
from tunnel.errors import NetworkFault, TheirFault
from tunnel.spec.v1.constants import TEXT_BYTES


class NoLinkError(TheirFault):
    """Standard input ended before there was a link."""


class NoReaderError(NetworkFault):
    """Nobody reads standard output any more."""


class Pipes:
    """Descriptors, of which either may be a terminal.

    Args:
        stdin: where lines come from; the first one is the link, for a guest.
        stdout: where messages go.
        report: says our own sentences to the person.
    """

    is_piped: ClassVar[bool] = True

    def __init__(self, stdin: int, stdout: int, report: Callable[[str], None]) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._report = report
        # Of a line that is too long, one byte too many is kept: then whoever is to say it says that it is too long.
        self._lines = Lines(stdin, TEXT_BYTES + 1)

    async def link(self) -> JoinLink:
        """The link in the first line.

        Raises:
            BadLink: it is none.
            NoLinkError: there is no line.
        """
        with _hidden(self._stdin) as is_hidden:
            if is_hidden:
                self._report("Paste the join link, which is not shown, and press Enter.")
            line = await self._lines.next()
        if line is None:
            raise NoLinkError(
                "There is no join link: the first line of standard input must be one. Nothing was joined."
            )
        return link.parse(line.decode("utf-8", "replace"))

    def tell(self, text: str) -> None:
        """Say something to the person, beside what is said and heard."""
        self._report(text)

    async def show(self, messages: Sequence[HeardMessage], peer: str) -> None:  # noqa: ARG002 - a name may be anything
        """Write messages, a line each.

        Raises:
            NoReaderError: nobody reads them.
        """
        text = "".join(f"{show.in_a_line(message)}\n" for message in messages)
        try:
            # In a thread: whoever does not read holds up its own messages, and not the tunnel.
            await asyncio.to_thread(_write, self._stdout, text.encode("utf-8", "replace"))
        except OSError:
            raise NoReaderError("Nobody reads standard output any more, so the tunnel was left.") from None

    async def begin(self, look: Callable[[], Status], said: Callable[[], int]) -> None:
        """There is no line in which to show how things stand."""

    async def line(self) -> str | None:
        """The next text: a line, or several that end with a backslash, but for the last. None at the end."""
        text = b""
        while (line := await self._lines.next()) is not None:
            line = line.removesuffix(b"\r")
            text += line[: TEXT_BYTES + 1 - len(text)]
            if not _goes_on(line):
                break
            text = text[:-1] + b"\n"
        if line is None and not text:
            return None
        # What is no UTF-8 becomes half of a surrogate pair, and is refused with a reason and not changed.
        return text.decode("utf-8", "surrogateescape")

    def stop(self) -> str:
        """Take no more lines; what was read and not taken, in a sentence."""
        self._lines.stop()
        return "Not sent: what else was on standard input." if self._lines.has_more else ""

    async def close(self) -> None:
        """There is nothing to give back."""


def _goes_on(line: bytes) -> bool:
    """Whether a line ends with a backslash that does not belong to another one."""
    return (len(line) - len(line.rstrip(b"\\"))) % 2 == 1


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:
            select.select([], [fd], [])


@contextmanager
def _hidden(fd: int) -> Generator[bool]:
    """Show nothing of what is typed, if it is typed at a terminal."""
    if not os.isatty(fd):
        yield False
        return
    import termios

    before = termios.tcgetattr(fd)
    without = termios.tcgetattr(fd)
    without[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSADRAIN, without)
    try:
        yield True
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
