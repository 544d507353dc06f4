"""Runs an implementation, whatever it does: what it says is bounded, and how it fails is named; at the end nothing of it is left.

A guard stands between it and the kit. It ends everything that the implementation has started, daemons included, also when
the kit itself is killed. POSIX only.
"""

import asyncio
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import psutil

from tunnel_conformance.subjects.base import Absent, Babbled, Died, SubjectFault
from tunnel_conformance.subjects.shown import Tail, shown

LINE_BYTES: Final = 1024 * 1024
"""The longest line on stdout while nobody waits for a long one."""

LONG_LINE_BYTES: Final = 40 * 1024 * 1024
"""The longest one at all. A backlog of HOST_FRAME_BYTES may come back twice in one answer: as text and structured."""

MARK: Final = "TUNNEL_CONFORMANCE_RUN"
"""Everybody whom the implementation starts has this variable in its environment, unless it takes it out."""

START_SECONDS: Final = 15.0
"""A program that takes longer to be executed stands on a disk that does not answer."""

GRACE_SECONDS: Final = 0.5
"""How long an implementation may take to end when it is no more needed; a verdict has other times."""

_GUARD: Final = Path(__file__).with_name("guard.py")
_ENDING_SECONDS: Final = 6.0
"""After so long a guard that has not done it is killed."""

_LAST_WORDS_SECONDS: Final = 0.3
"""How long what was written before the end may take to arrive."""

_CLOSED_SECONDS: Final = 1.0
"""How long a process may live on with a closed stdout before that counts as all that comes."""

_SWEEPS: Final = 5
_DYING_SECONDS: Final = 0.5
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_LONGEST_NEWS_BYTES: Final = 4096

_ADVICE: Final = {
    2: "no such program: check its name, and that it is on PATH",
    8: "the system cannot execute it: a script needs a first line such as '#!/usr/bin/env node'",
    13: "it may not be executed: check that it is a program, and its permissions",
}


class Listener(Protocol):
    """Who is told what a process does."""

    def line(self, line: bytes) -> None:
        """It has written this line on stdout; its line break is left out."""
        ...

    def fault(self, fault: SubjectFault) -> None:
        """Nothing more can come of it. This is called once at most, and not when it is ended by us."""
        ...


