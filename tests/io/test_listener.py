"""A port is there when it listens and free when it is shut, whoever is connected."""

import asyncio
import socket
import time

import pytest

from tests.io.asynchronous import asynchronous
from tests.io.wire import CLOSING_SECONDS, PATH, SOON_SECONDS, Noted, client, listening
from tests.standins.programs import free_port
from tunnel.io.listener import Listener


async def connects(port: int, host: str = "127.0.0.1") -> bool:
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.transport.abort()
    return True


@asynchronous
async def test_it_listens_on_the_loopback_address_and_no_other() -> None:
    async with listening(Noted()) as (_, port):
        assert await connects(port)
        assert not await connects(port, "127.0.0.2")


@asynchronous
async def test_it_listens_at_another_address_where_that_is_wanted_and_no_other() -> None:
    listener = Listener(PATH, Noted())
    port = await listener.listen(free_port(), "127.0.0.2")
    there, elsewhere = await connects(port, "127.0.0.2"), await connects(port)
    await listener.closed()

    assert (there, elsewhere) == (True, False)
    assert not await connects(port, "127.0.0.2")


@asynchronous
async def test_an_address_of_another_machine_is_an_error() -> None:
    listener = Listener(PATH, Noted())

    with pytest.raises(OSError, match=r"192\.0\.2\.1"):
        await listener.listen(0, "192.0.2.1")

    await listener.closed()


@asynchronous
async def test_every_connection_has_a_number_of_its_own() -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as one, client(port) as other:
        await one.open()
        await other.open()
        listener.send(2, b'{"to": 2}')
        listener.send(1, b'{"to": 1}')

        assert await one.message() == {"to": 1}
        assert await other.message() == {"to": 2}


@asynchronous
async def test_what_is_for_nobody_is_dropped() -> None:
    async with listening(Noted()) as (listener, _):
        listener.send(7, b"x")
        listener.ping(7)
        listener.hang_up(7, 1000, "")

        assert not listener.is_free(7)


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_the_port_is_free_as_soon_as_it_is_shut() -> None:
    """CLOSE-2: also while a peer is still there that does not go."""
    async with listening(Noted(), free_port()) as (listener, port), client(port) as them:
        await them.open()
        began = time.monotonic()
        listener.shut()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert not await connects(port)
        assert time.monotonic() - began < SOON_SECONDS
        other = Listener(PATH, Noted())
        assert await other.listen(port) == port
        await other.closed()


@pytest.mark.parametrize(
    "asks", [b"", b"GET / HT", b"GET / HTTP/1.1\r\n\r\n"], ids=["nothing", "half", "a plain request"]
)
@asynchronous
async def test_a_socket_that_stays_does_not_keep_the_listener_from_closing(asks: bytes) -> None:
    """CLOSE-2."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        them.write(asks)
        await noted.hears("accept")
        began = time.monotonic()
        await listener.closed()

        assert time.monotonic() - began < CLOSING_SECONDS
        assert await them.is_closed()
        assert noted.told == ["accept", "lost"]


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_listener_without_sockets_closes_at_once() -> None:
    async with listening(Noted()) as (listener, _):
        began = time.monotonic()
        await listener.closed()

        assert time.monotonic() - began < SOON_SECONDS


@asynchronous
async def test_shutting_and_closing_again_changes_nothing() -> None:
    async with listening(Noted(), free_port()) as (listener, port):
        listener.shut()
        listener.shut()
        await listener.closed()
        await listener.closed()
        listener.shut()

        assert not await connects(port)


@asynchronous
async def test_a_listener_that_was_shut_before_it_listened_gives_the_port_back() -> None:
    port = free_port()
    listener = Listener(PATH, Noted())
    listener.shut()

    with pytest.raises(ConnectionAbortedError, match="closed before it listened"):
        await listener.listen(port)

    assert not await connects(port)
    await listener.closed()


@pytest.mark.parametrize("turns", range(6))
@asynchronous
async def test_whoever_is_cancelled_while_it_begins_to_listen_can_give_the_port_back(turns: int) -> None:
    port = free_port()
    listener = Listener(PATH, Noted())
    listening = asyncio.ensure_future(listener.listen(port))
    for _ in range(turns):
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait([listening])
    await listener.closed()

    assert not await connects(port)


@asynchronous
async def test_a_port_that_is_taken_is_an_error() -> None:
    async with listening(Noted()) as (_, port):
        other = Listener(PATH, Noted())

        with pytest.raises(OSError, match=str(port)):
            await other.listen(port)


@pytest.mark.parametrize("turns", range(6))
@asynchronous
async def test_a_socket_that_comes_out_of_the_queue_behind_the_end_is_cut(turns: int) -> None:
    """CLOSE-2: wherever on its way from the system to us it is when the listener is shut."""
    noted = Noted()
    async with listening(noted) as (listener, port):
        with socket.create_connection(("127.0.0.1", port)) as them:
            them.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            began = time.monotonic()
            await listener.closed()
            try:
                left = await asyncio.get_running_loop().sock_recv(them, 1)
            except ConnectionResetError:
                left = b""

            assert left == b""
            assert time.monotonic() - began < CLOSING_SECONDS
            assert noted.told.count("accept") == noted.told.count("lost")
            assert not listener._sockets
