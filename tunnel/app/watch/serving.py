"""Serves the window on 127.0.0.1, from when it is first wanted until the process ends, and never in the tunnel's way.

It takes few connections, gives up those that say nothing or do not read, handles no signal, and writes to no stream.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tunnel.app.tools import Tools
from tunnel.app.watch.page import Page
from tunnel.app.watch.token import Token

MOST_CONNECTIONS: Final = 32
HEADER_BYTES: Final = 8192
SEND_BYTES: Final = 64 * 1024
"""So much the system keeps for a browser that does not read; without it, that would be megabytes."""

CHECK_SECONDS: Final = 5.0
"""A connection that has not asked anything by then, or has not read anything since the last look, is given up."""


class Serving:
    """One page, being served.

    Args:
        tools: what it shows.
        token: what its buttons ask for.
        entropy: random bytes, in the shape of `os.urandom`.
        check_seconds: how often connections are looked at.
    """

    def __init__(
        self,
        tools: Tools,
        token: Token,
        entropy: Callable[[int], bytes] = os.urandom,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=MOST_CONNECTIONS)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self.page = Page(tools, token, entropy, self._socket.getsockname()[1])
        config = uvicorn.Config(
            self.page,
            http=_looked_at_every(check_seconds),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_graceful_shutdown=0,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """From now on it answers."""
        self._serving = asyncio.ensure_future(self._server.serve([self._socket]))
        starting = asyncio.ensure_future(self._server.up.wait())
        await asyncio.wait([self._serving, starting], return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()

    async def end(self) -> None:
        """From now on its port is free."""
        self.page.end()
        # Not as the library ends, which is polite, and takes some tenths of a second.
        for server in self._server.servers:
            server.close()
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, _Connection):
                connection.abort()
        if self._serving:
            self._serving.cancel()
            await asyncio.wait([self._serving])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the tunnel's: its peer must be told."""
        yield


class _Connection(H11Protocol):
    """The library's connection, with an end to what one may hold."""

    check_seconds = CHECK_SECONDS
    _waiting = 0
    _checking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self.abort()
        self._checking = self.loop.call_later(self.check_seconds, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._checking:
            self._checking.cancel()
        super().connection_lost(exc)

    def abort(self) -> None:
        self.transport.abort()

    def _check(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        has_asked = self.cycle is not None  # pyright: ignore[reportUnnecessaryComparison] - None before the first request
        if not has_asked or (waiting and waiting >= self._waiting > 0):
            self.abort()
        self._waiting = waiting
        self._checking = self.loop.call_later(self.check_seconds, self._check)


def _looked_at_every(seconds: float) -> type[_Connection]:
    class Connection(_Connection):
        check_seconds = seconds

    return Connection
