"""Peers at the other end of real sockets on 127.0.0.1, which do what a test says, and a relay for them to reach."""

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.conversation import EPOCH_MS, Dice
from tunnel import crypto
from tunnel.core.effects import ConnectionId
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink, mint
from tunnel.io.listener import Listener
from tunnel.io.peers import Peers
from tunnel.io.relay import Relay
from tunnel.spec.v1.constants import CLOSE_SECONDS, KEY_BYTES, STRANGER_FRAME_BYTES

PATH: Final = "/t/00112233aabbccdd"
HEAD: Final = (
    f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
"""A good request without the empty line at its end."""

CLOSING_SECONDS: Final = CLOSE_SECONDS + 4.0
"""How long a close may take that waits for a peer in vain: CLOSE_SECONDS, and what a busy machine adds."""

LATE_SECONDS: Final = 20.0
"""What stands for CLOSE_SECONDS in a test of what does not wait for it."""

SOON_SECONDS: Final = LATE_SECONDS / 2
"""What takes less did not wait for LATE_SECONDS, on the busiest machine."""


class StillClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.ticks = 1_000 * TICKS_PER_SECOND

    def now(self) -> Instant:
        return Instant(ticks=self.ticks, unix_ms=EPOCH_MS)

    def advance(self, seconds: float) -> None:
        self.ticks += int(seconds * TICKS_PER_SECOND)


def text(data: str | bytes, *, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data.encode() if isinstance(data, str) else data, fin).serialize(mask=True)


def ping(data: bytes = b"") -> bytes:
    return Frame(Opcode.PING, data).serialize(mask=True)


def close(code: int = 1000, reason: str = "") -> bytes:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=True)


class Client:
    """A socket at a listener's port. It answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=None)
        self._events: deque[Frame] = deque()

    def write(self, *data: bytes) -> None:
        """All of it in one piece, as far as the system goes along."""
        self.writer.write(b"".join(data))

    async def open(self, fields: str = "", *, behind: bytes = b"") -> Response:
        """Ask for a WebSocket, with more fields and with bytes behind the request."""
        self._frames = ClientProtocol(parse_uri("ws://x/"), max_size=None)
        self._frames.key = "dGhlIHNhbXBsZSBub25jZQ=="
        self.write(f"{HEAD}{fields}\r\n".encode(), behind)
        while True:
            self._frames.receive_data(await self.reader.read(65_536))
            match self._frames.events_received():
                case [Response() as response, *events]:
                    self._take(events)
                    return response
                case _:
                    pass

    async def frame(self) -> Frame | None:
        """The next frame; None at the end of the stream."""
        while not self._events:
            data = await self.reader.read(65_536)
            if not data:
                return None
            self._frames.receive_data(data)
            self._take(self._frames.events_received())
        return self._events.popleft()

    async def message(self) -> dict[str, object]:
        """The next text message."""
        frame = await self.frame()
        assert frame is not None, "the stream has ended"
        assert frame.opcode is Opcode.TEXT, frame
        return json.loads(bytes(frame.data))

    async def closing(self) -> tuple[int, str]:
        """Code and reason of the close frame, whatever comes before it."""
        while (frame := await self.frame()) is not None:
            if frame.opcode is Opcode.CLOSE:
                told = Close.parse(bytes(frame.data))
                return int(told.code), told.reason
        return 1006, ""

    async def rest(self) -> bytes:
        """Everything until the other end has closed its side."""
        return await self.reader.read()

    async def is_closed(self) -> bool:
        """Whether the other end closes the connection; waits for it."""
        with suppress(ConnectionResetError):
            await self.reader.read()
        return True

    def reset(self) -> None:
        """Break the connection without a word."""
        connected = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def _take(self, events: Iterable[object]) -> None:
        self._events.extend(event for event in events if isinstance(event, Frame))


@asynccontextmanager
async def client(port: int, *, receive_buffer: int | None = None) -> AsyncGenerator[Client]:
    """A connected socket. With a small receive buffer, little is under way when it does not read."""
    connected = socket.socket()
    if receive_buffer:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connected.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connected, limit=4_096 if receive_buffer else 65_536)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


Note = tuple[str, ConnectionId] | tuple[str, ConnectionId, str]


class Noted:
    """Peers of a listener that only note what they are told."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.largest = STRANGER_FRAME_BYTES
        self._accepted = 0
        self._news = asyncio.Event()

    def accept(self) -> ConnectionId:
        self._accepted += 1
        self._note("accept", self._accepted)
        return self._accepted

    def upgraded(self, number: ConnectionId) -> None:
        self._note("upgraded", number)

    def receive(self, number: ConnectionId, texts: Sequence[str]) -> None:
        for text in texts:
            self._note("receive", number, text)

    def noise(self, number: ConnectionId) -> None:
        self._note("noise", number)

    def heard(self, number: ConnectionId) -> None:
        """It is told with every read, and so it is not noted."""

    def control(self, number: ConnectionId) -> None:
        self._note("control", number)

    def oversize(self, number: ConnectionId) -> None:
        self._note("oversize", number)

    def not_text(self, number: ConnectionId) -> None:
        self._note("not_text", number)

    def overflow(self, number: ConnectionId) -> None:
        self._note("overflow", number)

    def drained(self, number: ConnectionId) -> None:
        self._note("drained", number)

    def lost(self, number: ConnectionId) -> None:
        self._note("lost", number)

    def largest_frame(self, number: ConnectionId) -> int:
        return self.largest

    @property
    def told(self) -> list[str]:
        """What was told, without numbers and texts."""
        return [note[0] for note in self.notes]

    @property
    def texts(self) -> list[str]:
        return [note[2] for note in self.notes if len(note) == 3]

    async def hears(self, what: str, times: int = 1) -> None:
        """Wait until it was told."""
        while self.told.count(what) < times:
            self._news.clear()
            await self._news.wait()

    def _note(self, *note: object) -> None:
        self.notes.append(note)  # pyright: ignore[reportArgumentType] - its parts have the types of Note
        self._news.set()


