"""Serves one MCP client over standard input and output; nothing but the protocol reaches standard output.

Neither a client that falls silent nor one that stops reading can hold up the event loop, which is asyncio's, or the way out.
"""

import asyncio
import fcntl
import os
import select
import stat
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Final, TypeAlias

import anyio
from anyio import from_thread
from anyio.abc import ObjectSendStream
from anyio.lowlevel import EventLoopToken, cancel_shielded_checkpoint, checkpoint_if_cancelled, current_token
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError

from tunnel.app.lines import encode, parse, split_lines

ReadStream: TypeAlias = MemoryObjectReceiveStream[SessionMessage | Exception]
WriteStream: TypeAlias = ObjectSendStream[SessionMessage]

FLUSH_SECONDS: Final = 1.0
MAX_QUEUED_ANSWERS: Final = 64
_READ_BYTES: Final = 64 * 1024  # what a pipe holds on Linux

# How a thread learns that nobody on the event loop waits for it any more.
_GONE: Final = (
    anyio.EndOfStream,
    anyio.ClosedResourceError,
    anyio.BrokenResourceError,
    anyio.RunFinishedError,
    CancelledError,
)


@asynccontextmanager
async def stdio(flush_seconds: float = FLUSH_SECONDS) -> AsyncGenerator[tuple[ReadStream, WriteStream]]:
    """Yields the two streams that `mcp.server.lowlevel.Server.run` takes.

    The first ends when standard input does, or when standard output is broken. Meanwhile descriptor 0 is
    the null device and descriptor 1 is standard error, for us and for every child. Leaving waits for queued
    answers to be written, `flush_seconds` at most, and then puts both descriptors back.
    """
    arriving, requests = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    queued, leaving = anyio.create_memory_object_stream[bytes](MAX_QUEUED_ANSWERS)
    loop = current_token()

    with _put_aside(0, _null) as stdin, _put_aside(1, _stderr) as stdout, _bell() as (bell, ring):
        # Each thread owns a copy of its descriptor: one that is stuck in a call keeps it, and harms nobody.
        reading = partial(_read, _copy(stdin), _copy(bell), arriving, queued, asyncio.get_running_loop())
        writing = partial(_write, _copy(stdout), leaving, loop)
        has_read = _in_thread("stdin", reading, [arriving.close], loop)
        has_written = _in_thread("stdout", writing, [leaving.close, arriving.close], loop)
        try:
            yield requests, _Answers(stdout, queued)
        # `Server.run`, cancelled by `Task.cancel` while a request arrives, lets its relay fail on a stream
        # that it has closed itself, and loses the cancellation. Either way, serving is over.
        except* anyio.BrokenResourceError:
            pass
        finally:
            ring()
            for stream in (requests, arriving, queued):
                stream.close()
            with anyio.move_on_after(flush_seconds, shield=True):
                await has_written.wait()
                await has_read.wait()
            leaving.close()
            # A stray print may still sit in this buffer; it must not reach the restored descriptor.
            with suppress(AttributeError, OSError, ValueError):
                sys.stdout.flush()


class _Answers(ObjectSendStream[SessionMessage]):
    """Where the server sends its answers: a short one goes into a pipe that has room, any other to the writing thread.

    Waking that thread takes longer than writing.
    """

    def __init__(self, stdout: int, queued: MemoryObjectSendStream[bytes]) -> None:
        self._stdout, self._queued = stdout, queued
        self._turn = anyio.Lock(fast_acquire=True)
        self._is_pipe = stat.S_ISFIFO(os.fstat(stdout).st_mode)

    async def send(self, item: SessionMessage) -> None:
        line = encode(item.message)
        await checkpoint_if_cancelled()
        # To queue a line takes a turn of the loop, and what is sent meanwhile must not go before it.
        async with self._turn:
            if not self._written(line):
                await self._queued.send(line)
                return
        await cancel_shielded_checkpoint()  # who sends on and on lets others run

    async def aclose(self) -> None:
        self._queued.close()

    def _written(self, line: bytes) -> bool:
        # A pipe that `select` finds writable takes so much at once and as a whole; nothing else promises that.
        if not self._is_pipe or len(line) > select.PIPE_BUF or not self._thread_is_idle():
            return False
        try:
            return bool(select.select([], [self._stdout], [], 0)[1] and os.write(self._stdout, line))
        except OSError:  # if it is broken, the thread finds that too, and ends the serving
            return False

    def _thread_is_idle(self) -> bool:
        # Otherwise something is still to be written, which goes first; or the stream is closed.
        return self._queued.statistics().tasks_waiting_receive > 0


