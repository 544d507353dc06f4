"""The server as a process of its own, spoken to line by line, as a client does that knows nothing of the SDK."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

COMMAND: tuple[str, ...] = (sys.executable, "-m", "tunnel")
LOOPBACK = {"TUNNEL_TRANSPORT": "loopback"}
NO_SKILL = {"TUNNEL_SKIP_SKILL_INSTALL": "1"}
"""Whoever tests has skills of their own, which stay as they are."""

PATIENCE_SECONDS = 20.0
EXIT_SECONDS = 2.0
"""The longest that the end of a process may take from being asked."""

Answer = dict[str, Any]  # JSON as it was written


def environment(**variables: str) -> dict[str, str]:
    """What a server process is started with: nothing of the tester's own settings, and no transport that needs a network."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TUNNEL_")}
    return {
        **inherited,
        **LOOPBACK,
        **NO_SKILL,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **variables,
    }


class Server:
    """A server process, and what it has written. Whatever it writes to standard output must be an answer."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.process = process
        self.log = b""
        self.answers: list[Answer] = []
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._requests = 0
        self._is_awake = asyncio.Event()
        self._logging = asyncio.create_task(self._keep_log())

    async def awake(self) -> None:
        """Wait until it has written that it is there. It still has to import most of itself."""
        await asyncio.wait_for(self._is_awake.wait(), PATIENCE_SECONDS)

    async def shake_hands(self) -> None:
        """As a client that can do nothing but call tools."""
        client = {"name": "test", "version": "0"}
        opened = await self.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        assert "result" in opened
        await self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    async def send(self, line: bytes) -> None:
        self._stdin.write(line + b"\n")
        await self._stdin.drain()

    async def begin(self, method: str, **params: object) -> int:
        """Send a request; its id."""
        self._requests += 1
        request = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        await self.send(json.dumps(request).encode())
        return self._requests

    async def begin_call(self, tool: str, **arguments: object) -> int:
        return await self.begin("tools/call", name=tool, arguments=arguments)

    async def answer_to(self, request: int | str) -> Answer:
        """The answer to a request; the others are kept."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := [answer for answer in self.answers if answer["id"] == request]):
                line = await self._stdout.readline()
                assert line, f"the output ended: {self.log!r}"
                self.answers.append(json.loads(line))
        self.answers.remove(found[0])
        return found[0]

    async def ask(self, method: str, **params: object) -> Answer:
        return await self.answer_to(await self.begin(method, **params))

    async def call(self, tool: str, **arguments: object) -> Answer:
        """Call a tool that must succeed; its structured result."""
        answer = await self.ask("tools/call", name=tool, arguments=arguments)
        assert not answer["result"].get("isError"), answer
        return answer["result"]["structuredContent"]

    async def fail(self, tool: str, **arguments: object) -> str:
        """Call a tool that must fail; its words."""
        answer = await self.ask("tools/call", name=tool, arguments=arguments)
        assert answer["result"]["isError"], answer
        return answer["result"]["content"][0]["text"]

    def stop(self, how: str) -> None:
        """Ask it to end: by a signal's name, or by the end of its input."""
        if how == "EOF":
            self._stdin.close()
        else:
            self.process.send_signal(signal.Signals[how])

    async def exit_code(self) -> tuple[int, float]:
        """With which code it ends, and how many seconds after this call. Its output is read to the end, and answers only."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await self._ended()
            took = time.monotonic() - began
            self.answers += [json.loads(line) async for line in self._stdout]
            await self._logging
        assert all("method" not in answer for answer in self.answers)
        return code, took

    async def forget(self) -> None:
        """Wait for its end, whatever it still writes. What is left in the pipes is read, or they would never count as closed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._ended()
            await asyncio.gather(self._stdout.read(), self._logging)

    async def _ended(self) -> int:
        # Not by the pipes: a child that lives on might hold them.
        while self.process.returncode is None:
            await asyncio.sleep(0.005)
        return self.process.returncode

    async def _keep_log(self) -> None:
        async for line in self._stderr:
            self.log += line
            self._is_awake.set()


@asynccontextmanager
async def a_server(*prefix: str, **variables: str) -> AsyncGenerator[Server]:
    """A server process; a command in front of it may give it other surroundings."""
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**variables),
        limit=2**24,
    )
    server = Server(process)
    try:
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        server.stop("EOF")
        await server.forget()


def is_banner(log: bytes) -> bool:
    """Whether this is all that a server without trouble writes to standard error."""
    return log.startswith(b"tunnel-mcp ") and log.count(b"\n") == 1 and log.endswith(b"--help says more\n")


async def gone(pid: int) -> None:
    """Wait until a process that is not ours to wait for runs no more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while _is_running(pid):
            await asyncio.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        # Dead and not yet waited for by its parent, it is a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
