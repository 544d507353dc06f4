"""A byte stream on a connected socket, which is dressed on the way: in a proxy's TLS, in the host's, at last in a WebSocket."""

import asyncio
import socket
import ssl


class Stream:
    """Bytes to and from the other side. It holds little: whoever sends more than is read is not read on."""

    def __init__(self, transport: asyncio.Transport, reader: asyncio.StreamReader) -> None:
        self._transport = transport
        self._reader = reader

    @classmethod
    async def over(cls, connected: socket.socket) -> "Stream":
        """The stream on a socket, which belongs to it from now on."""
        protocol = _protocol()
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: protocol[1], sock=connected)
        except BaseException:
            connected.close()
            raise
        return cls(transport, protocol[0])

    async def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Speak TLS from now on, with a server that must be called so.

        Raises:
            OSError: it is not, or it speaks no TLS, or it has closed the connection.
        """
        reader, protocol = _protocol()
        transport = await asyncio.get_running_loop().start_tls(self._transport, protocol, context, server_hostname=name)
        if transport is None:  # so the types say, for a connection that is lost meanwhile
            raise ConnectionResetError
        protocol.connection_made(transport)
        self._transport, self._reader = transport, reader

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let somebody else read and write from now on. What came in unasked before is nobody's answer, and is dropped.

        Raises:
            EOFError: the other side has closed the connection.
        """
        if self._reader.at_eof() or self._transport.is_closing():
            raise EOFError
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        self._transport.resume_reading()

    def abort(self) -> None:
        """Close the socket now."""
        self._transport.abort()

    # --- As libraries use a stream -----------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """Send a few bytes."""
        self._transport.write(data)

    async def read(self, most: int) -> bytes:
        """What has come in; nothing at the end."""
        return await self._reader.read(most)

    async def read_until(self, end: bytes) -> bytes:
        """Everything up to this end, and the end.

        Raises:
            EOFError: it does not come.
            asyncio.LimitOverrunError: it does not come soon.
        """
        return await self._reader.readuntil(end)

    async def read_exactly(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            EOFError: there are not so many.
        """
        return await self._reader.readexactly(size)

    async def close(self) -> None:
        """Close the socket."""
        self.abort()


def _protocol() -> tuple[asyncio.StreamReader, asyncio.StreamReaderProtocol]:
    """A reader, and what feeds it. There is no writer: one that is collected closes its transport."""
    reader = asyncio.StreamReader()
    return reader, asyncio.StreamReaderProtocol(reader)
