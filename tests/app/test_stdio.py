"""The transport under a real process: what reaches the client, what does not, and how it ends."""

import fcntl
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import TextContent

from tunnel.app.lines import MAX_LINE_BYTES
from tunnel.app.stdio import FLUSH_SECONDS

SERVER = str(Path(__file__).with_name("stdio_server.py"))
PATIENCE_SECONDS = 20.0
EXIT_SECONDS = 2.0
PIPE_BYTES = 64 * 1024
FOREVER_SECONDS = 3600.0  # where leaving must have nothing to wait for

Answer = dict[str, Any]  # Any: JSON as it was written


class Lines:
    """What a process writes to one descriptor, line by line."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._unread = b""

    def next(self) -> bytes:
        while b"\n" not in self._unread:
            chunk = self._chunk()
            assert chunk, f"the end came before a whole line, after {self._unread[-99:]!r}"
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def rest(self) -> list[bytes]:
        while chunk := self._chunk():
            self._unread += chunk
        return self._unread.splitlines()

    def _chunk(self) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_SECONDS)
        assert ready, f"nothing came in time, after {self._unread[-99:]!r}"
        return os.read(self._fd, 64 * 1024)


class Served:
    """A server process, and the client's ends of its three pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout
        self.answers, self.log = Lines(process.stdout.fileno()), Lines(process.stderr.fileno())

    def send(self, *lines: bytes) -> None:
        left = memoryview(b"".join(line + b"\n" for line in lines))
        while left:
            left = left[self.stdin.write(left) :]

    def answer(self) -> Answer:
        return json.loads(self.answers.next())

    def ask(self, line: bytes) -> Answer:
        self.send(line)
        return self.answer()

    def shake_hands(self) -> None:
        client = {"name": "test", "version": "0"}
        opening = request("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        assert "result" in self.ask(opening)
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    def exit_code(self, within: float = PATIENCE_SECONDS) -> int:
        return self.process.wait(within)


@contextmanager
def served(mode: str, flush_seconds: float = FLUSH_SECONDS) -> Generator[Served]:
    with subprocess.Popen(
        [sys.executable, SERVER, mode, str(flush_seconds)],
        bufsize=0,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def environment() -> dict[str, str]:
    # With PYTHONUNBUFFERED a stray print would not stay in a buffer until the process ends.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)}


def request(method: str, number: int = 7, **params: object) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(message).encode()


def call(tool: str, text: str = "", number: int = 7) -> bytes:
    return request("tools/call", number, name=tool, arguments={"text": text})


def text_in(answer: Answer) -> str:
    return answer["result"]["content"][0]["text"]


def unread_bytes(fd: int) -> int:
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)


def seconds_until_cancelled(server: Served) -> float:
    """How long it takes to leave. That its interpreter is then taken apart takes a busy machine a second, which the program spares."""
    began = time.monotonic()
    assert server.log.next() == b"cancelled"
    return time.monotonic() - began


def block_standard_output(server: Served) -> None:
    """Has the server answer more than its pipe holds, and reads none of it."""
    server.shake_hands()
    server.send(*(call("big", number=number) for number in range(10)))
    wait_until(lambda: unread_bytes(server.stdout.fileno()) == PIPE_BYTES)


# What a client meets


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "auto"])
def test_a_client_of_either_era_is_served(mode: str) -> None:
    async def converse() -> str:
        parameters = StdioServerParameters(
            command=sys.executable, args=[SERVER, "serve", str(FLUSH_SECONDS)], env=environment()
        )
        async with Client(parameters, mode=mode) as client:
            content = (await client.call_tool("echo", {"text": "Grüße 😀"})).content[0]
            assert isinstance(content, TextContent)
            return content.text

    assert anyio.run(converse) == "Grüße 😀"


