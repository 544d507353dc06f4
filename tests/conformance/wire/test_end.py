"""A peer of the kit and what a stranger may do to it: the stranger is a bare TCP server that says what a test wants."""

import asyncio
import socket
import struct
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha1

import pytest
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.end import MOST_BYTES
from tunnel_conformance.wire.fields import MOST_VALUES
from tunnel_conformance.wire.guest import Guest
from tunnel_conformance.wire.link import mint
from tunnel_conformance.wire.log import Log
from tunnel_conformance.wire.plain import Plain

from tests.io.asynchronous import asynchronous
from tests.standins.programs import free_port

PATIENCE = 5.0
Stranger = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    key = next(line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key:")).split(b": ")[1]
    accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def saying(*frames: bytes) -> Stranger:
    """Opens the WebSocket, writes these bytes, and waits until it is left."""

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        writer.write(b"".join(frames))
        await reader.read()

    return stranger


def text(data: bytes, opcode: int = 0x81) -> bytes:
    return bytes([opcode]) + (bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))) + data


@asynccontextmanager
async def guest_of(
    stranger: Stranger, patience: float = PATIENCE, most: int = MOST_BYTES, origin: str = "", offer: str = ""
) -> AsyncGenerator[Guest]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await stranger(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guest = Guest("A", mint(port, "ab", bytes(32)), Log(), Bell())
    guest.most_bytes = most
    await guest.dial(("127.0.0.1", port), patience, origin=origin, offer=offer)
    try:
        yield guest
    finally:
        guest.abort()
        await guest.bell.until(lambda: guest.is_gone, PATIENCE)
        server.close()
        await asyncio.sleep(0.01)


@asynchronous
async def test_a_message_of_very_many_values_is_kept_as_text() -> None:
    """Parsed, it would take twenty times its size."""
    body = b'{"t":"msg","msg":[' + b"[]," * MOST_VALUES + b"0]}"
    long = b"\x81\x7f" + struct.pack(">Q", len(body)) + body
    async with guest_of(saying(text(b'{"t":"msg"}'), long, text(b'{"t":"msg"}'))) as guest:
        await guest.bell.until(lambda: len(guest.came) == 3, PATIENCE)

    assert [came.fields is None for came in guest.came] == [False, True, True]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("name", ["localhost", ""], ids=["by name", "by address"])
@asynchronous
async def test_a_relay_is_reached_at_either_address_of_loopback(host: str, name: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 No\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(refuse, host, 0)
    port = server.sockets[0].getsockname()[1]
    bell = Bell()
    guest, plain = Guest("A", mint(port, "ab", bytes(32)), Log(), bell), Plain("B", Log(), bell)
    await guest.dial((name or host, port), PATIENCE)
    await plain.dial((name or host, port), b"GET / HTTP/1.1\r\n\r\n", PATIENCE)
    await bell.until(lambda: plain.is_gone and guest.is_gone, PATIENCE)
    guest.abort()
    server.close()
    await server.wait_closed()

    assert (guest.status, plain.status) == (404, 404)


@asynchronous
async def test_where_nobody_listens_no_connection_comes_about() -> None:
    guest = Guest("A", mint(1, "ab", bytes(32)), Log(), Bell())
    await guest.dial(("localhost", 1), PATIENCE)

    assert guest.is_gone
    assert guest.how.startswith("no connection came about")


@asynchronous
async def test_every_message_is_kept_with_what_it_is() -> None:
    async with guest_of(saying(text(b'{"t":"msg"}'), text(b"\xff", 0x82), text(b"null"), text(b'{"t":5}'))) as guest:
        await guest.bell.until(lambda: len(guest.came) == 4, PATIENCE)

        assert [(c.name, c.is_text, c.text) for c in guest.came] == [
            ("msg", True, '{"t":"msg"}'),
            ("", False, "\\xff"),
            ("", True, "null"),
            ("", True, '{"t":5}'),
        ]


@asynchronous
async def test_fragments_are_one_message_and_pings_between_them_are_answered() -> None:
    async with guest_of(saying(text(b'{"t":', 0x01), text(b"x", 0x89), text(b'"msg"}', 0x80))) as guest:
        await guest.bell.until(lambda: bool(guest.came), PATIENCE)

        assert guest.came[0].name == "msg"
        assert guest.pings == 1


@pytest.mark.parametrize(
    ("sent", "told", "how"),
    [
        (text(struct.pack(">H", 1008) + b"refused", 0x88), '1008 "refused"', 'it was closed with 1008 "refused"'),
        (text(b"", 0x88), "1005", "it was closed with 1005"),
        (b"\x83\x00", "None", "what it sent is no WebSocket"),
        (b"\xc1\x00", "None", "what it sent is no WebSocket"),
        (b"\x81\x80\x00\x00\x00\x00", "None", "what it sent is no WebSocket"),
        (text(b"\xff", 0x88), "None", "what it sent is no WebSocket"),
    ],
    ids=["with a reason", "without a word", "a reserved opcode", "a reserved bit", "masked", "a broken close frame"],
)
@asynchronous
async def test_how_a_connection_ended_is_told(sent: bytes, told: str, how: str) -> None:
    async with guest_of(saying(sent)) as guest:
        await guest.bell.until(lambda: bool(guest.how), PATIENCE)

        assert str(guest.closing) == told
        assert guest.how.startswith(how)


@asynchronous
async def test_a_connection_that_is_reset_is_told_apart() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with guest_of(reset) as guest:
        await guest.bell.until(lambda: guest.is_gone, PATIENCE)

        assert guest.is_over
        assert guest.closing is None
        assert "reset" in guest.how or "closed" in guest.how


@pytest.mark.parametrize(
    ("answer", "status", "how"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "answered with status 404"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "the answer to the WebSocket request is wrong"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "closed"),
        (b"", None, "closed"),
    ],
    ids=["a refusal", "an upgrade that is none", "no HTTP", "nothing"],
)
@asynchronous
async def test_what_answers_a_request_wrongly_is_told(answer: bytes, status: int | None, how: str) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with guest_of(stranger) as guest:
        assert guest.status == status
        assert not guest.is_open
        assert how in guest.how


@asynchronous
async def test_an_extension_that_is_accepted_is_told() -> None:
    """WIRE-9."""

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert b"permessage-deflate" in request
        assert b"Origin: https://page.example" in request
        key = next(line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key:")).split(b": ")[1]
        accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    async with guest_of(stranger, offer="permessage-deflate", origin="https://page.example") as guest:
        assert not guest.is_open
        assert "no extensions supported" in guest.how


@asynchronous
async def test_a_port_at_which_nobody_listens_is_told() -> None:
    port = free_port()
    guest = Guest("A", mint(port, "ab", bytes(32)), Log(), Bell())
    await guest.dial(("127.0.0.1", port), PATIENCE, small=True)

    assert guest.is_over
    assert guest.how.startswith("no connection came about")


@asynchronous
async def test_a_request_that_nobody_answers_is_not_waited_for_forever() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with guest_of(silent, patience=0.1) as guest:
        assert guest.how == "the WebSocket request was not answered"


@asynchronous
async def test_a_barrier_is_passed_when_pings_are_answered_and_not_waited_for_long_when_they_are_not() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        await reader.read()

    async with guest_of(deaf) as guest:
        began = asyncio.get_running_loop().time()
        await guest.barrier(0.05)
        await guest.barrier(60)

        assert asyncio.get_running_loop().time() - began < 5


@asynchronous
async def test_what_is_done_to_a_connection_that_is_over_does_nothing() -> None:
    async with guest_of(saying(text(b"", 0x88))) as guest:
        await guest.bell.until(lambda: guest.is_over, PATIENCE)
        guest.send(b"late")
        guest.ping()
        guest.leave()
        await guest.barrier(0.05)
        guest.freeze()
        guest.thaw()
        guest.vanish()
        guest.vanish()

        assert guest.is_over


@asynchronous
async def test_whoever_sends_without_end_is_cut_off() -> None:
    async with guest_of(saying(text(b"x" * 1000) * 20), most=10_000) as guest:
        await guest.bell.until(lambda: guest.is_gone, PATIENCE)

        assert guest.how == "it sent more than 10000 bytes"


@asynchronous
async def test_what_makes_no_sense_behind_the_end_is_not_read() -> None:
    async with guest_of(saying(text(b"", 0x88) + b"\xff" * 100)) as guest:
        await guest.bell.until(lambda: guest.is_over, PATIENCE)
        guest.data_received(b"more")
        guest.eof_received()
        guest.data_received(b"and more")

        assert guest.closing
