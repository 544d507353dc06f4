"""A guest on the network: dials the relay, carries frames both ways, and says at which stage a join failed.

Nothing of the join link but its address leaves this machine: the key stays behind the `#`.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode
from websockets.protocol import State
from websockets.uri import parse_uri

from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import Instant
from tunnel.errors import TunnelError
from tunnel.io.clock import Clock
from tunnel.io.driver import Driver
from tunnel.io.frames import GuestFrames
from tunnel.io.passage import Passage
from tunnel.io.trouble import AnswerError, SlowError, Stage, explain, unanswered
from tunnel.io.way import Way
from tunnel.spec.v1.constants import CLOSE_SECONDS, HOST_FRAME_BYTES, JOIN_SECONDS, OUTBOX_BYTES
from tunnel.spec.v1.refusals import Cause

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
_STATUS_BYTES: Final = 13


class Dialer:
    """The guest's one connection. Each stage of dialling is bounded; that all of it is, is the guest's own timer's doing.

    Args:
        guest: the core.
        clock: tells the moment of each input.
        url: what is dialled: the link without its fragment.
        way: what may be used on the way; what this process' environment says when it is left out.
    """

    def __init__(self, guest: Guest, clock: Clock, url: str, way: Way | None = None) -> None:
        self.guest = guest
        self.trouble = ""
        """Why no WebSocket came about, in a sentence."""
        self._url = url
        self._way = way or Way()
        self._passage = Passage(url, self._way)
        self._websocket: _Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._dialling = False
        self._cutter: asyncio.TimerHandle | None = None
        self.driver = Driver(guest, clock, self)

    def dial(self) -> None:
        """Begin. `driver.ready` is done when the host has let this side in."""
        self._dialling = True
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def closed(self) -> None:
        """Shut, and wait until the socket is gone: little more than CLOSE_SECONDS."""
        self.shut()
        if self._task:
            await asyncio.wait([self._task])

    # --- The driver's wire -------------------------------------------------------------------------------------------

    def send(self, to: ConnectionId, data: bytes) -> None:  # noqa: ARG002 - there is one connection
        """A frame's text goes out."""
        self._write(lambda frames: frames.send_text(data))
        if self.waiting() > OUTBOX_BYTES:
            self._step(self.guest.overflow)

    def ping(self, to: ConnectionId) -> None:  # noqa: ARG002
        """A WebSocket ping goes out; its pong is a sign of life."""
        self._write(lambda frames: frames.send_ping(b""))

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:  # noqa: ARG002
        """A close frame goes out behind everything else, and the socket is closed soon."""
        self._write(lambda frames: frames.send_close(code, reason))
        self._cut_soon()

    def waiting(self) -> int:
        """How many bytes wait for the host, beyond what the system has taken."""
        return self._websocket.transport.get_write_buffer_size() if self._websocket else 0

    def shut(self) -> None:
        """Dialling stops at once; an open socket has CLOSE_SECONDS left."""
        if self._dialling and self._task:
            if self.driver.cause is Cause.JOIN_TIMEOUT:
                self.trouble = unanswered(self._passage.stage, self._passage.peer, JOIN_SECONDS)
            self._dialling = False
            self._task.cancel()
        self._cut_soon()

    def _write(self, say: Callable[[ClientProtocol], None]) -> None:
        if self._websocket and self._websocket.protocol.state is State.OPEN:
            say(self._websocket.protocol)
            self._websocket.send_data()

    def _cut_soon(self) -> None:
        if self._websocket and self._cutter is None:
            self._cutter = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._websocket.cut)

    # --- The socket --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            websocket = await self._dialled()
        # A name that cannot be one is a ValueError.
        except (TunnelError, OSError, EOFError, ValueError, WebSocketException, AnswerError) as error:
            self._dialling = False
            self.trouble = explain(self._passage.stage, error, self._passage.peer)
            self._step(self.guest.unreachable)
            return
        self._dialling = False
        self._websocket = websocket
        websocket.on_bytes = self._heard
        try:
            self._step(self.guest.connected)
            await self._read(websocket)
        finally:
            if self._cutter:
                self._cutter.cancel()
            websocket.cut()

    async def _dialled(self) -> "_Connection":
        stream = await self._passage.open()
        websocket: _Connection | None = None
        try:
            async with self._passage.within(Stage.WEBSOCKET, self._way.patience.websocket_seconds):
                websocket = _Connection(self._url)
                stream.hand_over(websocket)
                await websocket.handshake(user_agent_header=None)
                return websocket
        except BaseException as error:
            stream.abort()
            # The first line of an answer says enough: what comes behind it may be long, or never end.
            if websocket and isinstance(error, SlowError | WebSocketException) and websocket.answered:
                raise AnswerError(websocket.answered) from None
            raise

    async def _read(self, websocket: ClientConnection) -> None:
        try:
            while True:
                self._receive(await websocket.recv())
        except ConnectionClosed as closed:
            self._lost(closed)

    def _heard(self, websocket: ClientConnection) -> None:
        self._step(self.guest.heard)
        # A host that has said goodbye, or broken WebSocket, need not close its side: the library would wait for it.
        if websocket.protocol.state is not State.OPEN:
            self._cut_soon()

    def _receive(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            try:
                message = message.decode("utf-8")
            except UnicodeDecodeError:
                self._step(self.guest.noise)
                return
        text = message
        self._step(lambda now: self.guest.receive(text, now))

    def _lost(self, closed: ConnectionClosed) -> None:
        match closed.sent.code if closed.sent and not closed.rcvd_then_sent else None:
            case CloseCode.MESSAGE_TOO_BIG:
                self._step(self.guest.oversize)
            case CloseCode.INVALID_DATA:
                self._step(self.guest.not_text)
            case _:
                pass
        reason = closed.rcvd.reason if closed.rcvd else ""
        self._step(lambda now: self.guest.lost(reason, now))

    def _step(self, handle: Callable[[Instant], list[Effect]]) -> None:
        self.driver.step(handle)


class _Connection(ClientConnection):
    """The library's connection, which offers no extension and tells of bytes: whatever they hold, the host lives (KEEP-2).

    Its handshake alone is used. What the library would do before, and after a redirect (LINK-11), is none of its business.
    """

    def __init__(self, url: str) -> None:
        frames = GuestFrames(parse_uri(url), HOST_FRAME_BYTES)
        super().__init__(frames, ping_interval=None, close_timeout=CLOSE_SECONDS)
        self.on_bytes: Callable[[ClientConnection], None] | None = None
        self._is_gone = False
        self._began = b""

    def cut(self) -> None:
        """Close the socket now. A transport that is gone already has forgotten its loop, and must not be asked again."""
        if not self._is_gone:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_gone = True
        super().connection_lost(exc)

    @property
    def answered(self) -> int | None:
        """The status of an answer that opens no WebSocket, once it has come."""
        found = _STATUS.match(self._began)
        return int(found[1]) if found and found[1] != b"101" else None

    def data_received(self, data: bytes) -> None:
        self._began += data[: _STATUS_BYTES - len(self._began)]
        super().data_received(data)
        if self.on_bytes:
            self.on_bytes(self)
