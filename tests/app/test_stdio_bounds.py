"""The hand-over between the threads of stdio and the event loop: who waits for whom, and that nobody waits for ever."""

import asyncio
import fcntl
import os
import select
import socket
import sys
import termios
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest, JSONRPCResponse

from tests.io.asynchronous import asynchronous, until
from tunnel.app.lines import encode
from tunnel.app.stdio import MAX_QUEUED_ANSWERS, ReadStream, WriteStream, _Answers, _put_aside, _read, stdio

FOREVER_SECONDS = 3600.0  # where leaving must have nothing to wait for
IN_FLIGHT = 2  # one line that waits to be taken, and the next one
LINES = 20
PATIENCE_SECONDS = 20.0
PIPE_BYTES = 64 * 1024
SHORT = "short"
TOO_LONG = "x" * select.PIPE_BUF


def answer(text: str = SHORT, number: int = 1) -> SessionMessage:
    return SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=number, result={"text": text}))


def request(method: str) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"%s"}\n' % method.encode()


def unread_bytes(fd: int) -> int:
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


def fill(pipe: int) -> int:
    """Writes as much as `pipe` holds, and says how much that is."""
    os.set_blocking(pipe, False)
    written = 0
    with suppress(BlockingIOError):
        while True:
            written += os.write(pipe, b"." * select.PIPE_BUF)
    os.set_blocking(pipe, True)
    return written


@dataclass
class Client:
    """The ends of two pipes that the client of a server in this process holds."""

    to_server: int
    from_server: int
    ends: set[int]

    def close(self, end: int) -> None:
        os.close(end)
        self.ends.remove(end)

    def read(self, size: int) -> bytes:
        read = b""
        while len(read) < size and (chunk := os.read(self.from_server, size - len(read))):
            read += chunk
        return read


@contextmanager
def a_client(*, that_reads: bool = True) -> Generator[Client]:
    """Standard input and output of this process are pipes meanwhile."""
    (stdin, to_server), (from_server, stdout) = os.pipe(), os.pipe()
    if not that_reads:
        fill(stdout)
    client = Client(to_server, from_server, {to_server, from_server})
    with _put_aside(0, lambda: stdin), _put_aside(1, lambda: stdout):
        yield client
        for end in client.ends:
            os.close(end)


@asynccontextmanager
async def more_answers_than_are_queued(write_stream: WriteStream) -> AsyncGenerator[list[asyncio.Task[None]]]:
    """Sends them, and yields once as many are sent as may be: one is being written, and some wait for that."""
    sending = [
        asyncio.ensure_future(write_stream.send(answer(number=number))) for number in range(MAX_QUEUED_ANSWERS + 9)
    ]
    await until(lambda: sum(each.done() for each in sending) >= 1 + MAX_QUEUED_ANSWERS)
    await anyio.wait_all_tasks_blocked()
    yield sending
    await asyncio.gather(*sending, return_exceptions=True)


# What goes straight into a pipe


@dataclass
class Way:
    """Where an answer can go: into standard output at once, or to the writing thread."""

    stdout: int
    client: int
    answers: _Answers
    leaving: MemoryObjectReceiveStream[bytes]

    @asynccontextmanager
    async def idle_thread(self) -> AsyncGenerator[list[bytes]]:
        """A thread that waits for something to write; yields what it is given."""
        given: list[bytes] = []

        async def thread() -> None:
            given.append(await self.leaving.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(thread)
            await anyio.wait_all_tasks_blocked()
            yield given
            group.cancel_scope.cancel()

    async def send(self, text: str = SHORT) -> None:
        await self.answers.send(answer(text))

    async def left(self, text: str = SHORT) -> list[bytes]:
        """What is left to an idle thread of an answer that is sent."""
        async with self.idle_thread() as given:
            await self.send(text)
            await anyio.wait_all_tasks_blocked()
        return given


@contextmanager
def a_way(stdout: int, client: int) -> Generator[Way]:
    queued, leaving = anyio.create_memory_object_stream[bytes](1)
    with queued, leaving:
        yield Way(stdout, client, _Answers(stdout, queued), leaving)
    os.close(stdout)
    os.close(client)


def a_pipe() -> tuple[int, int]:
    from_server, stdout = os.pipe()
    return stdout, from_server


def a_socket() -> tuple[int, int]:
    stdout, from_server = socket.socketpair()
    return stdout.detach(), from_server.detach()


@asynchronous
async def test_a_short_answer_goes_straight_into_a_pipe_that_has_room() -> None:
    with a_way(*a_pipe()) as way:
        assert await way.left() == []
        assert os.read(way.client, PIPE_BYTES) == encode(answer().message)


@asynchronous
async def test_an_answer_does_not_overtake_one_that_the_thread_still_writes() -> None:
    with a_way(*a_pipe()) as way:
        await way.send()

        assert way.leaving.receive_nowait() == encode(answer().message)
        assert unread_bytes(way.client) == 0


@asynchronous
async def test_an_answer_does_not_overtake_one_that_is_sent_in_the_same_turn_of_the_loop() -> None:
    with a_way(*a_pipe()) as way:
        async with way.idle_thread() as given:
            await asyncio.gather(way.send(TOO_LONG), way.send())

        assert [*given, way.leaving.receive_nowait()] == [encode(answer(text).message) for text in (TOO_LONG, SHORT)]
        assert unread_bytes(way.client) == 0


@asynchronous
async def test_an_answer_for_a_pipe_without_room_goes_to_the_thread() -> None:
    with a_way(*a_pipe()) as way:
        filled = fill(way.stdout)

        assert await way.left() == [encode(answer().message)]
        assert unread_bytes(way.client) == filled


@asynchronous
async def test_an_answer_that_a_pipe_might_not_take_as_a_whole_goes_to_the_thread() -> None:
    with a_way(*a_pipe()) as way:
        assert await way.left(TOO_LONG) == [encode(answer(TOO_LONG).message)]
        assert unread_bytes(way.client) == 0


@asynchronous
async def test_an_answer_for_anything_but_a_pipe_goes_to_the_thread() -> None:
    with a_way(*a_socket()) as way:
        assert await way.left() == [encode(answer().message)]
        assert unread_bytes(way.client) == 0


@asynchronous
async def test_an_answer_for_a_broken_pipe_goes_to_the_thread() -> None:
    stdout, client = a_pipe()
    os.close(client)
    with a_way(stdout, os.open(os.devnull, os.O_RDONLY)) as way:
        assert await way.left() == [encode(answer().message)]


@asynchronous
async def test_a_sender_that_was_cancelled_sends_nothing() -> None:
    with a_way(*a_pipe()) as way:
        async with way.idle_thread():
            with anyio.CancelScope() as scope:
                scope.cancel()
                await way.send()

        assert scope.cancelled_caught
        assert unread_bytes(way.client) == 0


@asynchronous
async def test_who_sends_without_end_lets_others_run() -> None:
    with a_way(*a_pipe()) as way:
        async with way.idle_thread() as left:
            other = asyncio.ensure_future(asyncio.sleep(0))
            await way.send()
            await way.send()

            assert other.done()
            assert left == []


# A client that does not read


@asynchronous
async def test_a_sender_waits_while_64_answers_are_queued() -> None:
    with a_client(that_reads=False) as client:
        filled = unread_bytes(client.from_server)
        async with stdio(FOREVER_SECONDS) as (_requests, answers), more_answers_than_are_queued(answers) as sending:
            sent = sum(each.done() for each in sending)
            everything = b"".join(encode(answer(number=number).message) for number in range(len(sending)))
            read = await asyncio.to_thread(client.read, filled + len(everything))

    assert sent == 1 + MAX_QUEUED_ANSWERS
    assert read[filled:] == everything


@asynchronous
async def test_a_client_that_goes_away_unread_ends_who_sends_and_who_reads() -> None:
    with a_client(that_reads=False) as client:
        async with stdio(FOREVER_SECONDS) as (requests, answers), more_answers_than_are_queued(answers) as sending:
            waiting = [each for each in sending if not each.done()]
            client.close(client.from_server)
            with pytest.raises(anyio.EndOfStream):
                await requests.receive()
            ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(end) for end in ends] == [anyio.BrokenResourceError] * (len(sending) - 1 - MAX_QUEUED_ANSWERS)


