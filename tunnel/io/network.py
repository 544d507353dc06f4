"""The network below HTTP: our own lookups and sockets for `httpcore2`, none of which outlives its user.

Its own leave a socket behind when somebody gives up in the middle of TLS, and wait at the end of the program for a lookup
that hangs.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from tunnel.io.lookup import Lookup
from tunnel.io.reach import known_addresses
from tunnel.io.stream import Stream
from tunnel.io.tcp import connected


class Network(httpcore2.AsyncNetworkBackend):
    """Opens connections, and closes all of them at once.

    Args:
        lookup: resolves the names of servers.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._streams: list[Stream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - whoever asks bounds the whole
        local_address: str | None = None,  # noqa: ARG002 - the library's interface
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to a server."""
        found = known_addresses(host) or await self._lookup(host)
        stream = await Stream.over(await connected(found, port))
        self._streams.append(stream)
        return _NetworkStream(stream)

    def abort(self) -> None:
        """Close every connection now."""
        for stream in self._streams:
            stream.abort()


class _NetworkStream(httpcore2.AsyncNetworkStream):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        return await self._stream.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        await self._stream.write(buffer)

    async def aclose(self) -> None:
        await self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        await self._stream.secure(ssl_context, server_hostname or "")
        return self
