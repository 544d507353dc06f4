"""A guest on the network: dials the relay, carries frames both ways, and says at which stage a join failed.

Nothing of the join link but its address leaves this machine: the key stays behind the `#`.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, ProxyError
from websockets.frames import CloseCode

from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import Instant
from tunnel.io.clock import Clock
from tunnel.io.driver import Driver
from tunnel.spec.v1.constants import HOST_FRAME_BYTES, JOIN_SECONDS, OUTBOX_BYTES

CLOSE_SECONDS: Final = 1.0
"""How long the host has to close its side; then the socket is cut."""

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

_SILENT: Final = logging.getLogger("tunnel.dialer")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)


class _Connect(connect):
    """Follows no redirect: a link names the one host that may be dialled."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Dialer:
    """The guest's one connection.

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
        self._outbox: asyncio.Queue[Callable[[ClientConnection], object]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._websocket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.driver = Driver(guest, clock, self)

    def dial(self) -> None:
        """Begin. `driver.ready` is done when the host has let this side in."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._run()))

    async def closed(self) -> None:
        """Wait until the socket is gone: little more than CLOSE_SECONDS."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._websocket:
            self._websocket.transport.abort()

    # --- The driver's wire -------------------------------------------------------------------------------------------

    def send(self, to: ConnectionId, data: bytes) -> None:  # noqa: ARG002 - there is one connection
        """A frame's text goes out."""
        self._waiting_bytes += len(data)
        self._outbox.put_nowait(lambda websocket: self._send(websocket, data))
        if self._waiting_bytes > OUTBOX_BYTES:
            self._step(self.guest.overflow)

    def ping(self, to: ConnectionId) -> None:  # noqa: ARG002
        """A WebSocket ping goes out; its pong is a sign of life."""
        self._outbox.put_nowait(self._ping)

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:  # noqa: ARG002
        """A close frame goes out, and the socket is closed soon."""
        self._outbox.put_nowait(lambda websocket: websocket.close(code, reason))

    def shut(self) -> None:
        """Whatever is still dialling or writing has CLOSE_SECONDS left."""
        loop = asyncio.get_running_loop()
        if self._websocket is None:
            self._cancel()
        else:
            loop.call_later(CLOSE_SECONDS, self._cancel)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    # --- The socket --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            self._websocket = await self._open()
        except (OSError, InvalidHandshake, InvalidURI, ProxyError, TimeoutError, EOFError) as error:
            self.trouble = explain(error, self._host)
            self._step(self.guest.unreachable)
            return
        self._step(self.guest.connected)
        writer = asyncio.get_running_loop().create_task(self._write(self._websocket))
        self._tasks.append(writer)
        try:
            await self._read(self._websocket)
        finally:
            if self.driver.cause is None or self._outbox.empty():
                writer.cancel()

    async def _open(self) -> ClientConnection:
        return await _Connect(
            self._url,
            compression=None,
            user_agent_header=None,
            # Loopback never goes through a proxy; everything else as the environment says.
            proxy=None if self._host in LOOPBACK else True,
            open_timeout=JOIN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,
            max_size=HOST_FRAME_BYTES,
            logger=_SILENT,
        )

    async def _read(self, websocket: ClientConnection) -> None:
        try:
            while True:
                message = await websocket.recv()
                self._step(self.guest.heard)
                self._receive(message)
        except ConnectionClosed as closed:
            self._closed(closed)

    def _receive(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            try:
                message = message.decode("utf-8")
            except UnicodeDecodeError:
                self._step(self.guest.noise)
                return
        text = message
        self.driver.step(lambda now: self.guest.receive(text, now))

    def _closed(self, closed: ConnectionClosed) -> None:
        ours = closed.sent if not closed.rcvd_then_sent else None
        if ours and ours.code == CloseCode.MESSAGE_TOO_BIG:
            self._step(self.guest.oversize)
        elif ours and ours.code == CloseCode.INVALID_DATA:
            self._step(self.guest.not_text)
        reason = closed.rcvd.reason if closed.rcvd else ""
        self.driver.step(lambda now: self.guest.lost(reason, now))

    async def _write(self, websocket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                action = (await self._outbox.get())(websocket)
                if asyncio.iscoroutine(action):
                    await action

    async def _send(self, websocket: ClientConnection, data: bytes) -> None:
        await websocket.send(data, text=True)
        self._waiting_bytes -= len(data)

    async def _ping(self, websocket: ClientConnection) -> None:
        pong = await websocket.ping()
        pong.add_done_callback(self._ponged)

    def _ponged(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._step(self.guest.heard)

    def _step(self, handle: Callable[[Instant], list[Effect]]) -> None:
        self.driver.step(handle)


def explain(error: Exception, host: str) -> str:
    """What went wrong on the way to a WebSocket, in a sentence that names the stage and the next step."""
    match error:
        case socket.gaierror():
            return f"DNS: the name {host} has no address here. Check the link, and whether the host's tunnel is still open."
        case ConnectionRefusedError():
            return f"TCP: {host} refused the connection. The host's tunnel is probably closed; ask for a new link."
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate of {host} is not trusted here ({error.verify_message}). Do not go on if you expected it to be."
        case ssl.SSLError():
            return f"TLS: no secure connection to {host} came about ({error.reason}). Check the link and your network."
        case ProxyError():
            return f"Proxy: it did not let us through to {host}. Check HTTPS_PROXY and NO_PROXY."
        case InvalidStatus():
            status = error.response.status_code
            return f"WebSocket: {host} answered with status {status}. The tunnel is probably closed; ask for a new link."
        case TimeoutError():
            return (
                f"TCP: {host} did not answer within {JOIN_SECONDS} seconds. Check your network and whether the host still runs."
            )
        case OSError():
            return f"TCP: {host} cannot be reached ({error.strerror or type(error).__name__}). Check your network."
        case _:
            return f"WebSocket: what answers at {host} is no relay ({type(error).__name__}). Check the link."
