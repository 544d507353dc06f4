"""One WebSocket as a peer of the kit holds it: it may do anything to the other side, and takes anything from it.

It stands on the sans-I/O layer of `websockets`, answers pings unless it is frozen, and keeps all that comes, up to a bound.
"""

import asyncio
import json
import logging
import socket
import struct
from collections import deque
from typing import Final, cast

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from tunnel.spec.v1.constants import HOST_FRAME_BYTES
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.fields import MOST_VALUES, Fields, parsed, values
from tunnel_conformance.wire.log import Log

MOST_BYTES: Final = 64 * 1024 * 1024
"""Whoever sends more over one connection is cut off: all of it is kept."""

LARGEST: Final = HOST_FRAME_BYTES + 1024 * 1024
"""Largest message that is taken; a larger one is no frame of this wire version, whoever sends it."""

SMALL_BUFFER: Final = 32_768
"""What the system takes for an end that is going to stop reading; else it may take many megabytes."""

SILENT: Final = logging.getLogger("tunnel_conformance.silent")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
SILENT.setLevel(logging.CRITICAL + 1)


class Came(Struct, frozen=True, kw_only=True):
    """A message that came in."""

    text: str
    size: int
    is_text: bool
    """Whether it came as a text message; a frame must (WIRE-1)."""
    fields: Fields | None
    """What it holds, when that is a JSON object."""

    @property
    def name(self) -> str:
        """The name of the frame; empty when it is none."""
        name = self.fields.get("t") if self.fields else None
        return name if isinstance(name, str) and self.is_text else ""


