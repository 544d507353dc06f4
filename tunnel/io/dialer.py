"""A guest on the network: dials the relay, carries frames both ways, and says at which stage a join failed.

Nothing of the join link but its address leaves this machine: the key stays behind the `#`.
"""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode
from websockets.protocol import State

from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import Instant
from tunnel.io.clock import Clock
from tunnel.io.driver import Driver
from tunnel.io.frames import CLOSE_SECONDS, SILENT, GuestFrames
from tunnel.io.trouble import explain, unanswered
from tunnel.spec.v1.constants import HOST_FRAME_BYTES, OUTBOX_BYTES
from tunnel.spec.v1.refusals import Cause


class Dialer:
    """The guest's one connection. That dialling ends in time is the guest's own timer's doing.

    Args:
        guest: the core.
        clock: tells the moment of each input.
        url: what is dialled: the link without its fragment.
        host: the host's name in it.
    """

    def __init__(self, guest: Guest, clock: Clock, url: str, host: str) -> None:
        self.guest = guest
        self.trouble = ""
        """Why no WebSocket came about, in a sentence."""
        self._url = url
        self._host = host
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
                self.trouble = unanswered(self._host)
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
            websocket = await _dialled(self._url, self._host)
        # A name that cannot be one is a ValueError, a proxy that needs another package an ImportError.
        except (OSError, EOFError, ValueError, ImportError, WebSocketException) as error:
            self._dialling = False
            self.trouble = explain(error, self._host)
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
    """The library's connection, which offers no extension and tells of bytes: whatever they hold, the host lives (KEEP-2)."""

    def __init__(self, protocol: ClientProtocol, **settings: Any) -> None:  # the library's own settings, passed on
        super().__init__(GuestFrames(protocol.uri, HOST_FRAME_BYTES), **settings)
        self.on_bytes: Callable[[ClientConnection], None] | None = None
        self._is_gone = False

    def cut(self) -> None:
        """Close the socket now. A transport that is gone already has forgotten its loop, and must not be asked again."""
        if not self._is_gone:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_gone = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.on_bytes:
            self.on_bytes(self)


class _Connect(connect):
    """Follows no redirect: a link names the one host that may be dialled."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _dialled(url: str, host: str) -> _Connection:
    websocket = await _Connect(
        url,
        user_agent_header=None,
        # Loopback never goes through a proxy; everything else as the environment says.
        proxy=None if is_loopback(host) else True,
        open_timeout=None,
        close_timeout=CLOSE_SECONDS,
        ping_interval=None,
        logger=SILENT,
        create_connection=_Connection,
    )
    assert isinstance(websocket, _Connection)
    return websocket


def is_loopback(host: str) -> bool:
    """Whether a host's name in a link means this machine, in whichever spelling."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    address = _address(name)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    # The system connects to the unspecified address as to the loopback address.
    return address is not None and (address.is_loopback or address.is_unspecified)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))  # 127.1 and 0x7f000001 are addresses to the system's resolver
    except OSError:
        return None
