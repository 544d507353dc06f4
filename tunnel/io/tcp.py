"""A TCP connection to one of several addresses, and to nothing else: no name is looked up here (RFC 8305)."""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from ipaddress import IPv6Address
from itertools import chain, zip_longest
from typing import Final

from tunnel.io.race import first
from tunnel.io.reach import Address

STAGGER_SECONDS: Final = 0.25
"""How long an address is tried alone (RFC 8305 section 8)."""

ATTEMPTS: Final = 8
"""So many addresses are tried."""


async def connected(addresses: Sequence[Address], port: int) -> socket.socket:
    """A socket that is connected to one of the addresses.

    Raises:
        OSError: none of them takes a connection. That one refused tells more than that another cannot be reached.
    """
    attempts = [partial(_connected, address, port) for address in in_turn(addresses)[:ATTEMPTS]]
    try:
        return await first(attempts, STAGGER_SECONDS, socket.socket.close)
    except ExceptionGroup as failed:
        raise min(failed.exceptions, key=lambda error: not isinstance(error, ConnectionRefusedError)) from None


def in_turn(addresses: Sequence[Address]) -> list[Address]:
    """The two kinds of addresses in turn, beginning with the kind of the first one (RFC 8305 section 4)."""
    alike = [address for address in addresses if address.version == addresses[0].version]
    others = [address for address in addresses if address.version != addresses[0].version]
    return [address for address in chain(*zip_longest(alike, others)) if address is not None]


async def _connected(address: Address, port: int) -> socket.socket:
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    # With its protocol named, the event loop sends small frames at once.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setblocking(False)  # noqa: FBT003 - it takes no keyword
        await asyncio.get_running_loop().sock_connect(opened, (str(address), port))
    except BaseException:
        opened.close()
        raise
    return opened
