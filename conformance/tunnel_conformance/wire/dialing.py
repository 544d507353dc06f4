"""A TCP connection to a relay on this machine, at whichever address of loopback it listens."""

import asyncio
import socket
from contextlib import suppress
from typing import Final

from tunnel_conformance.wire.end import SMALL_BUFFER

_LOCALHOST: Final = ("127.0.0.1", "::1")
"""What that name means, also where the system knows only one of them."""


async def connected_to(address: tuple[str, int], *, small: bool = False) -> socket.socket:
    """A TCP connection; to `localhost`, at the first of its addresses where somebody listens.

    Args:
        address: host and port.
        small: whether the system takes only SMALL_BUFFER for it.

    Raises:
        OSError: nobody does.
    """
    host, port = address
    *others, last = _LOCALHOST if host == "localhost" else (host,)
    for other in others:
        with suppress(OSError):
            return await _connected_at(other, port, small=small)
    return await _connected_at(last, port, small=small)


async def _connected_at(host: str, port: int, *, small: bool) -> socket.socket:
    connected = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        connected.setblocking(False)  # noqa: FBT003 - it takes no name
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if small:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        await asyncio.get_running_loop().sock_connect(connected, (host, port))
    except BaseException:
        connected.close()
        raise
    return connected
