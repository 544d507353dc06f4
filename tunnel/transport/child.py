"""A program that runs for a transport, and ends with this process whatever ends it (CLOSE-2): a guard stands between them.

If the guard is killed, its watcher and this process end the program. If all three are killed at once, Linux still ends
the program itself, though not what it has started in its turn.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from tunnel.core.text import visible
from tunnel.transport.base import TransportError
from tunnel.transport.output import LINE_BYTES, Output

__all__ = ["LINE_BYTES", "Child"]

GRACE_SECONDS: Final = 0.7
"""How long a program may take to end when it is asked."""

LONGEST_SECONDS: Final = 1.0
"""After so long a guard that has not done it is killed."""

SETTLING_SECONDS: Final = 0.3
"""How long processes may take to be gone once they are killed."""

START_SECONDS: Final = 10.0
"""A program that takes longer to be executed stands on a disk that does not answer."""

_GUARD: Final = Path(__file__).with_name("guard.py")
_READ_BYTES: Final = 16_384
_LONGEST_NEWS_BYTES: Final = 4096
_PIPE_BYTES: Final = 1 << 20
"""No pipe holds more."""

_POLL_SECONDS: Final = 0.005
_SHOWN_BYTES: Final = 100
_KILL: Final = 9  # `signal.SIGKILL`, which Windows does not know


class Child:
    """A program that runs for a transport, and ends with this process whatever ends it (CLOSE-2)."""

    def __init__(self, guard: subprocess.Popen[bytes], lifeline: socket.socket, pipe: FileIO) -> None:
        self._loop = asyncio.get_running_loop()
        self._guard = guard
        self._lifeline = lifeline
        self._pipe = pipe
        self._output = Output()
        self._heard = b""
        self._group: int | None = None
        self._status: int | None = None
        self._trouble = "its guard was ended"
        self._is_asked = False
        self._has_news = asyncio.Event()
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(lifeline, self._hear)
        self._loop.add_reader(pipe, self._read)

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], seconds: float = START_SECONDS
    ) -> "Child":
        """Start a program: without input, without a terminal, and without any file of ours.

        Args:
            command: its name or path, and its arguments.
            environment: all of its environment; its name is looked up in this PATH.
            seconds: how long it may take.

        Raises:
            TransportError: it cannot be started; the text says why and what to do.
        """
        child = cls(*_spawn(command, environment))
        try:
            async with asyncio.timeout(seconds):
                await child._begun
        except BaseException as error:
            await child.stop()
            if isinstance(error, TimeoutError):
                raise _not_started(command, f"nothing happens for {seconds:g} s") from None
            raise
        if child._group is None:
            await child.stop()
            raise _not_started(command, child._trouble)
        return child

    @property
    def exited(self) -> "asyncio.Future[int]":
        """Done with the exit status, negative for a signal, when it has ended for whatever reason."""
        return self._exited

    async def lines(self) -> AsyncIterator[str]:
        """What it writes on stdout and stderr, line by line, visible, cut at LINE_BYTES, until it has ended.

        It is for one reader at a time. Of what nobody reads, the oldest is dropped: the program never waits for us.
        """
        while True:
            while (line := self._output.next()) is not None:
                yield visible(line.decode("utf-8", "replace"), LINE_BYTES)
            if self._gone.done():
                return
            self._has_news.clear()
            await self._has_news.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it a moment later: when this returns nothing of its process group is left.

        It can be called at any time, and more than once. It goes on when its caller is cancelled.
        """
        self._ask()
        await asyncio.wait([self._gone])

    # --- From the event loop -----------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """The guard says something, or is gone."""
        try:
            heard = self._lifeline.recv(_LONGEST_NEWS_BYTES)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._lose_guard()
            return
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            what, _, number = line.partition(b" ")
            match what:
                case b"started":
                    self._group = int(number)
                    self._tell_begun()
                case b"failed":
                    self._trouble = os.strerror(int(number))
                case _:
                    self._status = int(number)

    def _read(self) -> None:
        """The program has written something, or everybody has closed its output."""
        data = self._pipe.read(_READ_BYTES)
        if data:
            self._output.feed(data)
            self._has_news.set()
        elif data is not None:
            self._loop.remove_reader(self._pipe)

    # --- The end -----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        if not self._is_asked and not self._gone.done():
            self._is_asked = True
            # The guard may be gone already.
            with suppress(OSError):
                self._lifeline.shutdown(socket.SHUT_WR)
            self._loop.call_later(LONGEST_SECONDS, self._guard.kill)

    def _lose_guard(self) -> None:
        self._loop.remove_reader(self._lifeline)
        self._lifeline.close()
        self._guard.kill()
        self._settle(self._loop.time() + SETTLING_SECONDS)

    def _settle(self, latest: float) -> None:
        """Wait until everybody is gone. No event tells us of it, and a thread that waits would outlive the loop."""
        is_left = self._guard.poll() is None
        # A guard that has told its status has seen the group gone, and its number may be another's by now.
        if self._group is not None and self._status is None:
            is_left |= _kill(self._group)
        if is_left and self._loop.time() < latest:
            self._loop.call_later(_POLL_SECONDS, self._settle, latest)
        else:
            self._finish()

    def _finish(self) -> None:
        self._loop.remove_reader(self._pipe)
        self._output.feed(self._pipe.read(_PIPE_BYTES) or b"")
        self._pipe.close()
        self._output.end()
        self._gone.set_result(None)
        self._has_news.set()
        self._tell_begun()
        if not self._exited.done():
            self._exited.set_result(-_KILL if self._status is None else self._status)

    def _tell_begun(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)


def _spawn(
    command: Sequence[str], environment: Mapping[str, str], platform: str = sys.platform
) -> tuple["subprocess.Popen[bytes]", socket.socket, FileIO]:
    """The guard, our end of its lifeline, and our end of the program's output."""
    if platform == "win32":
        raise TransportError(
            "No program can be run for a tunnel on Windows yet. Open the tunnel on Linux or macOS, or in WSL."
        )
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            lifeline, guards = socket.socketpair()
            ours.enter_context(lifeline)
            theirs.enter_context(guards)
            reading, writing = os.pipe()
            pipe = ours.enter_context(FileIO(reading))
            outlet = theirs.enter_context(FileIO(writing, "w"))
            guard = subprocess.Popen(  # noqa: S603 - words, and no shell
                [sys.executable, "-I", "-S", str(_GUARD), str(guards.fileno()), str(GRACE_SECONDS), *command],
                stdin=subprocess.DEVNULL,
                stdout=outlet,
                stderr=outlet,
                env=environment,
                pass_fds=[guards.fileno()],
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise _not_started(command, str(error)) from None
        os.set_blocking(lifeline.fileno(), False)
        os.set_blocking(reading, False)
        ours.pop_all()
    return guard, lifeline, pipe


def _kill(group: int) -> bool:
    """Whether there was somebody left to kill. On macOS the dead that nobody has buried may not be signalled."""
    try:
        os.killpg(group, _KILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _not_started(command: Sequence[str], reason: str) -> TransportError:
    return TransportError(
        f"The program {visible(command[0], _SHOWN_BYTES)} cannot be started ({visible(reason, _SHOWN_BYTES)}). "
        "Check that it is installed, and that you may run it."
    )
