import asyncio

from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.log import Log
from tunnel_conformance.wire.plain import Plain

from tests.io.asynchronous import asynchronous
from tests.standins.programs import free_port

PATIENCE = 5.0


@asynchronous
async def test_the_status_of_an_answer_is_read() -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 426 Upgrade Required\r\n\r\n" + b"x" * 100_000)
        writer.close()

    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    log, bell = Log(), Bell()
    plain = Plain("A", log, bell)
    await plain.dial(listening.sockets[0].getsockname(), b"GET / HTTP/1.1\r\n\r\n", PATIENCE)

    assert await bell.until(lambda: plain.is_gone, PATIENCE)
    assert plain.status == 426
    assert [entry.text for entry in log.entries][1] == "HTTP/1.1 426 Upgrade Required"
    listening.close()
    await asyncio.sleep(0.01)


@asynchronous
async def test_what_is_no_http_has_no_status() -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    bell = Bell()
    plain = Plain("A", Log(), bell)
    await plain.dial(listening.sockets[0].getsockname(), b"", PATIENCE)

    assert await bell.until(lambda: plain.is_gone, PATIENCE)
    assert plain.status is None
    plain.abort()
    listening.close()
    await asyncio.sleep(0.01)


@asynchronous
async def test_a_port_at_which_nobody_listens_is_told() -> None:
    plain = Plain("A", Log(), Bell())
    await plain.dial(("127.0.0.1", free_port()), b"", PATIENCE)

    assert plain.is_gone
    assert plain.how.startswith("no connection came about")
    plain.abort()