@asynchronous
async def test_who_waits_to_send_a_refusal_ends_with_the_answers() -> None:
    with a_client(that_reads=False) as client:
        filled = unread_bytes(client.from_server)
        async with stdio(FOREVER_SECONDS) as (_requests, answers), more_answers_than_are_queued(answers):
            os.write(client.to_server, b"nonsense\n")
            # One answer, behind which the others wait, and the refusal.
            await until(lambda: lines_waiting(answers) == 1 + 1)
            reading = asyncio.ensure_future(asyncio.to_thread(client.read, filled + 1))
            await answers.aclose()
        await reading
        await until(lambda: not any(thread.name == "stdin" for thread in threading.enumerate()))


def lines_waiting(answers: WriteStream) -> int:
    assert isinstance(answers, _Answers)
    return answers._queued.statistics().tasks_waiting_send


# A client that is faster than the server


@asynchronous
async def test_a_fast_client_is_held_back_and_leaving_does_not_wait_for_it() -> None:
    written: list[int] = []

    def write(to_server: int) -> None:
        with suppress(BrokenPipeError), open(to_server, "wb") as pipe:
            for number in range(LINES):
                pipe.write(request("m" * 3 * PIPE_BYTES))
                pipe.flush()
                written.append(number)

    with a_client() as client:
        async with stdio(FOREVER_SECONDS) as (requests, _answers):
            writing = asyncio.ensure_future(asyncio.to_thread(write, os.dup(client.to_server)))
            ahead = [await ahead_of(taken, written, requests) for taken in range(LINES - IN_FLIGHT)]
    await writing

    assert ahead == [IN_FLIGHT] * (LINES - IN_FLIGHT)


async def ahead_of(taken: int, written: list[int], requests: ReadStream) -> int:
    """How far the client is ahead, once it is as far as it may be; then takes a line."""
    await until(lambda: len(written) >= taken + IN_FLIGHT)
    ahead = len(written) - taken
    await requests.receive()
    return ahead


@asynchronous
async def test_every_line_is_taken_in_the_order_in_which_it_came() -> None:
    methods = [f"method-{number}" for number in range(100)]
    with a_client() as client:
        async with stdio(FOREVER_SECONDS) as (requests, _answers):
            os.write(client.to_server, b"".join(request(method) for method in methods))
            client.close(client.to_server)
            taken = [method_in(item) async for item in requests]

    assert taken == methods


def method_in(item: SessionMessage | Exception) -> str:
    assert isinstance(item, SessionMessage)
    assert isinstance(item.message, JSONRPCRequest)
    return item.message.method


def test_a_thread_that_reads_ends_when_the_event_loop_is_gone() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    (stdin, to_server), (bell, rope) = os.pipe(), os.pipe()
    arriving, requests = anyio.create_memory_object_stream[SessionMessage](0)
    refusals, leaving = anyio.create_memory_object_stream[bytes](0)
    os.write(to_server, request("m"))
    with arriving, requests, refusals, leaving, pytest.raises(anyio.RunFinishedError):
        _read(stdin, bell, arriving, refusals, loop)

    os.close(to_server)
    os.close(rope)
