"""The name by which the peer's person knows this side: the one that is set, git's user name, the system's, or `anonymous`.

What git prints is input from outside: it is bounded in time and size, and made visible before anybody sees it.
"""

import asyncio
import getpass
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from tunnel.core.text import ANONYMOUS, shown_name
from tunnel.spec.v1.constants import NAME_BYTES

GIT_SECONDS: Final = 2.0
ASK_GIT: Final = ("git", "config", "user.name")
KILL_SECONDS: Final = 0.5
"""How long the system may take to end what was killed."""

LINE_BYTES: Final = 4 * NAME_BYTES
"""A longer line is no name."""


async def first_line(command: Sequence[str] = ASK_GIT, seconds: float = GIT_SECONDS) -> bytes:
    """The first line that a command prints; nothing when it fails, is not there, or takes longer.

    The command may hang, print without end, or leave children behind that keep its output open: none of it is waited for
    any longer than `seconds`, or than it takes to cancel this.
    """
    # In a process group of its own: it can be ended with its children, and asks no terminal for anything.
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            _Output, *command, stdin=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    )
    try:
        async with asyncio.timeout(seconds):
            # Not cancelled with this: what was started must be known, or its children cannot be ended.
            await asyncio.wait([starting])
            transport, output = starting.result()
            await output.is_known
        return output.line if transport.get_returncode() == 0 else b""
    except OSError:  # a timeout is one
        return b""
    finally:
        await asyncio.wait([starting])
        if starting.exception() is None:
            await _end(*starting.result())


def system_user() -> str:
    """The name of the user at the system; empty when it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


async def display_name(
    wanted: str = "", git: Callable[[], Awaitable[bytes]] = first_line, user: Callable[[], str] = system_user
) -> str:
    """The display name, safe to show. Nobody is asked for one if there is one that is wanted."""
    if wanted.strip():
        return shown_name(wanted, NAME_BYTES)
    for found in ((await git()).decode("utf-8", "replace").strip(), user().strip()):
        if found:
            return shown_name(found, NAME_BYTES)
    return ANONYMOUS


class _Output(asyncio.SubprocessProtocol):
    """What a process prints, and when it is known what to make of it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.is_known: asyncio.Future[None] = loop.create_future()
        self.has_exited: asyncio.Future[None] = loop.create_future()
        self._printed = b""
        self._is_whole = False

    @property
    def line(self) -> bytes:
        return self._printed.partition(b"\n")[0]

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - there is one pipe
        self._printed += data[: LINE_BYTES + 1 - len(self._printed)]
        self._is_whole = b"\n" in self._printed
        self._look()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - there is one pipe
        self._is_whole = True
        self._look()

    def process_exited(self) -> None:
        self.has_exited.set_result(None)
        self._look()

    def _look(self) -> None:
        is_too_long = len(self.line) > LINE_BYTES
        if (is_too_long or (self._is_whole and self.has_exited.done())) and not self.is_known.done():
            self.is_known.set_result(None)


async def _end(transport: asyncio.SubprocessTransport, output: _Output) -> None:
    """End a process with its children, where the system has groups of them."""
    if transport.get_returncode() is None:
        with suppress(AttributeError, OSError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        # Before closing, which would take the exit status away from the event loop's own waiting.
        await asyncio.wait([output.has_exited], timeout=KILL_SECONDS)
    transport.close()
