"""A name is asked of the system first, then of others if that is wished, and what is said in the end is what was tried."""

import asyncio
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.io.asynchronous import asynchronous
from tests.standins.certificates import Authority
from tests.standins.doh import doh_server, knows
from tests.standins.programs import free_port
from tunnel.io.doh import Doh
from tunnel.io.lookup import Lookup
from tunnel.io.reach import Address
from tunnel.io.resolver import NoAddressError, addresses
from tunnel.io.trust import tls_context

HERE = [ip_address("10.0.0.7")]


async def finds(_name: str) -> list[Address]:
    return HERE


async def hangs(_name: str) -> list[Address]:
    await asyncio.Event().wait()
    raise AssertionError


async def fails(_name: str) -> list[Address]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def chokes(_name: str) -> list[Address]:
    raise UnicodeError("label too long")


def nobody() -> Doh:
    return Doh([f"https://127.0.0.1:{free_port()}"], tls_context(None))


def unasked() -> Doh:
    raise AssertionError("nobody else is asked")


@asynchronous
async def test_the_systems_resolver_comes_first() -> None:
    assert await addresses("host.example", finds, unasked, 1, 1) == HERE


@pytest.mark.parametrize("lookup", [hangs, fails])
@asynchronous
async def test_where_it_fails_or_is_slow_others_are_asked(tmp_path: Path, lookup: Lookup) -> None:
    authority = Authority(tmp_path)
    tls = authority.issue("127.0.0.1").server()
    async with doh_server(tls, knows({"host.example.": ["10.0.0.7"]})) as (url, _):
        doh = Doh([url], tls_context(authority.file))

        assert await addresses("host.example", lookup, lambda: doh, 0.05, 5) == HERE
        with pytest.raises(NoAddressError, match=r"and DNS over HTTPS says that it has none.*ask for a new link"):
            await addresses("other.example", lookup, lambda: doh, 0.05, 5)


@pytest.mark.parametrize(
    ("lookup", "says"),
    [
        (hangs, r"did not answer within 0\.05 s when it was asked for host\.example"),
        (fails, r"knows no address of host\.example \(Temporary failure in name resolution\)"),
        (chokes, r"knows no address of host\.example \(it cannot exist\)"),
    ],
)
@asynchronous
async def test_what_is_said_is_what_was_tried(lookup: Lookup, says: str) -> None:
    with pytest.raises(NoAddressError, match=f"the system's resolver {says}, and DNS over HTTPS is off.*TUNNEL_DOH=on"):
        await addresses("host.example", lookup, None, 0.05, 1)
    with pytest.raises(NoAddressError, match=f"the system's resolver {says}, and no server of DNS over HTTPS answered"):
        await addresses("host.example", lookup, nobody, 0.05, 1)
