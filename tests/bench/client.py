"""A client of an MCP server that costs as little as it can: lines on two pipes, and no event loop that would be timed, too."""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from tests.app.processes import environment
from tests.bench.samples import Beside

Result: TypeAlias = dict[str, Any]  # JSON as a server wrote it

OURS: Final = (sys.executable, "-m", "tunnel")
BARE: Final = (sys.executable, "-m", "tests.bench.bare_server")
SERVERS: Final[Mapping[Beside, tuple[str, ...]]] = {"ours": OURS, "bare": BARE}

HELLO: Final[Mapping[str, object]] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}


class Client:
    """One server process and its client."""

    def __init__(self, command: tuple[str, ...], **variables: str) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(TUNNEL_BUDGET="0", **variables),
        )
        self._requests = 0
        self._answers: dict[int, Result] = {}

    @property
    def pid(self) -> int:
        """The server's number."""
        return self._process.pid

    def shake_hands(self) -> None:
        """Until the server has answered."""
        self.ask("initialize", **HELLO)
        self.is_initialized()

    def is_initialized(self) -> None:
        """Say that the handshake is over."""
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def begin(self, method: str, **params: object) -> int:
        """Send a request; its number."""
        self._requests += 1
        self._write({"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params})
        return self._requests

    def begin_call(self, tool: str, **arguments: object) -> int:
        """Send a call; its number."""
        return self.begin("tools/call", name=tool, arguments=arguments)

    def answer_to(self, request: int) -> Result:
        """The answer to a request; others are kept."""
        assert self._process.stdout
        while request not in self._answers:
            line = self._process.stdout.readline()
            assert line, f"{self._process.args} has ended with {self._process.wait()}"
            answer = json.loads(line)
            # What has no number is told to the client, and answers nothing.
            if "id" in answer:
                self._answers[answer["id"]] = answer
        answer = self._answers.pop(request)
        assert "result" in answer, answer
        assert not answer["result"].get("isError"), answer
        return answer["result"]

    def ask(self, method: str, **params: object) -> Result:
        """The answer to a request that is sent now."""
        return self.answer_to(self.begin(method, **params))

    def call(self, tool: str, **arguments: object) -> Result:
        """What a tool gives back."""
        return self.answer_to(self.begin_call(tool, **arguments))["structuredContent"]

    def end(self) -> None:
        """Have the server end as it ends when its client goes, and wait for that."""
        self._process.communicate()

    def _write(self, message: Result) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def client(command: tuple[str, ...], **variables: str) -> Generator[Client]:
    """A server that has shaken hands, and is gone at the end."""
    started = Client(command, **variables)
    try:
        started.shake_hands()
        yield started
    finally:
        started.end()


def clock() -> float:
    """Seconds, for differences."""
    return time.perf_counter()
