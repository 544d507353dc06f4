"""The way from a link to an open byte stream at its host, stage by stage, and each of them bounded in time.

What was judged is what is dialled: a name is resolved once, and a link without TLS leads to nothing but the addresses
that were found private (LINK-10), also behind a proxy. Nobody sends us anywhere else (LINK-11).
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import urlsplit

from tunnel.errors import TheirFault
from tunnel.io.lookup import Resolver
from tunnel.io.proxies import Proxy, choose
from tunnel.io.reach import Address, is_loopback, is_private, known_addresses
from tunnel.io.resolver import NoAddressError, addresses
from tunnel.io.stream import Stream
from tunnel.io.tcp import connected
from tunnel.io.through import ask
from tunnel.io.trouble import SlowError, Stage
from tunnel.io.trust import tls_context
from tunnel.io.way import Way

_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443


class TooOpenError(TheirFault):
    """A link without TLS leads out of the networks in which that is good enough (LINK-10)."""


class Passage:
    """One way to a host.

    Args:
        url: what is dialled: a checked link without its fragment.
        way: what may be used.
    """

    def __init__(self, url: str, way: Way) -> None:
        parts = urlsplit(url)
        self.stage = Stage.LINK
        self.host = parts.hostname or ""
        self.peer = self.host
        """Who is being talked to, for a person."""
        self._is_secure = parts.scheme == "wss"
        self._port = parts.port or (_HTTPS_PORT if self._is_secure else _HTTP_PORT)
        self._way = way
        self._tls: ssl.SSLContext | None = None

    async def open(self) -> Stream:
        """The stream on which the host is asked for a WebSocket. At `stage` stands how far it has come.

        Raises:
            TunnelError: it does not come about, and the text says why.
            OSError: the same, from the system; the stage belongs to it. A stage that takes too long raises a SlowError.
            EOFError: it was closed.
        """
        self._check(known_addresses(self.host))
        self.stage = Stage.PROXY
        proxy = choose(self._way.environment, self.host, self._port, secure=self._is_secure)
        stream = await (self._through(proxy) if proxy else self._straight())
        if self._is_secure:
            try:
                async with self.within(Stage.TLS, self._way.patience.tls_seconds):
                    await stream.secure(self._trust(), self._server_name(self.host))
            except BaseException:
                stream.abort()
                raise
        return stream

    @asynccontextmanager
    async def within(self, stage: Stage, seconds: float, peer: str = "") -> AsyncGenerator[None]:
        """A stage, in which somebody is talked to for so long; the host, if nobody else is named."""
        self.stage, self.peer = stage, peer or self.host
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise SlowError(seconds) from None

    # --- The two ways ------------------------------------------------------------------------------------------------

    async def _straight(self) -> Stream:
        return await self._dialled(await self._resolved())

    async def _dialled(self, found: list[Address]) -> Stream:
        async with self.within(Stage.TCP, self._way.patience.tcp_seconds):
            return await Stream.over(await connected(found, self._port))

    async def _through(self, proxy: Proxy) -> Stream:
        """A proxy resolves names as it likes. So where the address matters, it is given an address."""
        target = self.host
        if proxy.resolves_here or not self._is_secure:
            found = await self._resolved()
            if all(map(is_loopback, found)):
                return await self._dialled(found)
            target = self._target(proxy, found)
        async with self.within(Stage.PROXY, self._way.patience.proxy_seconds, proxy.shown):
            stream = await self._at(proxy)
            try:
                if proxy.scheme == "https":
                    await stream.secure(self._trust(), self._server_name(proxy.host))
                await ask(stream, proxy, target, self._port)
            except BaseException:
                stream.abort()
                raise
            return stream

    async def _at(self, proxy: Proxy) -> Stream:
        """The stream to a proxy. Its name is the network's own, and no stranger's resolver is asked for it."""
        found = known_addresses(proxy.host) or await self._way.lookup(proxy.host)
        if not self._is_secure and not all(map(is_private, found)):
            self.stage = Stage.LINK
            raise TooOpenError(
                f"a link that starts with 'ws:' would go through {proxy.shown}, which is outside of private networks: "
                "anybody on the way could read it. Ask the host for a link that starts with 'wss:'."
            )
        return await Stream.over(await connected(found, proxy.port))

    def _target(self, proxy: Proxy, found: list[Address]) -> str:
        is_old = proxy.scheme.startswith("socks4")
        # A loopback address means the proxy's own machine to it: a stranger's link does not lead there.
        outside = [address for address in found if not is_loopback(address)]
        fitting = [address for address in outside if not is_old or isinstance(address, IPv4Address)]
        if not fitting:
            self.stage = Stage.PROXY
            raise NoAddressError(f"{self.host} has no IPv4 address, and {proxy.shown} takes no other. Try socks5h.")
        return str(fitting[0])

    # --- What they need ----------------------------------------------------------------------------------------------

    async def _resolved(self) -> list[Address]:
        way, self.stage = self._way, Stage.DNS
        doh = self._doh if way.doh_servers else None
        found = known_addresses(self.host) or await addresses(
            self.host, way.lookup, doh, way.patience.system_seconds, way.patience.doh_seconds
        )
        self._check(found)
        return found

    def _doh(self) -> Resolver:
        from tunnel.io.doh import Doh

        parts = urlsplit(self._way.doh_servers[0])
        proxy = choose(self._way.environment, parts.hostname or "", parts.port or _HTTPS_PORT, secure=True)
        return Doh(self._way.doh_servers, self._trust(), proxy.url if proxy else None, self._way.lookup)

    def _trust(self) -> ssl.SSLContext:
        """Read when it is needed: a link without TLS does not fail for a certificate file."""
        if self._tls is None:
            self._tls = tls_context(self._way.ca_file)
        return self._tls

    def _check(self, found: list[Address]) -> None:
        """LINK-10, before anything is dialled."""
        if self._is_secure or all(map(is_private, found)):
            return
        self.stage = Stage.LINK
        outside = next(str(address) for address in found if not is_private(address))
        raise TooOpenError(
            f"the link starts with 'ws:' and leads to {outside}, outside of private networks: anybody on the way could read "
            "the goal and the names, and answer in the host's place. Ask the host for a link that starts with 'wss:'."
        )

    @staticmethod
    def _server_name(host: str) -> str:
        """The name that a certificate has to hold: without the dot of the root, and an address in its usual spelling."""
        known = known_addresses(host)
        return str(known[0]) if len(known) == 1 else host.removesuffix(".")
