"""A TCP connection to the relay on which no WebSocket is spoken: plain HTTP, endless heads, or nothing at all."""

import asyncio
import re
from typing import Final, cast

from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.dialing import connected_to
from tunnel_conformance.wire.log import Log

MOST: Final = 65_536
"""So much of an answer is read."""

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


class Plain(asyncio.Protocol):
    """One connection.

    Args:
        who: how the log calls it.
        log: what it did and saw.
        bell: rung when anything came.
    """

    def __init__(self, who: str, log: Log, bell: Bell) -> None:
        self.is_gone = False
        self.how = ""
        self._who = who
        self._log = log
        self._bell = bell
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    @property
    def status(self) -> int | None:
        """Of the answer, once there is one."""
        found = _STATUS.match(self._answer)
        return int(found[1]) if found else None

    async def dial(self, address: tuple[str, int], data: bytes, seconds: float) -> None:
        """Connect and send this. Nothing raises for what the other side does."""
        try:
            async with asyncio.timeout(seconds):
                connection = await connected_to(address)
                await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)
        except (OSError, TimeoutError) as error:
            self.is_gone = True
            self.how = f"no connection came about: {error or 'no answer'}"
            self._log.closed(self._who, self.how)
            return
        self._log.sent(self._who, data.decode("utf-8", "backslashreplace") or "(a TCP connection, and nothing on it)")
        if data and self._transport:
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of it."""
        had_none = not self._answer
        self._answer = (self._answer + data)[:MOST]
        if had_none:
            self._log.received(self._who, self._answer.partition(b"\r\n")[0].decode("utf-8", "backslashreplace"))
        self._bell.ring()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self.is_gone = True
        self.how = self.how or ("the connection was reset" if exc else "the connection was closed")
        self._log.closed(self._who, self.how)
        self._bell.ring()

    def abort(self) -> None:
        """Close it now."""
        if self._transport and not self.is_gone:
            self._transport.abort()
