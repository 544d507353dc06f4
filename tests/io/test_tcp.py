"""One of several addresses takes the connection; what was tried besides is closed."""

import asyncio
import socket
import time
from ipaddress import ip_address

import pytest

from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, silent
from tests.standins.programs import free_port
from tunnel.io.reach import Address
from tunnel.io.tcp import ATTEMPTS, connected, in_turn

BARRED = r"unreachable|route|ermission"
NOWHERE = ip_address("255.255.255.255")
"""No TCP goes there: the system itself says so."""


def addresses(*texts: str) -> list[Address]:
    return [ip_address(text) for text in texts]


@asynchronous
async def test_the_first_address_that_answers_is_taken() -> None:
    async with answering(silent) as port:
        with await connected(addresses("255.255.255.255", "127.0.0.9", "127.0.0.1"), port) as opened:
            assert opened.getpeername() == ("127.0.0.1", port)
            assert opened.proto == socket.IPPROTO_TCP
            assert not opened.getblocking()


@asynchronous
async def test_an_address_that_hangs_does_not_hold_up_the_next_one() -> None:
    """A port whose queue is full answers nobody."""
    async with answering(silent) as port:
        with socket.socket() as full:
            full.bind(("127.0.0.2", port))
            full.listen(0)
            crowd = [socket.socket() for _ in range(4)]
            for one in crowd:
                one.setblocking(False)
                one.connect_ex(("127.0.0.2", port))
            began = time.monotonic()
            with await connected(addresses("127.0.0.2", "127.0.0.1"), port) as opened:
                assert opened.getpeername()[0] == "127.0.0.1"
            assert 0.2 < time.monotonic() - began < 1
            for one in crowd:
                one.close()


@asynchronous
async def test_a_refusal_tells_more_than_a_way_that_is_barred() -> None:
    for found in (addresses("255.255.255.255", "127.0.0.1"), addresses("127.0.0.1", "255.255.255.255")):
        with pytest.raises(ConnectionRefusedError):
            await connected(found, free_port())


@asynchronous
async def test_a_way_that_is_barred_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=BARRED):
        await connected([NOWHERE], 80)


@asynchronous
async def test_who_gives_up_leaves_no_socket() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connected(addresses("127.0.0.1"), full.getsockname()[1])
        for one in crowd:
            one.close()


def test_both_kinds_of_addresses_have_their_turn() -> None:
    found = addresses("::1", "::2", "::3", "10.0.0.1", "10.0.0.2")

    assert in_turn(found) == addresses("::1", "10.0.0.1", "::2", "10.0.0.2", "::3")
    assert in_turn(found[3:]) == found[3:]


@asynchronous
async def test_not_every_address_of_many_is_tried() -> None:
    many = [ip_address("255.255.255.255")] * ATTEMPTS
    async with answering(silent) as port:
        with pytest.raises(OSError, match=BARRED):
            await connected([*many, ip_address("127.0.0.1")], port)
        with await connected([*many[1:], ip_address("127.0.0.1")], port) as opened:
            assert opened.getpeername()[0] == "127.0.0.1"
