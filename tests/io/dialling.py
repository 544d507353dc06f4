"""A guest that dials for a test, and those who answer it."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec import Struct

from tests.conversation import Dice
from tests.io.wire import PATH, StillClock
from tunnel.core.guest import Guest
from tunnel.core.link import JoinLink, mint
from tunnel.io.dialer import Dialer
from tunnel.io.way import Way
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import Cause

KEY = Dice("a link")(KEY_BYTES)
BARE = Way(environment={}, doh_servers=())
"""No proxy, and nobody to ask but the system."""


def link_to(port: int, host: str = "127.0.0.1", *, tls: bool = False, key: bytes = KEY) -> JoinLink:
    return mint(f"{'https' if tls else 'http'}://{host}:{port}", PATH.removeprefix("/t/"), key)


class Dialled(Struct):
    """A guest with a dialer."""

    guest: Guest
    dialer: Dialer
    clock: StillClock

    def expire(self, seconds: float) -> None:
        """Let time pass, and the driver look at its clock."""
        self.clock.advance(seconds)
        self.dialer.driver.step(self.guest.expire)

    def close(self, summary: str = "") -> None:
        self.dialer.driver.step(lambda now: self.guest.close(summary, now))

    async def is_joined(self) -> bool:
        """Wait until the guest is in, or it is over."""
        await asyncio.wait([self.dialer.driver.ready])
        return not self.dialer.driver.ready.cancelled()

    async def trouble(self) -> str:
        """Wait until dialling has failed; why."""
        assert not await self.is_joined(), "it is in"
        return self.dialer.trouble

    async def over(self) -> Cause | None:
        """Wait for the end; its cause."""
        while self.dialer.driver.cause is None:
            await self.dialer.driver.changed()
        return self.dialer.driver.cause

    def texts(self) -> list[str]:
        return [self.guest.transcript.text(message) for message in self.guest.transcript.after(0)]


@asynccontextmanager
async def dialled(link: JoinLink, way: Way = BARE) -> AsyncGenerator[Dialled]:
    """A guest that dials, and has left in the end."""
    clock = StillClock()
    core = Guest(link=link, name="Bob", entropy=Dice("a guest"), now=clock.now())
    dialer = Dialer(core, clock, link.url, way)
    dialer.dial()
    here = Dialled(guest=core, dialer=dialer, clock=clock)
    try:
        yield here
    finally:
        here.close()
        await dialer.closed()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


_ACCEPTING = "_accept_connection2"


@asynccontextmanager
async def answering(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """A port at which somebody answers; who is still connected in the end is cut."""
    here: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        here.append((task, writer))
        try:
            await handler(reader, writer)
        except (EOFError, ConnectionError):
            pass  # who dials may go whenever they like
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for _, writer in here:
            writer.transport.abort()
        # Beside ours, asyncio has a task for each handshake, which from Python 3.13 on may end a turn after who dialled has gone.
        accepting = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == _ACCEPTING]
        await asyncio.gather(*accepting, *(task for task, _ in here), return_exceptions=True)


def says(*data: bytes) -> Handler:
    """Somebody who reads a request, says this, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"".join(data))
        await writer.drain()
        writer.close()

    return handle


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Somebody who reads and never answers."""
    while await reader.read(65_536):
        pass
