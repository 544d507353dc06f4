"""A window that is served, and whoever knocks at it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.app.ends import end
from tunnel.app.tools import Tools
from tunnel.app.watch.window import Window


class Served:
    """A window and its address."""

    def __init__(self, tools: Tools, window: Window, url: str) -> None:
        self.tools = tools
        self.window = window
        self.url = url
        self.token = window.new_token()
        parts = urlsplit(url)
        self.port = parts.port or 0
        self.path = parts.path
        self.own = f"http://127.0.0.1:{self.port}"

    async def ask(self, method: str, name: str = "", **more: Any) -> httpx2.Response:
        """One request, as a browser of nobody's would send it."""
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
            return await client.request(method, self.url + name, **more)

    async def press(self, button: str, body: bytes = b"{}", **headers: str) -> httpx2.Response:
        """A button is pressed; headers that are empty are left out."""
        sent = {"origin": self.own, "tunnel-token": self.token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.ask("POST", button, content=body, headers={name: v for name, v in sent.items() if v})

    async def raw(self, request: bytes) -> bytes:
        """Bytes are sent, and the answer is read to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(20):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def a_window(tools: Tools | None = None) -> AsyncGenerator[Served]:
    """A window of Alice's, with a token."""
    alice = tools or end("Alice")
    window = Window(alice)
    try:
        yield Served(alice, window, await window.open())
    finally:
        await window.close()
        await alice.exit()


class Stream:
    """What a window hears."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader

    async def next(self) -> dict[str, Any]:
        """The next piece of news."""
        async with asyncio.timeout(20):
            while not (line := await self.reader.readline()).startswith(b"data: "):
                assert line, "the stream has ended"
        return json.loads(line[6:])

    async def has_ended(self) -> bool:
        async with asyncio.timeout(20):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
        return True


@asynccontextmanager
async def a_stream(served: Served) -> AsyncGenerator[Stream]:
    """One window that looks on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=2**24)
    writer.write(f"GET {served.path}events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
    try:
        yield Stream(reader)
    finally:
        writer.close()
