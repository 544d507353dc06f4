"""A stream is dressed in TLS and handed over, and its socket is closed whenever it is told so."""

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering
from tests.io.wire import Client
from tests.standins.certificates import Authority
from tunnel.io.stream import Stream
from tunnel.io.trust import tls_context


async def stream_to(port: int) -> Stream:
    connected = socket.socket()
    connected.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
    return await Stream.over(connected)


class Notes(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.ended = asyncio.get_running_loop().create_future()
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)


async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello there\n")
    await reader.read()


@asynchronous
async def test_bytes_are_read_as_they_are_asked_for() -> None:
    async with answering(greets) as port:
        stream = await stream_to(port)

        assert await stream.read_exactly(2) == b"he"
        assert await stream.read_until(b"o") == b"llo"
        assert await stream.read(100) == b" there\n"
        await stream.close()


@pytest.mark.parametrize("layers", [0, 1, 2])
@asynchronous
async def test_whoever_it_is_handed_to_reads_and_writes(tmp_path: Path, layers: int) -> None:
    """Also behind TLS in TLS, as with a proxy that speaks TLS itself."""
    authority = Authority(tmp_path)
    server = authority.issue("host.example").server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(layers):
            await writer.start_tls(server)
        await echo(reader, writer)

    async with answering(serve) as port:
        stream = await stream_to(port)
        for _ in range(layers):
            await stream.secure(tls_context(authority.file), "host.example")
        notes = Notes()
        stream.hand_over(notes)
        await stream.write(b"hello")
        while notes.data != b"hello":
            await asyncio.sleep(0)
        stream.abort()
        await notes.ended


@asynchronous
async def test_what_comes_before_it_is_asked_for_is_dropped() -> None:
    async with answering(greets) as port:
        stream = await stream_to(port)
        assert await stream.read_exactly(1) == b"h"
        notes = Notes()
        stream.hand_over(notes)
        stream.abort()
        await notes.ended

        assert notes.data == b""


@asynchronous
async def test_a_flood_is_not_read_and_whoever_takes_over_reads_on() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(bytes(65_536))
                await writer.drain()

    async with answering(flood) as port:
        stream = await stream_to(port)
        while stream._transport.is_reading():
            await asyncio.sleep(0)
        with pytest.raises(asyncio.LimitOverrunError):
            await stream.read_until(b"\r\n\r\n")
        notes = Notes()
        stream.hand_over(notes)
        while not notes.data:
            await asyncio.sleep(0)
        stream.abort()
        await notes.ended


@pytest.mark.parametrize("way", ["closed by them", "closed by us"])
@asynchronous
async def test_what_is_closed_is_not_handed_over(way: str) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if way == "closed by us":
            await reader.read()

    async with answering(hang_up) as port:
        stream = await stream_to(port)
        if way == "closed by us":
            stream.abort()
        else:
            assert await stream.read(1) == b""
        with pytest.raises(EOFError):
            stream.hand_over(Notes())
        stream.abort()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["nothing", "plain text"])
@asynchronous
async def test_who_speaks_no_tls_is_an_error(answer: bytes) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()

    async with answering(plain) as port:
        stream = await stream_to(port)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await stream.secure(tls_context(None), "host.example")
        stream.abort()


@asynchronous
async def test_who_gives_up_during_tls_closes_the_socket() -> None:
    gone = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await Client(reader, writer).is_closed()
        gone.set()

    async with answering(deaf) as port:
        stream = await stream_to(port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await stream.secure(tls_context(None), "host.example")
        stream.abort()
        await gone.wait()


@asynchronous
async def test_a_socket_that_carries_no_stream_is_closed() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as packets, pytest.raises(ValueError, match="Stream"):
        await Stream.over(packets)
    assert packets.fileno() == -1


class LosingLoop(asyncio.SelectorEventLoop):
    """An event loop in which the connection is lost in the moment in which TLS is through."""

    async def start_tls(self, *_args: object, **_settings: object) -> None:
        return None


def test_a_connection_that_is_lost_when_tls_is_through_is_an_error() -> None:
    async def secured() -> None:
        async with answering(echo) as port:
            stream = await stream_to(port)
            try:
                await stream.secure(tls_context(None), "host.example")
            finally:
                stream.abort()

    with asyncio.Runner(loop_factory=LosingLoop) as runner, pytest.raises(ConnectionResetError):
        runner.run(secured())
