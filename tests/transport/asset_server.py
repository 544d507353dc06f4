"""A server of files for tests of downloads: what it answers is written by the test, byte by byte if need be."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from msgspec import Struct, field

Answer: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


class AssetServer(Struct):
    """Where it is, and of every request that it got the first line, and all before the body."""

    url: str
    requests: list[str] = field(default_factory=list[str])
    heads: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[AssetServer]:
    """A server that gives one answer after another, the last one for good."""
    left = list(answers)
    here = AssetServer("")
    handling: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError):
            heads = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            here.heads.append(heads)
            here.requests.append(heads.partition("\r\n")[0])
            await (left.pop(0) if len(left) > 1 else left[0])(writer)
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    here.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield here
    await asyncio.gather(*filter(None, handling))


def whole(body: bytes) -> Answer:
    """The file."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, len(body)) + body)

    return answer


def cut_off(body: bytes, promised: int) -> Answer:
    """A part of the file, then the end of the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, promised) + body)

    return answer


def stalled(body: bytes, until: asyncio.Event) -> Answer:
    """A part of the file, then nothing."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, len(body) + 1) + body)
        await writer.drain()
        await until.wait()

    return answer


def endless() -> Answer:
    """Bytes, and no end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(65536))
            await writer.drain()

    return answer


def sent_elsewhere(url: str) -> Answer:
    """A redirect."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode())

    return answer


def refused(status: int) -> Answer:
    """No file."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, 0))

    return answer


def head(status: int, length: int) -> bytes:
    """What comes before a body."""
    return f"HTTP/1.1 {status} It is\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()
