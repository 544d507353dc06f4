"""HTTP goes over our own sockets, and all of them are closed together."""

import asyncio
from ipaddress import ip_address
from pathlib import Path

import httpcore2
import pytest

from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, says
from tests.standins.certificates import Authority
from tunnel.io.network import Network
from tunnel.io.reach import Address
from tunnel.io.trust import tls_context

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def here(name: str) -> list[Address]:
    assert name == "host.example"
    return [ip_address("127.0.0.1")]


@pytest.mark.parametrize("scheme", ["http", "https"])
@asynchronous
async def test_a_request_goes_to_the_address_of_the_name(tmp_path: Path, scheme: str) -> None:
    authority = Authority(tmp_path)
    network = Network(here)
    tls = authority.issue("host.example").server() if scheme == "https" else None
    async with answering(says(ANSWER), tls) as port:
        async with httpcore2.AsyncConnectionPool(tls_context(authority.file), network_backend=network) as pool:
            response = await pool.request("GET", f"{scheme}://host.example:{port}/")
            assert response.content == b"hello"
        network.abort()


@asynchronous
async def test_every_connection_is_closed_together() -> None:
    gone = asyncio.Semaphore(0)

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.release()

    async with answering(wait) as port:
        network = Network(here)
        for host in ("127.0.0.1", "host.example"):
            await network.connect_tcp(host, port)
        network.abort()
        for _ in range(2):
            await gone.acquire()