def _read(
    fd: int,
    bell: int,
    arriving: MemoryObjectSendStream[SessionMessage],
    refusals: MemoryObjectSendStream[bytes],
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Hands over one line, and the next once that one is taken, so that a fast client is held back."""
    taken = Future[None]()
    taken.set_result(None)
    with _closing(fd, bell):
        for line in split_lines(_chunks(fd, bell)):
            message = parse(line)
            taken.result()
            match message:
                case SessionMessage():
                    taken = _soon(loop, _hand_over(message, arriving))
                case JSONRPCError():
                    taken = _soon(loop, refusals.send(encode(message)))
                case None:
                    pass
        taken.result()


def _soon(loop: asyncio.AbstractEventLoop, work: Coroutine[None, None, None]) -> Future[None]:
    try:
        return asyncio.run_coroutine_threadsafe(work, loop)
    except RuntimeError:  # the loop is closed
        work.close()
        raise anyio.RunFinishedError from None


async def _hand_over(message: SessionMessage, arriving: MemoryObjectSendStream[SessionMessage]) -> None:
    try:
        arriving.send_nowait(message)  # a turn of the loop earlier than `send`
    except anyio.WouldBlock:
        await arriving.send(message)


def _write(fd: int, leaving: MemoryObjectReceiveStream[bytes], loop: EventLoopToken) -> None:
    with _closing(fd):
        while True:
            _write_all(fd, from_thread.run(leaving.receive, token=loop))


def _chunks(fd: int, bell: int) -> Iterator[bytes]:
    """What arrives on `fd` until it ends or the bell rings."""
    while bell not in select.select([fd, bell], [], [])[0]:
        try:
            chunk = os.read(fd, _READ_BYTES)
        except BlockingIOError:  # a parent may have made it non-blocking, and share it with a faster reader
            continue
        if not chunk:
            return
        yield chunk


def _write_all(fd: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:
            select.select([], [fd], [])


def _in_thread(
    name: str, work: Callable[[], None], at_end: list[Callable[[], None]], loop: EventLoopToken
) -> anyio.Event:
    """Starts `work`; once it has ended, for whatever reason, `at_end` is done and the event is set.

    A daemon: nothing can interrupt a write to a client that does not read, and the process must still end.
    """
    ended = anyio.Event()

    def end() -> None:
        for action in at_end:
            action()
        ended.set()

    def run() -> None:
        try:
            with suppress(OSError, *_GONE):
                work()
        finally:
            with suppress(*_GONE):
                from_thread.run_sync(end, token=loop)

    threading.Thread(target=run, name=name, daemon=True).start()
    return ended


@contextmanager
def _put_aside(fd: int, open_stand_in: Callable[[], int]) -> Generator[int]:
    """Puts a stand-in where `fd` was, and what was there back at the end; yields its private copy."""
    kept = _copy(fd)
    try:
        stand_in = open_stand_in()
        os.dup2(stand_in, fd)
        os.close(stand_in)
        yield kept
    finally:
        os.dup2(kept, fd)
        os.close(kept)


@contextmanager
def _bell() -> Generator[tuple[int, Callable[[], None]]]:
    """A descriptor that becomes readable for good when rung: it wakes a thread that waits for input."""
    bell, rope = os.pipe()
    try:
        yield bell, lambda: _write_all(rope, b"!")
    finally:
        os.close(bell)
        os.close(rope)


@contextmanager
def _closing(*fds: int) -> Generator[None]:
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)


def _copy(fd: int) -> int:
    # From 3 on, so that it never becomes a standard stream; closed on exec, so that no child holds it.
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)


def _null() -> int:
    return os.open(os.devnull, os.O_RDONLY)


def _stderr() -> int:
    try:
        return _copy(2)
    except OSError:  # started without standard error
        return os.open(os.devnull, os.O_WRONLY)