class Process:
    """One process of an implementation, with everything that it starts.

    Args:
        guard: the program that stands between it and us.
    """

    def __init__(self, guard: Path = _GUARD) -> None:
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._listener: Listener | None = None
        self._pipes = _Pipes(self)
        self._transport: asyncio.SubprocessTransport | None = None
        self._lifeline: socket.socket | None = None
        self._mark = ""
        self._leaves: Path | None = None
        self._tail = Tail()
        self._news = b""
        self.line_bytes = LINE_BYTES
        """The longest line that it may write now."""
        self._line = bytearray()
        self._open_pipes = {_STDOUT, _STDERR}
        self._timers: list[asyncio.TimerHandle] = []
        self._group: int | None = None
        self._trouble = "nothing happens"
        self._is_over = False
        self._is_asked = False
        self._begun = asyncio.Event()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._is_clean = False
        """The guard has said that nobody is left."""

    async def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        listener: Listener,
        leaves: Path | None = None,
    ) -> None:
        """Start a program, once.

        Args:
            command: its name or path, and its arguments; no shell reads them.
            environment: all of its environment, MARK included; its name is looked up in this PATH.
            folder: where it runs.
            listener: is told what it does.
            leaves: a folder that is to be removed when all is over, also when the kit is killed before it can do that.

        Raises:
            Absent: it cannot be started; the text says why.
        """
        if not command:
            raise Absent("No command was given: name the program behind '--'.")
        self._listener = listener
        self._mark = environment.get(MARK, "")
        self._leaves = leaves
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._spawn(command, environment, folder)
                await self._begun.wait()
        except BaseException as error:
            await self.end()
            if isinstance(error, (OSError, ValueError)):
                reason = "nothing happens" if isinstance(error, TimeoutError) else str(error)
                raise _absent(command, reason) from None
            raise
        if self._group is None:
            await self.end()
            raise _absent(command, self._trouble)

    @property
    def pid(self) -> int:
        """Its number; it is also that of its process group."""
        assert self._group is not None
        return self._group

    @property
    def tail(self) -> str:
        """What it wrote last on stderr, visible, bounded, without keys."""
        return self._tail.text

    def note(self, text: str) -> None:
        """Put a remark of the kit where the tail is."""
        self._tail.feed(f"[kit: {text}]\n".encode())

    def write(self, data: bytes) -> None:
        """Give it this on stdin. It takes no time; a program that does not read is noticed by what it does not answer."""
        if self._transport and (stdin := self._transport.get_pipe_transport(_STDIN)):
            assert isinstance(stdin, asyncio.WriteTransport)
            if not stdin.is_closing():
                stdin.write(data)

    def family(self) -> list[int]:
        """The numbers of all processes that the implementation consists of."""
        return [process.pid for process in self._family()]

    async def stop(self, seconds: float) -> int | None:
        """Ask its process group to end (SIGTERM); its exit status, or None when it has not ended in time."""
        self._is_asked = True
        self._tell_guard(b"t")
        await asyncio.wait([self._ended], timeout=seconds)
        return self._ended.result() if self._ended.done() else None

    async def end(self) -> None:
        """End it and everything that it has started; when this returns nothing is left.

        It can be called at any time, and more than once. When its caller is cancelled, it goes on without grace.
        """
        self._is_over = True
        self._cancel_timers()
        ending = asyncio.ensure_future(self._end())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as error:
                cancelled = error
                self._kill_family()
        ending.result()
        if cancelled:
            raise cancelled

    # --- The start ---------------------------------------------------------------------------------------------------

    async def _spawn(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        told = _packed(environment)
        self._lifeline, guards = socket.socketpair()
        with guards:
            self._lifeline.setblocking(False)  # noqa: FBT003 - it takes no name
            leaves = str(self._leaves.absolute()) if self._leaves else ""
            words = [sys.executable, "-I", "-S", str(self._guard), str(guards.fileno()), str(GRACE_SECONDS), leaves]
            # Kept before anything can be cancelled: who is started is ended.
            self._transport, _ = await self._loop.subprocess_exec(
                lambda: self._pipes,
                *words,
                *command,
                cwd=folder,
                pass_fds=[guards.fileno()],
                start_new_session=True,
            )
        if self._begun.is_set():  # the guard is gone already, and that was told
            return
        self._loop.add_reader(self._lifeline, self._hear)
        with suppress(ConnectionError):
            await self._loop.sock_sendall(self._lifeline, told)

    # --- From the event loop -----------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """The guard says something, or is gone."""
        assert self._lifeline is not None
        try:
            heard = self._lifeline.recv(_LONGEST_NEWS_BYTES)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self.lose_guard()
            return
        *lines, self._news = (self._news + heard).split(b"\n")
        for line in lines:
            what, _, number = line.partition(b" ")
            match what:
                case b"started":
                    self._group = int(number)
                    self._begun.set()
                case b"failed":
                    self._trouble = _ADVICE.get(int(number), os.strerror(int(number)))
                    self._begun.set()
                case b"ended":
                    self._end_with(int(number))
                case _:
                    self._is_clean = True

    def guard_exited(self) -> None:
        """What it said last is still to be read."""
        while self._lifeline and select.select([self._lifeline], [], [], 0)[0]:
            self._hear()
        self.lose_guard()

    def lose_guard(self) -> None:
        """The guard is gone, whoever ended it."""
        self._close_lifeline()
        self._begun.set()
        self._end_with(-signal.SIGKILL)

    def received(self, stream: int, data: bytes) -> None:
        """It has written something."""
        if stream == _STDERR:
            self._tail.feed(data)
        elif not self._is_over:
            self._take(data)

    def lost(self, stream: int) -> None:
        """Everybody has closed one of its streams."""
        self._open_pipes.discard(stream)
        if stream == _STDOUT and not self._ended.done():
            self._later(_CLOSED_SECONDS, self._give_up_on_stdout)
        self._look()

    def _take(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._line += line
            self._bound_line()
            whole = bytes(self._line)
            self._line.clear()
            if self._listener and not self._is_over:
                self._listener.line(whole)
        self._line += rest
        self._bound_line()

    def _bound_line(self) -> None:
        if len(self._line) > self.line_bytes:
            begins = shown(self._line[:400].decode("utf-8", "replace"), 80)
            self.fail(Babbled, f"It wrote a line of more than {self.line_bytes} bytes on stdout; it begins '{begins}'.")

    def _end_with(self, status: int) -> None:
        if not self._ended.done():
            self._ended.set_result(status)
            self._later(_LAST_WORDS_SECONDS, self._die)
            self._look()

    def _look(self) -> None:
        if self._ended.done() and not self._open_pipes:
            self._die()

    def _die(self) -> None:
        how = _ending(self._ended.result())
        self.fail(Died, f"Its process {how} after it was asked to end." if self._is_asked else f"Its process {how}.")

    def _give_up_on_stdout(self) -> None:
        if not self._ended.done():
            self.fail(Babbled, "It closed its stdout and runs on: no answer can come any more.")

    def fail(self, kind: type[SubjectFault], text: str) -> None:
        """Nothing more is taken from it."""
        if self._is_over:
            return
        self._is_over = True
        self._line.clear()
        self._cancel_timers()
        if self._transport and (stdout := self._transport.get_pipe_transport(_STDOUT)):
            assert isinstance(stdout, asyncio.ReadTransport)
            stdout.pause_reading()
        if self._listener:
            self._listener.fault(kind(text, self.tail))

    # --- The end -----------------------------------------------------------------------------------------------------

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        if not self._is_over:
            self._timers.append(self._loop.call_later(seconds, do))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    async def _end(self) -> None:
        if self._transport:
            if stdin := self._transport.get_pipe_transport(_STDIN):
                stdin.close()
            if self._lifeline:
                with suppress(OSError):
                    self._lifeline.shutdown(socket.SHUT_WR)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pipes.exited.wait(), _ENDING_SECONDS)
            # On Linux nobody leaves the guard's family, and it has seen the last one go.
            if not self._is_clean or sys.platform != "linux":
                self._kill_family()
            self._transport.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pipes.closed.wait(), _ENDING_SECONDS)
        self._close_lifeline()

    def _tell_guard(self, what: bytes) -> None:
        if self._lifeline:
            with suppress(OSError):
                self._lifeline.send(what)

    def _kill_family(self) -> None:
        """End everybody at once."""
        for _ in range(_SWEEPS):
            if not (family := self._family()):
                break
            for process in family:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(family, _DYING_SECONDS)

    def _close_lifeline(self) -> None:
        if self._lifeline:
            self._loop.remove_reader(self._lifeline)
            self._lifeline.close()
            self._lifeline = None

    def _family(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        if self._transport and self._transport.get_returncode() is None:
            with suppress(psutil.Error):
                children = psutil.Process(self._transport.get_pid()).children(recursive=True)
                found |= {child.pid: child for child in children}
        # Who has left the family, where the system or somebody who killed the guard has made that possible.
        found |= {process.pid: process for process in _marked(self._mark)}
        return list(found.values())


class _Pipes(asyncio.SubprocessProtocol):
    """Passes on what the event loop says of the program's streams."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        self._process.received(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - how it broke says nothing
        self._process.lost(fd)

    def process_exited(self) -> None:
        self.exited.set()
        self._process.guard_exited()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it broke says nothing
        self.closed.set()


def _marked(mark: str) -> list[psutil.Process]:
    """Every process that has the mark in its environment."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter() if mark else ():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def _packed(environment: Mapping[str, str]) -> bytes:
    """The environment as the guard reads it.

    Raises:
        ValueError: it cannot be one.
    """
    packed = b""
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise ValueError(f"'{shown(name, 40)}' cannot be a variable of its environment, or its value cannot be one")
        packed += os.fsencode(f"{name}={value}") + b"\0"
    return packed + b"\0"


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"


def _absent(command: Sequence[str], reason: str) -> Absent:
    name = shown(command[0], 100) if command else ""
    return Absent(f"The command '{name}' cannot be started: {shown(reason)}.")
