"""What a host answers a guest that has dialled comes to the same messages and the same end however its bytes arrive.

The first byte of what arrives says whether the WebSocket is open already: `o` for open, anything else begins a response.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Close, Frame, Opcode

from tests.fuzz.codec import recorded
from tests.fuzz.cutting import alike
from tests.fuzz.looping import run
from tests.fuzz.showing import leak
from tests.fuzz.target import Target
from tunnel.io.dialer import _Connection

URL: Final = "ws://host.example/t/00112233aabbccdd"
KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
RESPONSE: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
LONGEST_SECONDS: Final = 5.0
"""By then the dialler has cut a socket on which nothing more is said."""

Outcome = tuple[Any, ...]
"""How the handshake was refused, with which status; what was heard; how the other side closed, and what ours said."""


class Wire(asyncio.Transport):
    """A socket that takes everything, and tells its connection when it is cut."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._connection = connection
        self._is_closing = False
        self.is_gone = asyncio.Event()

    def write(self, data: Any) -> None:  # whatever holds bytes
        """Nobody reads it."""

    def write_eof(self) -> None:
        """The other side need not care."""

    def can_write_eof(self) -> bool:
        return True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It never waits."""

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        """What has come in is handed over all the same."""

    def resume_reading(self) -> None:
        """It never stopped."""

    def abort(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._lose)

    def close(self) -> None:
        self.abort()

    def _lose(self) -> None:
        self._connection.connection_lost(None)
        self.is_gone.set()


def check(data: bytes, make: Callable[[str], _Connection] = _Connection) -> None:
    """WIRE-5, SIZE-3, LINK-11."""
    opened, payload = data[2:3] == b"o", data[2:]
    arriving = data[:2] + (payload[1:] if opened else payload)
    _, _, *heard, said = alike(arriving, lambda pieces: run(_dialled(make, opened, pieces)))
    largest = max((len(message) for message in heard if isinstance(message, str | bytes)), default=0)
    assert largest <= len(payload), "more was heard than came in"
    assert not leak(data.decode("latin-1"), said), f"what came in is in a close frame of ours: {said!r}"


async def _dialled(make: Callable[[str], _Connection], opened: bool, pieces: list[bytes]) -> Outcome:
    connection = make(URL)
    connection.protocol.key = KEY
    wire = Wire(connection)
    connection.connection_made(wire)
    greeting = asyncio.ensure_future(connection.handshake(user_agent_header=None))
    await asyncio.sleep(0)
    for piece in [RESPONSE, *pieces] if opened else pieces:
        if not wire.is_closing():
            connection.data_received(piece)
        if not greeting.done():
            await asyncio.sleep(0)
    if not wire.is_closing():
        connection.eof_received()
        wire.close()  # as the loop does with a socket whose other side is closed
    refused = await _refusal(greeting)
    heard = [""] if refused else await _heard(connection)
    cutter = asyncio.get_running_loop().call_later(LONGEST_SECONDS, connection.cut)
    await wire.is_gone.wait()
    cutter.cancel()
    return refused, connection.answered if refused else None, *heard


async def _refusal(greeting: "asyncio.Future[None]") -> str:
    """The kind of error with which the handshake ends; its text is never shown."""
    try:
        await greeting
    except (WebSocketException, EOFError, OSError, ValueError) as error:
        return type(error).__name__
    return ""


async def _heard(connection: _Connection) -> list[Any]:
    heard: list[Any] = []
    try:
        while True:
            heard.append(await connection.recv())
    except ConnectionClosed as closed:
        ours = closed.sent.reason if closed.sent and not closed.rcvd_then_sent else ""
        return [*heard, closed.rcvd, ours]


def framed(data: str | bytes, *, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    """A frame as a server sends it."""
    return Frame(opcode, data.encode() if isinstance(data, str) else data, fin).serialize(mask=False)


def seeds() -> Iterator[bytes]:
    """Answers to a request, and what hosts say, cut in several ways."""
    bye = Close(1000, "closed by host").serialize()
    yield b"\x07\x10" + RESPONSE + framed("hello")
    yield b"\x07\x10" + RESPONSE.replace(b"s3pP", b"xxxx")
    yield b"\x07\x10" + RESPONSE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    yield b"\x01\x01HTTP/1.1 302 Found\r\nLocation: wss://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
    yield b"\x01\x01HTTP/1.1 530 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    yield b"\x01\x01HTTP/1.0 200 OK\r\n\r\n<html>"
    for said in (
        framed("hel", fin=False) + framed(b"?", opcode=Opcode.PING) + framed("lo", opcode=Opcode.CONT),
        framed(b"\xff\xfe"),
        framed(b"\xff\xfe", opcode=Opcode.BINARY) + framed("behind it"),
        framed(bye, opcode=Opcode.CLOSE) + framed("behind it"),
        framed("a", opcode=Opcode.CONT),
        b"\x81\x7f\0\0\0\0\2\0\0\0",
        b"\x81\x80\0\0\0\0",
    ):
        yield b"\x03\x05o" + said
    for frame in list(recorded())[:3]:
        yield b"\x10\x02o" + framed(frame)


WORDS: Final = (
    *("HTTP/1.1 ", "101 ", b"\r\n\r\n", b"\r\n", "Upgrade: websocket", "Connection: Upgrade", "Content-Length: 5"),
    *("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Extensions: x", "Sec-WebSocket-Protocol: x"),
    *(
        "Transfer-Encoding: chunked",
        b"\x81\x01a",
        b"\x01\x01a",
        b"\x80\x01a",
        b"\x89\x00",
        b"\x88\x02\x03\xe8",
        b"\x82\x01\xff",
    ),
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS)
