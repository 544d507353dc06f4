"""The window is served within bounds, and gone when it is closed."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests.app.ends import StillClock, is_free, open_, say
from tests.app.watch.windows import a_stream, a_window
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.app.watch.serving import MOST_CONNECTIONS, Serving
from tunnel.app.watch.token import Token
from tunnel.transport.loopback import Loopback

pytestmark = pytest.mark.anyio


async def test_it_listens_on_this_machine_only() -> None:
    async with a_window() as served:
        with socket.socket() as probe:
            probe.settimeout(1)
            outside = probe.connect_ex(("127.0.0.2", served.port))

        assert outside != 0
        assert not is_free(served.port)


async def test_when_it_is_closed_its_port_is_free_at_once_even_if_somebody_looks_on() -> None:
    async with AsyncExitStack() as open_ones:
        async with a_window() as served:
            streams = [await open_ones.enter_async_context(a_stream(served)) for _ in range(3)]
            for stream in streams:
                await stream.next()
            began = time.monotonic()
            await served.window.close()
            took = time.monotonic() - began

        assert took < 1
        assert is_free(served.port)
        assert [await stream.has_ended() for stream in streams] == [True] * 3


async def test_signals_stay_the_tunnel_s() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with a_window():
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert during == before


async def test_what_is_no_http_is_answered_and_nothing_is_written_about_it(capfd: pytest.CaptureFixture[str]) -> None:
    async with a_window() as served:
        answers = [await served.raw(bytes_) for bytes_ in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"x" * 100_000)]
        assert (await served.ask("GET")).status_code == 200

    assert [answer.startswith(b"HTTP/1.1 400 ") or not answer for answer in answers] == [True] * 3
    assert capfd.readouterr() == ("", "")


async def test_a_websocket_is_not_spoken() -> None:
    async with a_window() as served:
        request = (
            f"GET {served.path}events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(request.encode())
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()

    assert not line.startswith(b"HTTP/1.1 101")


@asynccontextmanager
async def a_quick_server() -> AsyncGenerator[tuple[Tools, Serving, int]]:
    """A page whose connections are looked at often."""
    alice = Tools(Settings(budget=0), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    serving = Serving(alice, Token(bytes), check_seconds=0.2)
    await serving.begin()
    try:
        yield alice, serving, urlsplit(serving.page.url).port or 0
    finally:
        await serving.end()
        await alice.exit()


async def answer_of(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_of_too_many_connections_the_last_is_hung_up_on_and_who_says_nothing_makes_room() -> None:
    async with a_quick_server() as (_, serving, port), AsyncExitStack() as open_ones:
        path = urlsplit(serving.page.url).path
        silent: list[asyncio.StreamReader] = []
        for _ in range(MOST_CONNECTIONS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            open_ones.callback(writer.close)
            silent.append(reader)
        crowded = await answer_of(port, path)
        async with asyncio.timeout(20):
            for reader in silent:
                with suppress(ConnectionError):
                    assert await reader.read() == b""

        assert crowded == b""
        assert (await answer_of(port, path)).startswith(b"HTTP/1.1 200 ")


async def test_who_never_reads_is_given_up_and_who_reads_is_not() -> None:
    async with a_quick_server() as (alice, serving, port):
        path = urlsplit(serving.page.url).path
        await open_(alice)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            reading = asyncio.create_task(reader.read())
            async with asyncio.timeout(20):
                while serving.page.followers < 2:
                    await asyncio.sleep(0.01)
                while serving.page.followers == 2:
                    await say(alice, "x" * 90_000)
                    await asyncio.sleep(0.01)

            assert serving.page.followers == 1
            assert not reading.done()
            reading.cancel()
            writer.close()
