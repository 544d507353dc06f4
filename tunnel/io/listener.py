"""The relay: accepts WebSockets at one path of one local port, and tells a driver what comes in.

It stands on the sans-I/O layer of `websockets`, which gives frames; fragments, UTF-8, bounds, closing and back-pressure
are ours. Whatever a peer does or leaves undone, closing takes CLOSE_SECONDS at most.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Final, Protocol, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from tunnel.core.effects import ConnectionId
from tunnel.spec.v1.constants import HTTP_HEAD_BYTES, OUTBOX_BYTES, STRANGER_FRAME_BYTES
from tunnel.spec.v1.refusals import CLOSINGS, Closing

CLOSE_SECONDS: Final = 1.0
"""How long a peer has to close its side; then the socket is cut."""

HIGH_WATER_BYTES: Final = 65_536
"""When so much waits for a peer, the backlog pauses until all of it is written."""

# What strangers send must not fill anybody's log, and nothing of it may be echoed there.
_SILENT: Final = logging.getLogger("tunnel.relay")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)


class Peers(Protocol):
    """Who is told what comes in. Every connection has a number."""

    def accept(self) -> ConnectionId:
        """A socket was accepted; its number."""
        ...

    def upgraded(self, number: ConnectionId) -> None:
        """Its WebSocket is open."""
        ...

    def receive(self, number: ConnectionId, text: str) -> None:
        """A message came in."""
        ...

    def noise(self, number: ConnectionId) -> None:
        """A binary message came in that is not text."""
        ...

    def heard(self, number: ConnectionId) -> None:
        """Bytes came in."""
        ...

    def control(self, number: ConnectionId) -> None:
        """A ping or pong came in."""
        ...

    def oversize(self, number: ConnectionId) -> None:
        """A frame is too large."""
        ...

    def not_text(self, number: ConnectionId) -> None:
        """A text message is not UTF-8."""
        ...

    def overflow(self, number: ConnectionId) -> None:
        """More than OUTBOX_BYTES wait for it."""
        ...

    def drained(self, number: ConnectionId) -> None:
        """Little enough waits for it that more may come."""
        ...

    def lost(self, number: ConnectionId) -> None:
        """It is closed."""
        ...

    def largest_frame(self, number: ConnectionId) -> int:
        """How many bytes a frame on it may have."""
        ...


class Listener:
    """A local port with WebSockets on it.

    Args:
        path: the only path at which a WebSocket is accepted (WIRE-7).
        peers: who is told.
    """

    def __init__(self, path: str, peers: Peers) -> None:
        self.path = path
        self.peers = peers
        self.sockets: dict[ConnectionId, _Socket] = {}
        self._server: asyncio.Server | None = None
        self._shut = False

    async def listen(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; the port, which the system chooses when it is 0.

        Raises:
            OSError: the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Socket(self), host="127.0.0.1", port=port)
        return cast("int", self._server.sockets[0].getsockname()[1])

    def send(self, to: ConnectionId, data: bytes) -> None:
        """A frame's text goes out."""
        if socket := self.sockets.get(to):
            socket.send(data)

    def ping(self, to: ConnectionId) -> None:
        """A WebSocket ping goes out."""
        if socket := self.sockets.get(to):
            socket.ping()

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:
        """A close frame goes out, and the socket is closed soon."""
        if socket := self.sockets.get(to):
            socket.hang_up(code, reason)

    def is_free(self, number: ConnectionId) -> bool:
        """Whether little enough waits for a peer that more may be sent."""
        socket = self.sockets.get(number)
        return socket is not None and not socket.is_paused

    def shut(self) -> None:
        """Give the port back at once; sockets that were not told to go are cut."""
        self._shut = True
        if self._server:
            self._server.close()
        for socket in list(self.sockets.values()):
            socket.finish()

    async def closed(self) -> None:
        """Wait until every socket is gone: CLOSE_SECONDS at most."""
        deadline = asyncio.get_running_loop().time() + CLOSE_SECONDS
        while self.sockets and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait([socket.gone for socket in self.sockets.values()], timeout=left)
        for socket in list(self.sockets.values()):
            socket.cut()

    @property
    def is_shut(self) -> bool:
        """Whether sockets are no longer accepted: one may still come out of the system's queue."""
        return self._shut


class _Frames(ServerProtocol):
    """The library's protocol, with the spec's words in the close frames that it sends by itself."""

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        super().fail(code, CLOSINGS[Closing.TOO_BIG].reason if code == CloseCode.MESSAGE_TOO_BIG else reason)


