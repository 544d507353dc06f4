"""The main job, for real, on one machine: two MCP servers as processes, a client for each, and a thief.

Every step says what is claimed and what was seen. The exit status is 0 only if every step held.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from mcp import Client, StdioServerParameters
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from tunnel import crypto
from tunnel.core import codec
from tunnel.core.link import JoinLink, parse
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import REFUSALS, Cause, Refusal

DEMO_SECONDS: Final = 60.0
"""The whole demo is given up after this; it takes a few seconds."""

QUESTION: Final = "Which port does the staging server listen on?"
ANSWER: Final = "8443. My person says that you may use it until noon."


class StepFailedError(Exception):
    """A step did not show what it claims; the text says what was seen instead."""


def run() -> int:
    """Run the demo; the exit status."""
    console = Console(stderr=True)
    try:
        return asyncio.run(asyncio.wait_for(_Demo(console).run(), DEMO_SECONDS))
    except TimeoutError:
        console.print(f"[red]gave up after {DEMO_SECONDS:.0f} s[/]")
        return 1


class _Demo:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0
        self._failed = False

    async def run(self) -> int:
        self._console.rule("tunnel: two agents, two servers, one throwaway tunnel")
        with TemporaryDirectory() as homes:
            try:
                async with _server("Alice", Path(homes)) as alice, _server("Bob", Path(homes)) as bob:
                    link = await self._talk(alice, bob)
                await self._nothing_left(link, Path(homes))
            # The clients' task groups wrap it.
            except* StepFailedError as failed:
                self._console.print(f"[red]failed:[/] {escape(_first(failed))}")
                self._failed = True
        if not self._failed:
            self._console.rule(f"{self._steps} steps held")
        return int(self._failed)

    async def _talk(self, alice: Client, bob: Client) -> JoinLink:
        opened = await self._open(alice)
        link = parse(opened["joinLink"])
        await self._wrong_key(link)
        async with _tap(link) as (tapped, seen):
            await self._join(bob, tapped)
            await self._say(alice, bob, seen)
            await self._used_link(link)
            await self._close(alice, bob)
        return link

    async def _open(self, alice: Client) -> dict[str, Any]:
        opened = await _call(alice, "tunnel_open", goal="pair on the staging server")
        self._held(
            "Alice's agent opens a tunnel and gets a join link",
            f"{_hidden(opened['joinLink'])}  (good for {opened['joinLinkExpiresInSec']} s)",
        )
        return opened

    async def _wrong_key(self, link: JoinLink) -> None:
        reason = await _knock(link, bytes(KEY_BYTES))
        _expect(reason == REFUSALS[Refusal.BAD_KEY].text, reason)
        self._held("A stranger with a wrong key is refused, and the link stays good", f"auth_fail: {reason}")

    async def _join(self, bob: Client, link: str) -> None:
        joined = await _call(bob, "tunnel_join", joinLink=link)
        self._held("Bob's agent joins with the link", f"goal: {joined['goal']}, state: {joined['state']}")

    async def _say(self, alice: Client, bob: Client, seen: list[str]) -> None:
        said = await _call(bob, "tunnel_say", text=QUESTION)
        heard = await _call(alice, "tunnel_listen", sinceSeq=said["seq"] - 1)
        _expect(heard["messages"][0]["text"] == QUESTION, str(heard["messages"]))
        self._held("Bob's agent asks, and Alice's agent hears it", heard["messages"][0]["text"])

        waiting = asyncio.create_task(_call(bob, "tunnel_listen", sinceSeq=said["seq"]))
        await _call(alice, "tunnel_say", text=ANSWER)
        answer = (await waiting)["messages"][0]["text"]
        _expect(answer == ANSWER, answer)
        self._held("Alice's agent answers, and Bob's agent, already listening, hears it", answer)

        wire = "".join(seen)
        bodies = [frame for frame in seen if '"chat"' in frame]
        _expect(len(bodies) >= 2 and QUESTION not in wire and ANSWER not in wire, "a text in clear")
        sample = bodies[-1].partition('"body":"')[2][:44]
        self._held(
            "Whoever carries the traffic sees sealed bodies only",
            f"{len(bodies)} chat frames on the wire, such as {sample}...",
        )

    async def _used_link(self, link: JoinLink) -> None:
        reason = await _knock(link, link.key)
        _expect(reason == REFUSALS[Refusal.TUNNEL_FULL].text, reason)
        self._held("The link is used: a second guest who has it is refused", f"auth_fail: {reason}")

    async def _close(self, alice: Client, bob: Client) -> None:
        waiting = asyncio.create_task(
            _call(bob, "tunnel_listen", sinceSeq=(await _call(bob, "tunnel_status"))["lastSeq"])
        )
        await _call(alice, "tunnel_close", summary="agreed on the port, until noon")
        heard = await waiting
        last = heard["messages"][-1]["text"]
        _expect("until noon" in last, last)
        self._held("Alice's agent closes with a summary, which Bob's agent hears at once", last)
        status = (await _call(bob, "tunnel_listen", sinceSeq=heard["cursor"]))["status"]
        _expect(status["closedBecause"] == Cause.CLOSED_BY_HOST.value, str(status))
        self._held("Bob's agent is told why it is over", f"closedBecause: {status['closedBecause']}")

    async def _nothing_left(self, link: JoinLink, homes: Path) -> None:
        parts = urlsplit(link.url)
        with socket.socket() as probe:
            probe.settimeout(2)
            refused = probe.connect_ex((parts.hostname or "", parts.port or 0))
        _expect(refused != 0, "the port still answers")
        files = [str(found) for found in homes.rglob("*") if found.is_file()]  # noqa: ASYNC240 - nothing else runs now
        _expect(not files, f"left behind: {files}")
        self._held(
            "Nothing is left: both servers have ended, the port is closed, and no file was written",
            f"connect to port {parts.port}: {os.strerror(refused)}",
        )

    def _held(self, claim: str, seen: str) -> None:
        self._steps += 1
        line = Table.grid(padding=(0, 1))
        line.add_column(width=3, justify="right")
        line.add_column()
        line.add_row(f"[green]{self._steps}[/]", f"[bold]{escape(claim)}[/]")
        line.add_row("", f"[dim]{escape(seen)}[/]")
        self._console.print(line)


@asynccontextmanager
async def _server(person: str, homes: Path) -> AsyncGenerator[Client]:
    """One person's side: a real server process in a home of its own, and a real MCP client that talks to it over stdio."""
    home = homes / person
    home.mkdir()
    shared = {name: value for name, value in os.environ.items() if not name.startswith("TUNNEL_")}
    own = {"HOME": str(home), "TMPDIR": str(home), "LOGNAME": person, "TUNNEL_TRANSPORT": "loopback"}
    # From its own home, the server finds this package where this process has found it.
    own["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "tunnel"], env={**shared, **own}, cwd=home)
    async with Client(parameters) as client:
        yield client


async def _call(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    if result.is_error or result.structured_content is None:
        raise StepFailedError(f"{tool} failed: {result}")
    return result.structured_content


async def _knock(link: JoinLink, key: bytes) -> str:
    """Try to get in, as a program of anybody's would; the reason of the refusal."""
    async with connect(link.url, compression=None) as websocket:
        challenge = codec.from_host(str(await websocket.recv()))
        if not isinstance(challenge, frames.Challenge):
            raise StepFailedError(f"no challenge but {challenge}")
        await websocket.send(
            codec.encode(frames.Auth(response=crypto.prove(key, challenge.nonce), name="Mallory")), text=True
        )
        answer = codec.from_host(str(await websocket.recv()))
    return answer.reason if isinstance(answer, frames.AuthFail) else f"not refused: {answer}"


@asynccontextmanager
async def _tap(link: JoinLink) -> AsyncGenerator[tuple[str, list[str]]]:
    """Stand where the operator of a transport stands: between the two, with all their frames in view and without the key."""
    seen: list[str] = []

    async def carry(guest: ServerConnection) -> None:
        async with connect(link.url, compression=None) as host:
            ways = {asyncio.create_task(_copy(guest, host, seen)), asyncio.create_task(_copy(host, guest, seen))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await guest.close(host.close_code or CloseCode.NORMAL_CLOSURE, host.close_reason or "")

    async with serve(carry, "127.0.0.1", 0, compression=None) as relay:
        port = relay.sockets[0].getsockname()[1]
        yield JoinLink(base=f"ws://127.0.0.1:{port}", tunnel_id=link.tunnel_id, key=link.key).text, seen


async def _copy(source: Connection, sink: Connection, seen: list[str]) -> None:
    with suppress(ConnectionClosed):
        async for message in source:
            seen.append(str(message))
            await sink.send(message)


def _expect(held: bool, seen: str) -> None:  # noqa: FBT001 - a claim
    if not held:
        raise StepFailedError(f"saw {seen}")


def _first(failed: BaseExceptionGroup[StepFailedError]) -> str:
    """The text of the step that failed, however deep it is wrapped."""
    (inner, *_) = failed.exceptions
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else str(inner)


def _hidden(link: str) -> str:
    address, _, key = link.partition("#")
    return f"{address}#{'*' * len(key)}"
