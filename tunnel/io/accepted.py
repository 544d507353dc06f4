"""One TCP connection that reached the relay, from its first byte to its last.

It stands on the sans-I/O layer of `websockets`, which gives frames; fragments, UTF-8, bounds, closing and back-pressure
are ours. Whatever a peer does or leaves undone, a connection that was told to go is gone after CLOSE_SECONDS.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import BytesLike

from tunnel.core.effects import ConnectionId
from tunnel.io.frames import HostFrames
from tunnel.io.peers import Peers
from tunnel.io.upgrade import Upgrade
from tunnel.spec.v1.constants import CLOSE_SECONDS, OUTBOX_BYTES, STRANGER_FRAME_BYTES

HIGH_WATER_BYTES: Final = 65_536
"""When so much waits for a peer, nothing more is handed to the system until all of it is written."""


STRANGER_READ_BYTES: Final = 1_024
"""So much of a stranger is read in one turn of the loop: a flood of small frames must not hold up everybody else."""

GUEST_READ_BYTES: Final = 16_384
"""So much of the guest is: some forty messages, and of the smallest frames no more than others can wait for."""


class Accepted(asyncio.BufferedProtocol):
    """One accepted connection.

    Args:
        path: where a WebSocket is accepted.
        peers: who is told what comes in.
        sockets: where it stands until it is closed.
        is_shut: whether sockets are no longer accepted: one may still come out of the system's queue.
    """

    def __init__(
        self, path: str, peers: Peers, sockets: "dict[ConnectionId, Accepted]", is_shut: Callable[[], bool]
    ) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_free = True
        """Whether so little waits for the peer that more may be sent."""
        self._peers = peers
        self._sockets = sockets
        self._is_shut = is_shut
        self._frames = HostFrames(STRANGER_FRAME_BYTES)
        self._upgrade = Upgrade(self._frames, path)
        self._transport: asyncio.Transport
        self._number: ConnectionId
        self._buffer = bytearray(STRANGER_READ_BYTES)
        self._is_deaf = False
        self._message = bytearray()
        self._texts: list[str] = []
        self._is_text = False
        self._outbox = bytearray()
        self._ends = False
        self._reading = False
        self._is_lost = False
        self._has_closed = False
        self._cutter: asyncio.TimerHandle | None = None

    # --- From the event loop -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES, low=0)
        self._number = self._peers.accept()
        self._sockets[self._number] = self
        if self._is_shut():
            self.cut()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - the system has no better idea
        """Where the next bytes go: few of a stranger's, many of the guest's, also once it has left."""
        if self._is_stranger and self._peers.largest_frame(self._number) > STRANGER_FRAME_BYTES:
            self._buffer = bytearray(GUEST_READ_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes are there."""
        self.data_received(bytes(memoryview(self._buffer)[:nbytes]))
        # Behind our goodbye a peer has little to say; whoever goes on is cut soon, and costs nobody time until then.
        self._is_deaf |= self._has_closed and nbytes == len(self._buffer)

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        # What still comes is read and dropped: a socket that is closed with unread bytes in it resets the connection,
        # and the peer never sees the answer.
        if self._is_lost or self._is_deaf:
            return
        self._reading = True
        if self._frames.state is State.CONNECTING:
            data = self._request(data)
        if data:
            self._receive(data)
        self._reading = False
        self._flush()

    def eof_received(self) -> None:
        """The peer has closed its side. A WebSocket has no half that stays open; what is written still goes out."""
        self._tell_lost()
        self.finish()

    def pause_writing(self) -> None:
        """The system takes no more."""
        self.is_free = False

    def resume_writing(self) -> None:
        """The system has taken everything."""
        self.is_free = True
        self._write()
        if self.is_free:
            self._peers.drained(self._number)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whichever way it went, it is gone
        """The connection is closed."""
        if self._cutter:
            self._cutter.cancel()
        del self._sockets[self._number]
        self.gone.set_result(None)
        self._tell_lost()

    @property
    def waiting(self) -> int:
        """How many bytes wait for the peer, beyond what the system has taken."""
        return len(self._outbox) + self._transport.get_write_buffer_size()

    # --- From the listener -------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """A text message goes out."""
        if self._frames.state is State.OPEN:
            self._frames.send_text(data)
            self._flush()

    def ping(self) -> None:
        """A ping goes out."""
        if self._frames.state is State.OPEN:
            self._frames.send_ping(b"")
            self._flush()

    def hang_up(self, code: int, reason: str) -> None:
        """A close frame goes out, and the socket is closed soon."""
        self.finish()
        if self._frames.state is State.CONNECTING:
            # Before the WebSocket is open there is nobody to tell.
            self.cut()
        elif self._frames.state is State.OPEN:
            self._frames.send_close(code, reason)
            self._flush()

    def finish(self) -> None:
        """The peer has CLOSE_SECONDS left."""
        if self._cutter is None:
            self._cutter = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.cut)

    def cut(self) -> None:
        """Close the socket now, whatever waits."""
        self._transport.abort()

    # --- What comes in -----------------------------------------------------------------------------------------------

    @property
    def _is_stranger(self) -> bool:
        """Whether the peer was never admitted."""
        return len(self._buffer) == STRANGER_READ_BYTES

    def _request(self, data: bytes) -> bytes:
        """Read a part of the HTTP request; what follows it, once the WebSocket is open."""
        response = self._upgrade.receive(data)
        if response is None:
            return b""
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._outbox += response.serialize()
            self._ends = True
            self._tell_lost()
            self.finish()
            return b""
        self._frames.send_response(response)
        self._peers.upgraded(self._number)
        rest = self._upgrade.rest
        del self._upgrade
        return rest

    def _receive(self, data: bytes) -> None:
        self._frames.max_message_size = self._peers.largest_frame(self._number)
        self._frames.receive_data(data)
        self._peers.heard(self._number)
        for event in self._frames.events_received():
            if isinstance(event, Frame):
                self._frame(event)
        self._hand_over()
        if isinstance(self._frames.parser_exc, PayloadTooBig):
            self._peers.oversize(self._number)
        if self._frames.parser_exc:
            self._tell_lost()
        if self._frames.close_expected():
            self.finish()

    def _frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._is_text = frame.opcode is Opcode.TEXT
                if frame.fin:
                    self._deliver(frame.data)
                    return
                self._message = bytearray(frame.data)
            case Opcode.CONT:
                self._message += frame.data
            case Opcode.CLOSE:
                # The rest of the closing is between the sockets.
                self._hand_over()
                self._tell_lost()
                return
            case _:
                self._hand_over()
                self._peers.control(self._number)
                return
        if frame.fin:
            message, self._message = self._message, bytearray()
            self._deliver(message)

    def _deliver(self, message: BytesLike) -> None:
        try:
            self._texts.append(str(message, "utf-8"))
        except UnicodeDecodeError:
            self._hand_over()
            if self._is_text:
                self._peers.not_text(self._number)
            else:
                self._peers.noise(self._number)

    def _hand_over(self) -> None:
        """Tell of the messages that were read so far."""
        if self._texts:
            texts, self._texts = self._texts, []
            self._peers.receive(self._number, texts)

    def _tell_lost(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._peers.lost(self._number)

    # --- What goes out -----------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send everything that the protocol has for the peer: once for each read, however much it caused."""
        if self._reading:
            return
        for data in self._frames.data_to_send():
            # Behind our close frame no ping is answered: it could go on for CLOSE_SECONDS, unread.
            if not self._has_closed:
                self._outbox += data
            self._ends |= not data
        self._has_closed = self._frames.state is State.CLOSING
        self._write()
        if self.waiting > OUTBOX_BYTES and self._cutter is None:
            self._peers.overflow(self._number)

    def _write(self) -> None:
        if self._transport.is_closing() or not self.is_free:
            return
        if self._outbox:
            outbox, self._outbox = self._outbox, bytearray()
            self._transport.write(outbox)
        if self._ends:
            self._ends = False
            # The peer may be gone already.
            with suppress(OSError):
                self._transport.write_eof()