@asynccontextmanager
async def listening(peers: Peers, port: int = 0) -> AsyncGenerator[tuple[Listener, int]]:
    """A listener and its port."""
    listener = Listener(PATH, peers)
    port = await listener.listen(port)
    try:
        yield listener, port
    finally:
        await listener.closed()


class Opened(Struct):
    """A relay that guests can reach."""

    relay: Relay
    host: Host
    clock: StillClock
    link: JoinLink
    port: int

    def expire(self, seconds: float) -> None:
        """Let time pass, and the driver look at its clock."""
        self.clock.advance(seconds)
        self.relay.driver.step(self.host.expire)

    def end(self, summary: str = "") -> None:
        self.relay.driver.step(lambda now: self.host.close(summary, now))

    def texts(self) -> list[str]:
        """What the host's agent reads."""
        return [self.host.transcript.text(message) for message in self.host.transcript.after(0)]

    def auth(self, challenge: object, name: str = "Bob") -> bytes:
        assert isinstance(challenge, str)
        proof = crypto.prove(self.link.key, challenge)
        return text(json.dumps({"t": "auth", "response": proof, "name": name, "sinceSeq": 0}))

    async def challenged(self, to: Client) -> object:
        """Open a WebSocket; the challenge on it."""
        response = await to.open()
        assert response.status_code == 101
        return (await to.message())["nonce"]

    async def admitted(self, to: Client) -> dict[str, object]:
        """Join; what `auth_ok` says."""
        to.write(self.auth(await self.challenged(to)))
        return await to.message()


@asynccontextmanager
async def opened(seed: str = "a relay") -> AsyncGenerator[Opened]:
    """A relay with a real host, which has handed out its link."""
    clock, dice = StillClock(), Dice(seed)
    key = dice(KEY_BYTES)
    host = Host(key=key, goal="a goal", name="Alice", entropy=dice, now=clock.now())
    relay = Relay(host, clock, PATH)
    port = await relay.listener.listen()
    relay.driver.step(host.reachable)
    link = mint(f"http://127.0.0.1:{port}", PATH.removeprefix("/t/"), key)
    here = Opened(relay=relay, host=host, clock=clock, link=link, port=port)
    try:
        yield here
    finally:
        here.end()
        await relay.listener.closed()
