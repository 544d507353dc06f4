"""Stands between a guest and its host, and hands on whole messages: all of them, or what a test makes of them.

It holds no key, so it does what the operator of an edge could do.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tunnel.transport.loopback import Loopback

Way: TypeAlias = Literal["to host", "to guest"]
Meddle: TypeAlias = Callable[[Way, str], Awaitable[str | None]]
"""Takes the way that a message goes, and its text; gives what is handed on, if anything."""


@asynccontextmanager
async def meddling(port: int, meddle: Meddle) -> AsyncGenerator[int]:
    """The port of one that stands in front of another port."""
    async with serve(_between(port, meddle), "127.0.0.1", 0, compression=None, max_size=None) as server:
        yield _port(server)


def dropping(way: Way, words: str) -> Meddle:
    """Hands on everything but messages that go this way with these words in them."""

    async def meddle(at: Way, text: str) -> str | None:
        return None if at == way and words in text else text

    return meddle


def holding_up(way: Way, words: str, seconds: float) -> Meddle:
    """Hands on such messages late, and what comes behind them too."""

    async def meddle(at: Way, text: str) -> str | None:
        if at == way and words in text:
            await asyncio.sleep(seconds)
        return text

    return meddle


class Meddled:
    """A transport that leads through such a one.

    Args:
        meddle: what becomes of messages.
    """

    name = "meddled"
    privacy = Loopback.privacy

    listens_at = Loopback.listens_at

    def __init__(self, meddle: Meddle) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._meddle = meddle
        self._server: Server | None = None

    async def start(self, port: int) -> str:
        """The URL that leads to the port."""
        between = _between(port, self._meddle)
        self._server = await serve(between, "127.0.0.1", 0, compression=None, max_size=None)
        return f"http://127.0.0.1:{_port(self._server)}"

    async def stop(self) -> None:
        """Hang up on both sides."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()


def _between(port: int, meddle: Meddle) -> Callable[[ServerConnection], Awaitable[None]]:
    async def stand(guest: ServerConnection) -> None:
        assert guest.request
        async with connect(
            f"ws://127.0.0.1:{port}{guest.request.path}", compression=None, max_size=None, proxy=None
        ) as host:
            ways = (_carry(guest, host, "to host", meddle), _carry(host, guest, "to guest", meddle))
            await asyncio.gather(*ways)

    return stand


async def _carry(
    out_of: ServerConnection | ClientConnection, into: ServerConnection | ClientConnection, way: Way, meddle: Meddle
) -> None:
    with suppress(ConnectionClosed):
        async for message in out_of:
            text = await meddle(way, message if isinstance(message, str) else message.decode())
            if text is not None:
                await into.send(text)
    code = out_of.close_code
    # Why one side has hung up is told to the other one; that it just went cannot be told in a close frame.
    await into.close(code if code and code not in (1005, 1006) else 1001, out_of.close_reason or "")


def _port(server: Server) -> int:
    return server.sockets[0].getsockname()[1]
