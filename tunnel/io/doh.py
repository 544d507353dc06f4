"""Addresses of a name by DNS over HTTPS (RFC 8484), for machines whose own resolver does not know a name yet, or lies.

The name reaches the resolvers that are set, and nobody on the way to them. Most tunnels need none of this: whoever does
imports it then, since it takes longer than the rest of the start.
"""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, cast
from urllib.parse import unquote, urlsplit

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import httpcore2

from tunnel.core.text import visible
from tunnel.io.lookup import DohError, Lookup, NoSuchNameError, system_addresses
from tunnel.io.network import Network
from tunnel.io.race import first

STAGGER_SECONDS: Final = 0.5
"""How long a server is asked alone."""

ANSWER_BYTES: Final = 65_535
"""No DNS message is larger (RFC 1035 section 4.2.2)."""

ADDRESSES: Final = 16
"""So many addresses of an answer are taken."""

_MESSAGE: Final = "application/dns-message"
_HEADERS: Final = (("Accept", _MESSAGE), ("Content-Type", _MESSAGE))
_PROXIES: Final = frozenset({"http", "https", "socks5", "socks5h"})
_SHOWN_BYTES: Final = 80

# How dnspython reads a type it decides for good when it first meets it. Were that in a record of class ANY, which any answer
# may hold, it would read no address of this type from then on, in this process: so addresses are what it meets first.
_MET_FIRST: Final = (dns.rdata.from_text("IN", "A", "0.0.0.0"), dns.rdata.from_text("IN", "AAAA", "::"))  # noqa: S104


class Doh:
    """A resolver.

    Args:
        servers: `https://` URLs, in the order in which they are asked.
        tls: whom to trust.
        proxy: the URL of the proxy on the way to them.
        lookup: resolves the names in these URLs.
    """

    def __init__(
        self, servers: Sequence[str], tls: ssl.SSLContext, proxy: str | None = None, lookup: Lookup = system_addresses
    ) -> None:
        self._servers = servers
        self._tls = tls
        self._proxy = proxy
        self._lookup = lookup

    async def addresses(self, name: str, seconds: float) -> list[IPv4Address | IPv6Address]:
        """The addresses of a name, of both kinds.

        Args:
            name: what to look up.
            seconds: how long to ask.

        Raises:
            NoSuchNameError: a server says that there are none.
            DohError: no server gave an answer in time.
        """
        try:
            dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            raise NoSuchNameError(f"{visible(name, _SHOWN_BYTES)} is no name that can exist.") from None
        if not self._servers:
            raise DohError("No server of DNS over HTTPS is set.")
        try:
            async with asyncio.timeout(seconds):
                found = await self._race(name)
        except TimeoutError:
            raise DohError(f"No server of DNS over HTTPS answered within {seconds:g} s.") from None
        if not found:
            raise NoSuchNameError(f"{visible(name, _SHOWN_BYTES)} does not exist, or has no address.")
        return found[:ADDRESSES]

    async def _race(self, name: str) -> list[IPv4Address | IPv6Address]:
        network = Network(self._lookup)
        try:
            async with httpcore2.AsyncConnectionPool(
                self._tls, _proxy(self._proxy, self._tls), network_backend=network
            ) as pool:
                return await first([partial(_ask, pool, server, name) for server in self._servers], STAGGER_SECONDS)
        except (ExceptionGroup, ValueError):  # a ValueError says that the proxy is none
            raise DohError("No server of DNS over HTTPS gave an answer that can be read.") from None
        finally:
            network.abort()


def _proxy(url: str | None, tls: ssl.SSLContext) -> httpcore2.Proxy | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _PROXIES:
        raise ValueError(parts.scheme)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return httpcore2.Proxy(bare, auth, ssl_context=tls if parts.scheme == "https" else None)


async def _ask(pool: httpcore2.AsyncConnectionPool, server: str, name: str) -> list[IPv4Address | IPv6Address]:
    """What one server says; nothing when it says that there is nothing.

    Both kinds are asked for at once, and one is enough: a server may fail at the other.
    """
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    answers = await asyncio.gather(*(_answer(pool, server, name, kind) for kind in kinds), return_exceptions=True)
    found = [address for answer in answers if isinstance(answer, list) for address in answer]
    for answer in answers:
        if isinstance(answer, BaseException) and not found:
            raise answer
    return found


async def _answer(
    pool: httpcore2.AsyncConnectionPool, server: str, name: str, kind: dns.rdatatype.RdataType
) -> list[IPv4Address | IPv6Address]:
    # The same question is always the same bytes, so that caches know it (RFC 8484 section 4.1).
    query = dns.message.make_query(name, kind, id=0)
    async with pool.stream("POST", server, content=query.to_wire(), headers=_HEADERS) as response:
        if response.status != HTTPStatus.OK:
            raise DohError(f"status {response.status}")
        body = b""
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise DohError("too long an answer")
    return _read(query, body)


def _read(query: dns.message.Message, body: bytes) -> list[IPv4Address | IPv6Address]:
    """The addresses in an answer, behind its aliases."""
    message = dns.message.from_wire(body)
    if not query.is_response(message) or not isinstance(message, dns.message.QueryMessage):
        raise DohError("an answer to another question")
    match message.rcode():
        case dns.rcode.NXDOMAIN:
            return []
        case dns.rcode.NOERROR:
            # Its records have no types: they are of the kind that was asked for, and their text is checked here.
            records = cast(Iterable[object], message.resolve_chaining().answer or ())
            return [ip_address(str(record)) for record in records]
        case _:
            raise DohError("the server failed")
