"""The relay's port: accepts connections at one address, finds them by number, and closes them all within CLOSE_SECONDS."""

import asyncio
from typing import cast

from tunnel.core.effects import ConnectionId
from tunnel.io.accepted import Accepted
from tunnel.io.peers import Peers


class Listener:
    """A local port with WebSockets on it.

    Args:
        path: the only path at which a WebSocket is accepted (WIRE-7).
        peers: who is told what comes in.
    """

    def __init__(self, path: str, peers: Peers) -> None:
        self._path = path
        self._peers = peers
        self._sockets: dict[ConnectionId, Accepted] = {}
        self._server: asyncio.Server | None = None
        self._is_shut = False
        self._giving_back: asyncio.Future[None] | None = None

    async def listen(self, port: int = 0, address: str = "127.0.0.1") -> int:
        """Listen at an address of this machine; the port, which the system chooses when it is 0.

        Raises:
            OSError: the port cannot be had, or the listener was shut meanwhile.
        """
        loop = asyncio.get_running_loop()
        # In two steps: who is cancelled while asyncio begins to serve would leave a port that nobody can give back.
        self._server = await loop.create_server(self._accepted, host=address, port=port, start_serving=False)
        await self._server.start_serving()
        number = cast(int, self._server.sockets[0].getsockname()[1])
        if self._is_shut:
            await self.closed()
            raise ConnectionAbortedError("The relay was closed before it listened. Open a new tunnel.")
        return number

    def send(self, to: ConnectionId, data: bytes) -> None:
        """A frame's text goes out."""
        if socket := self._sockets.get(to):
            socket.send(data)

    def ping(self, to: ConnectionId) -> None:
        """A WebSocket ping goes out."""
        if socket := self._sockets.get(to):
            socket.ping()

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:
        """A close frame goes out, and the socket is closed soon."""
        if socket := self._sockets.get(to):
            socket.hang_up(code, reason)

    def waiting(self) -> int:
        """How many bytes wait for the peer for which most of them wait."""
        return max((socket.waiting for socket in self._sockets.values()), default=0)

    def is_free(self, number: ConnectionId) -> bool:
        """Whether little enough waits for a peer that more may be sent."""
        socket = self._sockets.get(number)
        return socket is not None and socket.is_free

    def shut(self) -> None:
        """Give the port back within two turns of the loop; whoever is still connected has CLOSE_SECONDS left."""
        self._is_shut = True
        for socket in list(self._sockets.values()):
            socket.finish()
        if self._server and self._giving_back is None:
            loop = asyncio.get_running_loop()
            self._giving_back = loop.create_future()
            # A socket that asyncio has taken from the system, and not yet made a transport of, is forgotten when the
            # server closes, and hangs. So the server closes at the start of a turn, behind what the last one took.
            loop.call_later(0, loop.call_soon, self._give_back, self._server, self._giving_back)

    async def closed(self) -> None:
        """Shut, and wait until port and sockets are given back: CLOSE_SECONDS at most."""
        self.shut()
        if self._giving_back:
            await asyncio.wait([self._giving_back])
        if self._sockets:
            await asyncio.wait([socket.gone for socket in self._sockets.values()])

    def _give_back(self, server: asyncio.Server, given_back: asyncio.Future[None]) -> None:
        server.close()
        given_back.set_result(None)

    def _accepted(self) -> Accepted:
        return Accepted(self._path, self._peers, self._sockets, lambda: self._is_shut)