@pytest.mark.parametrize(
    ("line", "code", "request_id"),
    [
        (b"not json", -32700, None),
        (b'{"jsonrpc":"2.0","id":9,"method":"ping","params":[]}', -32600, 9),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"a":"\\ud800"}}', -32600, 9),
        (b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"a":"\xff"}}', -32700, 9),
        (b'{"method":"ping","params":{"a":' + b"[" * 9999 + b"]" * 9999 + b'},"id":9}', -32600, 9),
        (b'{"method":"ping","params":{"a":"' + b"x" * 3 * MAX_LINE_BYTES + b'"},"id":9}', -32600, 9),
    ],
    ids=[
        "not JSON",
        "not JSON-RPC",
        "no id to answer",
        "half a surrogate pair",
        "not UTF-8",
        "too deep",
        "too long",
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_served(line: bytes, code: int, request_id: int | None) -> None:
    with served("serve") as server:
        refusal = server.ask(line)
        pong = server.ask(request("ping"))

    assert (refusal["error"]["code"], refusal["id"]) == (code, request_id)
    assert (pong["result"], pong["id"]) == ({}, 7)


def test_a_bad_notification_and_a_blank_line_get_no_answer() -> None:
    with served("serve") as server:
        server.send(b'{"jsonrpc":"2.0","method":"m","params":{"a":"\\ud800"}}', b"", b"   ")

        assert server.ask(request("ping"))["id"] == 7


def test_half_a_surrogate_pair_in_a_result_is_replaced_and_the_next_request_served() -> None:
    with served("serve") as server:
        server.shake_hands()

        assert text_in(server.ask(call("half"))) == "half \ufffd pair"
        assert text_in(server.ask(call("echo", "next"))) == "next"


def test_many_requests_sent_at_once_are_all_served() -> None:
    with served("serve") as server:
        server.shake_hands()
        server.send(*(call("echo", str(number), number) for number in range(500)))
        answers = [server.answer() for _ in range(500)]

    assert sorted(int(text_in(answer)) for answer in answers) == list(range(500))


# What standard output and standard input are


def test_a_stray_print_in_a_tool_does_not_reach_standard_output() -> None:
    with served("serve") as server:
        server.shake_hands()
        answer = server.ask(call("print"))
        server.stdin.close()

        assert answer["id"] == 7
        assert server.answers.rest() == []
        assert {b"a stray print", b"a stray write"} <= set(server.log.rest())
        assert server.exit_code() == 0


def test_a_child_process_can_neither_write_to_the_client_nor_read_its_requests() -> None:
    with served("serve") as server:
        server.shake_hands()
        server.send(call("child", number=1), request("ping", number=2))
        answered = {server.answer()["id"], server.answer()["id"]}
        server.stdin.close()

        assert answered == {1, 2}
        assert server.answers.rest() == []
        assert {b"from a child", b"''"} <= set(server.log.rest())


def test_both_standard_streams_are_back_after_serving() -> None:
    with served("restore", FOREVER_SECONDS) as server:
        server.send(request("ping"))
        while_serving = server.log.next()
        server.send(b"more")

        assert while_serving == b"while serving"
        assert server.answers.next() == b"after serving: more"


@dataclass
class Ends:
    """The server's two standard streams, and where a client writes to the one and reads from the other."""

    stdin: int
    to_server: int
    stdout: int
    from_server: int
    end_of_input: bytes = b""


def pipes(_directory: Path) -> Ends:
    (stdin, to_server), (from_server, stdout) = os.pipe(), os.pipe()
    return Ends(stdin, to_server, stdout, from_server)


def non_blocking_pipes(directory: Path) -> Ends:
    ends = pipes(directory)
    os.set_blocking(ends.stdin, False)
    os.set_blocking(ends.stdout, False)
    return ends


def regular_files(directory: Path) -> Ends:
    to_server, stdout = (os.open(directory / name, os.O_WRONLY | os.O_CREAT) for name in ("in", "out"))
    stdin, from_server = (os.open(directory / name, os.O_RDONLY) for name in ("in", "out"))
    return Ends(stdin, to_server, stdout, from_server)


def sockets(_directory: Path) -> Ends:
    (stdin, to_server), (from_server, stdout) = socket.socketpair(), socket.socketpair()
    return Ends(stdin.detach(), to_server.detach(), stdout.detach(), from_server.detach())


def terminals(_directory: Path) -> Ends:
    (to_server, stdin), (from_server, stdout) = pty.openpty(), pty.openpty()
    # The first Ctrl-D hands over the line that has no newline, the second is the end.
    return Ends(stdin, to_server, stdout, from_server, end_of_input=b"\x04\x04")


@contextmanager
def collecting(ends: Ends) -> Generator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, SERVER, "collect", str(FLUSH_SECONDS)], stdin=ends.stdin, stdout=ends.stdout, env=environment()
    ) as process:
        yield process
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("connect", [pipes, non_blocking_pipes, regular_files, sockets, terminals])
def test_every_line_up_to_the_end_of_input_is_answered(connect: Callable[[Path], Ends], tmp_path: Path) -> None:
    ends = connect(tmp_path)
    lines = [request("first", 1), b"nonsense", b"", request("last and without a newline", 2)]
    os.write(ends.to_server, b"\n".join(lines) + ends.end_of_input)
    if not ends.end_of_input:
        os.close(ends.to_server)
    with collecting(ends):
        pass
    written = Lines(ends.from_server)
    answers = [json.loads(written.next()) for _ in range(3)]

    assert [answer["id"] for answer in answers] == [1, None, 2]
    assert answers[2]["result"] == {"method": "last and without a newline"}


