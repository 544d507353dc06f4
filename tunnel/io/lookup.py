"""Asks the system's resolver for the addresses of a name, without being held up by it."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from tunnel.errors import NetworkFault
from tunnel.io.reach import Address


class NoSuchNameError(NetworkFault):
    """A server of DNS over HTTPS says that the name does not exist, or that it has no address."""


class DohError(NetworkFault):
    """No server of DNS over HTTPS gave an answer."""


Lookup = Callable[[str], Awaitable[list[Address]]]
"""Asks the system's resolver: at least one address, or an OSError or UnicodeError for a name that it does not know."""


class Resolver(Protocol):
    """Who asks a server of DNS over HTTPS: `tunnel.io.doh.Doh`."""

    async def addresses(self, name: str, seconds: float) -> list[IPv4Address | IPv6Address]:
        """The addresses of a name, of both kinds.

        Raises:
            NoSuchNameError: a server says that there are none.
            DohError: no server gave an answer in time.
        """
        ...


async def system_addresses(name: str) -> list[Address]:
    """What the system's resolver says: its hosts file, its DNS, whatever else it has.

    It cannot be interrupted and may take minutes. So it runs in a thread that nobody waits for: neither the end of the
    program nor the next lookup, as they would in the event loop's pool.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address] | Exception] = loop.create_future()

    def tell(found: list[Address] | Exception) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        found = _asked(name)
        # The loop may be closed: then nobody wants to know any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    found = await answer
    if isinstance(found, Exception):
        raise found
    return found


def _asked(name: str) -> list[Address] | Exception:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    # An address of the link carries the name of its interface, which has to be dialled with it.
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))
