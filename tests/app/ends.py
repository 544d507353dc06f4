"""Both ends of a tunnel in one process, over real sockets on 127.0.0.1, with stand-ins for what is outside."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tunnel.app import results
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.transport.base import Transport, TransportError
from tunnel.transport.loopback import Loopback

KEY = bytes(range(KEY_BYTES))
PATIENCE_SECONDS = 10.0
FOREVER_MS = 60_000
"""Longer than any test runs: who waits so long is not answered by the clock."""


class StillClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self._moment = Instant(ticks=1, unix_ms=1_700_000_000_000)

    def now(self) -> Instant:
        return self._moment

    def move(self, seconds: float) -> None:
        ticks = self._moment.ticks + int(seconds * TICKS_PER_SECOND)
        self._moment = Instant(ticks=ticks, unix_ms=self._moment.unix_ms + int(seconds * 1000))


class Carrier:
    """A transport that does what the test says.

    Args:
        url: what it says it is reachable at; its own port when left out.
        fails: with what it fails to start.
        comes_up: whether starting ever ends.
        fails_late: with what it fails once it is given up.
    """

    name = "carrier"
    privacy = "Nobody sees anything."

    def __init__(self, url: str = "", fails: str = "", *, comes_up: bool = True, fails_late: str = "") -> None:
        self.listens_at: tuple[str, int] = ("127.0.0.1", 0)
        self.port = 0
        self.starting = asyncio.Event()
        self.stops = 0
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._url = url
        self._fails = fails
        self._comes_up = comes_up
        self._fails_late = fails_late

    async def start(self, port: int) -> str:
        self.port = port
        self.starting.set()
        if not self._comes_up:
            try:
                await asyncio.Event().wait()
            finally:
                if self._fails_late:
                    raise TransportError(self._fails_late)
        if self._fails:
            raise TransportError(self._fails)
        return self._url or f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        await self.may_stop.wait()
        self.stops += 1


def end(name: str, transport: Callable[[str], Transport] | None = None) -> Tools:
    """One person's end. Its transport is the loopback one, unless the test has another."""
    return Tools(
        Settings(), name, StillClock(), os.urandom, lambda named, _: transport(named) if transport else Loopback()
    )


@asynccontextmanager
async def two_ends() -> AsyncGenerator[tuple[Tools, Tools]]:
    """Alice and Bob, with nothing open yet."""
    alice, bob = end("Alice"), end("Bob")
    try:
        yield alice, bob
    finally:
        await asyncio.gather(alice.exit(), bob.exit())


@asynccontextmanager
async def a_tunnel() -> AsyncGenerator[tuple[Tools, Tools, str]]:
    """Alice has opened a tunnel, and Bob has joined it with this link."""
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        await join(bob, link)
        yield alice, bob, link


async def open_(tools: Tools, goal: str = "pair on checkout") -> str:
    return (await tools.open(results.OpenArguments(goal=goal))).join_link


async def join(tools: Tools, link: str) -> results.JoinedTunnel:
    return await tools.join(results.JoinArguments(join_link=link))


async def say(tools: Tools, text: str) -> int:
    return (await tools.say(results.SayArguments(text=text))).seq


async def listen(tools: Tools, since: float = 0, timeout_ms: float = FOREVER_MS) -> results.Listened:
    return await tools.listen(results.ListenArguments(since_seq=since, timeout_ms=timeout_ms))


async def texts(tools: Tools, since: float = 0) -> list[str]:
    return [message.text for message in (await listen(tools, since, 0)).messages]


async def status(tools: Tools) -> results.Status:
    return await tools.status(results.StatusArguments())


async def close(tools: Tools, summary: str = "") -> results.Closed:
    return await tools.close(results.CloseArguments(summary=summary))


async def waiting_listen(tools: Tools) -> "asyncio.Task[results.Listened]":
    """A listen that has heard everything so far and waits."""
    last = (await status(tools)).last_seq
    listening = asyncio.create_task(listen(tools, last))
    # Twice: to begin, and to have put itself on the list of those who wait.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not listening.done()
    return listening


async def until(tools: Tools, state: str) -> results.Status:
    """The status, as soon as it has this state."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await status(tools)).state != state:
            await listen(tools, now.last_seq, 20)
    return now


async def caught_up(tools: Tools, seq: int) -> None:
    """Wait until this end has the message with this number."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (last := (await status(tools)).last_seq) < seq:
            await listen(tools, last)


def port_of(link: str) -> int:
    return urlsplit(link).port or 0


def is_free(port: int) -> bool:
    """Whether nobody listens at this port any more."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@asynccontextmanager
async def a_host(*frames: dict[str, Any], hang_up: bool = False) -> AsyncGenerator[tuple[str, list[str]]]:
    """A program that answers a guest with these frames, one for each message, beginning before the first one.

    Gives its join link, and what the guest says to it.
    """
    heard: list[str] = []

    async def play(websocket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for frame in frames:
                await websocket.send(json.dumps(frame))
                heard.append(str(await websocket.recv()))
            if not hang_up:
                await websocket.wait_closed()

    async with serve(play, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield JoinLink(base=f"ws://127.0.0.1:{port}", tunnel_id="0011223344556677", key=KEY).text, heard


@asynccontextmanager
async def a_deaf_port() -> AsyncGenerator[tuple[int, "asyncio.Queue[str]"]]:
    """A port that takes connections and never answers; it notes when one has sent something, and when it was gone."""
    notes: asyncio.Queue[str] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        notes.put_nowait("came")
        with suppress(ConnectionError):
            while await reader.read(1024):
                pass
        notes.put_nowait("gone")
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], notes


async def both(*calls: Awaitable[Any]) -> list[Any]:  # Any: results of any tool, and what they raised
    """Calls made at once; what each gave or raised."""
    return await asyncio.gather(*calls, return_exceptions=True)