@pytest.mark.parametrize("connect", [pipes, non_blocking_pipes, sockets])
def test_what_does_not_fit_at_once_arrives_whole(connect: Callable[[Path], Ends], tmp_path: Path) -> None:
    ends = connect(tmp_path)
    with collecting(ends):
        os.write(ends.to_server, request("m" * 1_000_000) + b"\n")
        wait_until(lambda: unread_bytes(ends.from_server) >= PIPE_BYTES)
        answer = json.loads(Lines(ends.from_server).next())
        os.close(ends.to_server)

    assert answer["result"] == {"method": "m" * 1_000_000}


# How it ends


def test_the_end_of_input_ends_the_server() -> None:
    with served("serve", FOREVER_SECONDS) as server:
        server.ask(request("ping"))
        server.stdin.close()

        assert server.exit_code() == 0
        assert server.log.rest() == []


def test_what_is_queued_at_the_end_of_input_is_still_written() -> None:
    with served("collect", FOREVER_SECONDS) as server:
        server.send(*(request("m", number) for number in range(50)))
        server.stdin.close()

        assert [server.answer()["id"] for _ in range(50)] == list(range(50))
        assert server.exit_code() == 0


def test_a_client_that_reads_late_gets_every_answer() -> None:
    with served("serve") as server:
        block_standard_output(server)
        answers = [server.answer() for _ in range(10)]

    assert {answer["id"] for answer in answers} == set(range(10))
    assert {len(text_in(answer)) for answer in answers} == {1_000_000}


def test_a_client_that_does_not_read_cannot_stop_the_event_loop() -> None:
    with served("serve") as server:
        block_standard_output(server)
        server.send(call("echo"))

        assert [server.log.next() for _ in range(11)].count(b"called echo") == 1


def test_short_answers_that_a_client_does_not_read_cannot_stop_the_event_loop_and_arrive_late() -> None:
    with served("serve") as server:
        server.shake_hands()
        server.send(*(call("echo", "x" * 1000, number) for number in range(500)))
        called = {server.log.next() for _ in range(500)}
        answers = [server.answer() for _ in range(500)]

    assert called == {b"called echo"}
    assert {answer["id"] for answer in answers} == set(range(500))
    assert {text_in(answer) for answer in answers} == {"x" * 1000}


def test_a_client_that_is_gone_ends_the_server_without_a_traceback() -> None:
    with served("serve", FOREVER_SECONDS) as server:
        server.ask(request("ping"))
        server.stdout.close()
        server.send(request("ping"))

        assert server.exit_code() == 0
        assert server.log.rest() == []


def test_sigterm_ends_the_server_while_standard_input_is_open() -> None:
    with served("serve", FOREVER_SECONDS) as server:
        server.ask(request("ping"))
        server.process.send_signal(signal.SIGTERM)

        assert seconds_until_cancelled(server) < EXIT_SECONDS
        assert server.exit_code() == 0
        assert server.log.rest() == []


def test_sigterm_in_the_middle_of_a_line_ends_the_server_and_its_tool() -> None:
    with served("serve") as server:
        server.shake_hands()
        server.send(call("forever"))
        assert server.log.next() == b"called forever"
        server.stdin.write(b'{"jsonrpc":')
        server.process.send_signal(signal.SIGTERM)

        assert seconds_until_cancelled(server) < EXIT_SECONDS
        assert server.exit_code() == 0
        assert server.answer()["error"]["message"] == "Connection closed"
        assert server.log.rest() == []


def test_sigterm_ends_the_server_while_standard_output_is_blocked() -> None:
    with served("serve") as server:
        block_standard_output(server)
        server.process.send_signal(signal.SIGTERM)

        assert server.exit_code(within=FLUSH_SECONDS + EXIT_SECONDS) == 0
        assert not any(b"Traceback" in line for line in server.log.rest())


def test_sigterm_ends_the_server_while_requests_wait_to_be_read() -> None:
    with served("slow") as server:
        server.send(request("initialize"))
        assert server.log.next() == b"called initialize"
        server.send(b"x" * PIPE_BYTES, *(request("ping") for _ in range(100)))
        assert server.answer()["error"]["code"] == -32700
        server.process.send_signal(signal.SIGTERM)

        assert server.exit_code(within=FLUSH_SECONDS + EXIT_SECONDS) == 0
        assert not any(b"Traceback" in line for line in server.log.rest())


def test_the_end_of_input_ends_the_server_while_standard_output_is_blocked() -> None:
    with served("serve") as server:
        block_standard_output(server)
        server.stdin.close()

        assert server.exit_code(within=FLUSH_SECONDS + EXIT_SECONDS) == 0