class _Socket(asyncio.Protocol):
    """One TCP connection, from its first byte to its last."""

    def __init__(self, listener: Listener) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_paused = False
        self._listener = listener
        self._peers = listener.peers
        self._frames = _Frames(max_size=STRANGER_FRAME_BYTES, logger=_SILENT)
        self._head_bytes = 0
        self._reading = False
        self._lost = False
        self._message = bytearray()
        self._is_text = False
        self._transport: asyncio.Transport
        self._number: ConnectionId = 0
        self._cutter: asyncio.TimerHandle | None = None

    # --- From the event loop -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._listener.is_shut:
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES, low=0)
        self._number = self._peers.accept()
        self._listener.sockets[self._number] = self

    def data_received(self, data: bytes) -> None:
        if self._lost or self._is_finished:
            return
        self._reading = True
        try:
            if self._frames.state is State.CONNECTING:
                self._request(data)
            else:
                self._frames.max_message_size = self._peers.largest_frame(self._number)
                self._frames.receive_data(data)
                self._peers.heard(self._number)
            self._events()
        finally:
            self._reading = False
        self._flush()

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self._peers.drained(self._number)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whichever way it went, it is gone
        if self._cutter:
            self._cutter.cancel()
        if not self.gone.done():
            self.gone.set_result(None)
        if self._listener.sockets.pop(self._number, None):
            self._tell_lost()

    # --- From the listener -------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._frames.state is State.OPEN:
            self._frames.send_text(data)
            self._flush()

    def ping(self) -> None:
        if self._frames.state is State.OPEN:
            self._frames.send_ping(b"")
            self._flush()

    def hang_up(self, code: int, reason: str) -> None:
        match self._frames.state:
            case State.OPEN:
                self._frames.send_close(code, reason)
                self._flush()
            case State.CONNECTING if self._cutter is None:
                # Before the WebSocket is open there is nobody to tell.
                self._transport.close()
            case _:
                pass
        self.finish()

    def finish(self) -> None:
        """The peer has CLOSE_SECONDS to read what is left and to close; then it is cut.

        A socket that is closed with unread bytes in it resets the connection, and the peer never sees the answer.
        """
        if self._cutter is None:
            self._cutter = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.cut)

    def cut(self) -> None:
        """Close the socket now, whatever waits."""
        self._transport.abort()

    # --- What comes in -----------------------------------------------------------------------------------------------

    @property
    def _is_finished(self) -> bool:
        return self._cutter is not None and self._frames.state is not State.CLOSING

    def _request(self, data: bytes) -> None:
        self._head_bytes += len(data)
        end = data.find(b"\r\n\r\n")
        if self._head_bytes > HTTP_HEAD_BYTES and (end < 0 or self._head_bytes - len(data) + end > HTTP_HEAD_BYTES):
            self._answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self._frames.receive_data(data)

    def _answer(self, status: HTTPStatus) -> None:
        self._frames.send_response(self._frames.reject(status, f"{status.phrase}\n"))
        self._flush()
        self.finish()

    def _events(self) -> None:
        for event in self._frames.events_received():
            if isinstance(event, Request):
                self._handshake(event)
            elif isinstance(event, Frame):
                self._frame(event)
        if isinstance(self._frames.parser_exc, PayloadTooBig):
            self._peers.oversize(self._number)
        if self._frames.close_expected() or self._frames.handshake_exc or self._frames.parser_exc:
            self.finish()

    def _handshake(self, request: Request) -> None:
        if request.path.partition("?")[0] != self._listener.path:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        if "Origin" in request.headers:
            self._answer(HTTPStatus.FORBIDDEN)
            return
        response = self._frames.accept(request)
        self._frames.send_response(response)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._frames.max_message_size = self._peers.largest_frame(self._number)
            self._peers.upgraded(self._number)

    def _frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._is_text = frame.opcode is Opcode.TEXT
                self._message = bytearray(frame.data)
            case Opcode.CONT:
                self._message += frame.data
            case Opcode.CLOSE:
                # Who says goodbye is gone: the rest of the closing is between the sockets.
                self._tell_lost()
                return
            case _:
                self._peers.control(self._number)
                return
        if frame.fin:
            self._deliver(bytes(self._message))
            self._message.clear()
            # The first frame that admits a guest raises what it may send in the next.
            self._frames.max_message_size = self._peers.largest_frame(self._number)

    def _deliver(self, data: bytes) -> None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            if self._is_text:
                self._peers.not_text(self._number)
            else:
                self._peers.noise(self._number)
            return
        self._peers.receive(self._number, text)

    def _tell_lost(self) -> None:
        if not self._lost:
            self._lost = True
            self._peers.lost(self._number)

    # --- What goes out -----------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write everything that the protocol has for the peer: once for each read, however much it caused."""
        if self._reading:
            return
        writes = self._frames.data_to_send()
        if not writes or self._transport.is_closing():
            return
        self._transport.write(b"".join(writes))
        if b"" in writes and self._transport.can_write_eof():
            self._transport.write_eof()
        if self._transport.get_write_buffer_size() > OUTBOX_BYTES and self._cutter is None:
            self._peers.overflow(self._number)
