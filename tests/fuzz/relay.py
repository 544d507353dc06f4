"""One connection at the relay tells of the same and answers the same however its bytes arrive, and whatever they are, it ends.

The first byte of what arrives says whether the WebSocket is open already: `o` for open, anything else begins an HTTP request.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from websockets.frames import Opcode

from tests.fuzz.codec import recorded
from tests.fuzz.cutting import alike
from tests.fuzz.looping import run
from tests.fuzz.target import Target
from tests.io.wire import HEAD, PATH, Note, Noted, close, ping, text
from tunnel.io.accepted import Accepted
from tunnel.spec.v1.constants import STRANGER_FRAME_BYTES

UPGRADE: Final = f"{HEAD}\r\n".encode()

MOST_SENT: Final = 2_048
"""Beyond as many bytes as came in: a response, pongs, a close frame."""

LONGEST_SECONDS: Final = 5.0
"""By then a socket whose other side is closed is cut."""

Outcome = tuple[list[Note], bytes]


class Pipe:
    """A socket that takes everything that is written, and closes when it is told to."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_shut = False
        self.is_cut = False

    def write(self, data: bytes) -> None:
        assert not self.is_shut, "written behind the end"
        self.written += data

    def write_eof(self) -> None:
        self.is_shut = True

    def abort(self) -> None:
        self.is_cut = True

    def is_closing(self) -> bool:
        return self.is_cut

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        """It never waits."""


Make = Callable[[Noted, "dict[int, Accepted]"], Accepted]


def accepted(noted: Noted, sockets: dict[int, Accepted]) -> Accepted:
    """A connection as the listener makes it."""
    return Accepted(PATH, noted, sockets, lambda: False)


def check(data: bytes, make: Make = accepted) -> None:
    """WIRE-5, WIRE-7, WIRE-8, WIRE-9, SIZE-1, SIZE-12."""
    opened, payload = data[2:3] == b"o", data[2:]
    arriving = data[:2] + (payload[1:] if opened else payload)
    notes, written = alike(arriving, lambda pieces: run(_conversation(make, opened, pieces)))
    told = [note[0] for note in notes]
    assert told.count("accept") == told.count("lost") == 1
    assert told[-1] == "lost", f"told behind the end: {told}"
    assert "receive" not in told or "upgraded" in told
    assert all(len(note[2].encode()) <= STRANGER_FRAME_BYTES for note in notes if len(note) == 3)
    assert len(written) <= len(data) + MOST_SENT, f"{len(written)} bytes were sent"
    assert written.startswith(b"HTTP/1.1 ") or not written
    assert b"Sec-WebSocket-Extensions" not in written


async def _conversation(make: Make, opened: bool, pieces: list[bytes]) -> Outcome:
    """What is told and sent. At the end the peer closes its side, and the socket has to go soon."""
    noted, pipe, sockets = Noted(), Pipe(), dict[int, Accepted]()
    connection = make(noted, sockets)
    connection.connection_made(cast(Any, pipe))
    for piece in [UPGRADE, *pieces] if opened else pieces:
        connection.data_received(piece)
    connection.eof_received()
    await asyncio.sleep(LONGEST_SECONDS)
    assert pipe.is_cut, "the socket stays"
    connection.connection_lost(None)
    assert not sockets
    return noted.notes, _undated(bytes(pipe.written))


def _undated(written: bytes) -> bytes:
    """Without the moment at which it was written."""
    head, end, rest = written.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
    return b"\r\n".join(lines) + end + rest


def seeds() -> Iterator[bytes]:
    """Requests, good and bad, and what is said on a WebSocket, cut in several ways."""
    yield b"\x07\x10" + UPGRADE + text("hello")
    yield b"\x07\x10" + HEAD.encode() + b"Origin: https://evil.example\r\n\r\n"
    yield b"\x07\x10" + UPGRADE.replace(b"Version: 13", b"Version: 8")
    yield b"\0\0GET / HTTP/1.0\r\nContent-Length: 9\r\n\r\n"
    yield b"\0\0\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"
    for said in (
        text("hel", fin=False) + ping(b"?") + text("lo", opcode=Opcode.CONT),
        text(b"\xff\xfe") + text("behind it"),
        text(b"\xff\xfe", opcode=Opcode.BINARY) + text("{}", opcode=Opcode.BINARY),
        ping() + close(1000, "bye") + text("behind it"),
        text("x" * 200) + ping(b"y" * 125),
        text("a", opcode=Opcode.CONT) + text("b"),
        b"\x81\x05hello",
        b"\xc1\x80\0\0\0\0",
        b"\x81\xff\0\0\0\0\0\1\0\0\0\0\0\0",
    ):
        yield b"\x03\x05o" + said
    for frame in list(recorded())[:4]:
        yield b"\x10\x02o" + text(frame)


WORDS: Final = (
    *(
        "GET ",
        PATH,
        b" HTTP/1.1\r\n",
        b"\r\n\r\n",
        b"\r\n",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Origin: x",
    ),
    *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Content-Length: 5", "HTTP/1.0"),
    *(b"\x81\x80\x00\x00\x00\x00", b"\x89\x80\x00\x00\x00\x00", b"\x88\x82\x00\x00\x00\x00\x03\xe8"),
    *(
        b"\x01\x81\x00\x00\x00\x00a",
        b"\x80\x81\x00\x00\x00\x00b",
        b"\x82\x81\x00\x00\x00\x00\xff",
        b"\x81\xfe\x00\x7e",
    ),
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS)