class Closing(Struct, frozen=True, kw_only=True):
    """What a close frame said."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f'{self.code} "{self.reason}"' if self.reason else str(self.code)


class End(asyncio.Protocol):
    """One end of a WebSocket.

    Args:
        who: how the log calls it.
        frames: the sans-I/O end.
        log: what it did and saw.
        bell: rung when anything came.
    """

    def __init__(self, who: str, frames: ClientProtocol | ServerProtocol, log: Log, bell: Bell) -> None:
        self.who = who
        self.unread: deque[Came] = deque()
        self.came: list[Came] = []
        self.pings = 0
        self.is_open = False
        """Whether the WebSocket has come about; it stays so."""
        self.is_gone = False
        """Whether the TCP connection is closed, or never came about."""
        self.closing: Closing | None = None
        self.most_bytes = MOST_BYTES
        self.how = ""
        """How the connection ended, in words."""
        self.is_frozen = False
        self.is_ours = False
        """Whether it was this end that ended it."""
        self.answers_pings = True
        """Whether the other side has answered the last ping that asked whether it had read everything."""
        self.frames = frames
        self.log = log
        self.bell = bell
        self._transport: asyncio.Transport | None = None
        self._bytes = 0
        self._values = 0
        self._message = bytearray()
        self._is_text = False
        self._pongs: set[bytes] = set()
        self._barriers = 0
        self._pinged = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return self.is_gone or self.closing is not None

    # --- From the event loop -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is there."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came in, whatever they hold."""
        self._bytes += len(data)
        if self._bytes > self.most_bytes:
            self.how = f"it sent more than {self.most_bytes} bytes"
            self.abort()
            return
        try:
            self.frames.receive_data(data)
        except (EOFError, AssertionError):
            # Bytes behind the end, or a state that the library holds for impossible: nothing more is read from it.
            self.how = self.how or "what it sent makes no sense behind its end"
        self._take()
        if self.frames.parser_exc and not self.how:
            self.how = f"what it sent is no WebSocket: {self.frames.parser_exc}"
        self.flush()
        self.bell.ring()

    def eof_received(self) -> None:
        """The other side has closed its half."""
        try:
            self.frames.receive_eof()
        except (EOFError, AssertionError):
            self.how = self.how or "closed in the middle of something"
        # An answer to the request that does not say how long it is ends here.
        self._take()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is closed."""
        self.is_gone = True
        if not self.how:
            self.how = (
                "the connection was reset" if isinstance(exc, ConnectionResetError) else "the connection was closed"
            )
        if not self.is_ours and not self.closing:
            self.log.closed(self.who, self.how)
        self.bell.ring()

    def handshake(self, event: Request | Response) -> None:
        """The other side's half of the HTTP handshake came."""
        raise NotImplementedError

    # --- What it does ------------------------------------------------------------------------------------------------

    def send(self, data: bytes, *, binary: bool = False, fragments: int = 1) -> None:
        """Send a message, in one frame or in several with a ping between any two of them."""
        self.log.sent(self.who, data.decode("utf-8", "backslashreplace"))
        if self.frames.state is not State.OPEN:
            return
        step = max(1, -(-len(data) // fragments))
        pieces = [data[i : i + step] for i in range(0, len(data), step)] or [b""]
        (self.frames.send_binary if binary else self.frames.send_text)(pieces[0], fin=len(pieces) == 1)
        for number, piece in enumerate(pieces[1:], 2):
            self.frames.send_ping(b"")
            self.frames.send_continuation(piece, fin=number == len(pieces))
        self.flush()

    def send_frame(self, fields: Fields, *, binary: bool = False) -> None:
        """Send a frame as the tables say: in the order of the fields, without blanks."""
        self.send(json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8"), binary=binary)

    def ping(self, times: int = 1) -> None:
        """Send pings, each with words of its own."""
        self.log.sent(self.who, f"({times} pings)" if times > 1 else "(a ping)")
        for _ in range(times):
            self._pinged += 1
            if self.frames.state is State.OPEN:
                self.frames.send_ping(self._last_ping)
        self.flush()

    @property
    def is_ponged(self) -> bool:
        """Whether the last of these pings was answered. Those before it need not be (RFC 6455 section 5.5.3)."""
        return self._last_ping in self._pongs

    @property
    def _last_ping(self) -> bytes:
        return b"ping %d" % self._pinged

    def freeze(self) -> None:
        """Read nothing more, and so answer nothing."""
        self.is_frozen = True
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def thaw(self) -> None:
        """Read on."""
        if self.is_frozen and self._transport and not self._transport.is_closing():
            self._transport.resume_reading()
        self.is_frozen = False

    def leave(self, code: int = 1000, reason: str = "") -> None:
        """Close the WebSocket as one should."""
        self.is_ours = True
        if self.frames.state is State.OPEN:
            self.log.sent(self.who, f"(close {Closing(code=code, reason=reason)})")
            self.frames.send_close(code, reason)
            self.flush()

    def vanish(self) -> None:
        """Cut the TCP connection, with a reset."""
        self.is_ours = True
        self.log.sent(self.who, "(cuts the connection)")
        if self._transport and not self.is_gone:
            connected = self._transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def abort(self) -> None:
        """Close the socket now."""
        self.is_ours = True
        # A transport that was closed with something still to write cannot be aborted once it is gone.
        if self._transport and not self.is_gone:
            self._transport.abort()

    async def barrier(self, seconds: float) -> bool:
        """Wait until the other side has read what it was sent: it answers pings in their turn. Whether it has answered.

        Twice, because an answer may be written behind the pong of the same turn. One that answers no pings gets a moment.
        """
        for _ in range(2):
            self._barriers += 1
            payload = b"barrier %d" % self._barriers
            if self.frames.state is State.OPEN:
                self.frames.send_ping(payload)
                self.flush()
            patience = seconds if self.answers_pings else min(seconds, 0.3)
            self.answers_pings = await self.bell.until(lambda p=payload: p in self._pongs or self.is_over, patience)
        return self.answers_pings

    def flush(self) -> None:
        """Write what the protocol has for the other side."""
        for data in self.frames.data_to_send():
            if not self._transport or self._transport.is_closing():
                continue
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()

    # --- What comes in -----------------------------------------------------------------------------------------------

    def _take(self) -> None:
        for event in self.frames.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            else:
                self.handshake(event)

    def _frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._is_text = frame.opcode is Opcode.TEXT
                self._message = bytearray(frame.data)
            case Opcode.CONT:
                self._message += frame.data
            case Opcode.PING:
                self.pings += 1
                return
            case Opcode.PONG:
                self._pongs.add(bytes(frame.data))
                return
            case _:
                told = self.frames.close_rcvd
                self.closing = Closing(code=told.code, reason=told.reason) if told else Closing(code=1005, reason="")
                if not self.is_ours:
                    self.how = f"it was closed with {self.closing}"
                    self.log.received(self.who, f"(close {self.closing})")
                return
        if frame.fin:
            self._keep(bytes(self._message))

    def _keep(self, data: bytes) -> None:
        text = data.decode("utf-8", "backslashreplace")
        self._values += values(text)
        fields = parsed(text) if self._values <= MOST_VALUES else None
        came = Came(text=text, size=len(data), is_text=self._is_text, fields=fields)
        self.log.received(self.who, text if self._is_text else f"(binary) {text}")
        self.came.append(came)
        self.unread.append(came)
