"""One visit to a server over HTTPS, by the way that is set up, to see whether it can be reached and what time it has there."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tunnel.errors import TunnelError
from tunnel.io.passage import Passage
from tunnel.io.resolver import NoAddressError
from tunnel.io.through import ProxyAnswerError
from tunnel.io.trouble import SlowError, Stage
from tunnel.io.way import Way

_NOT_AT_THIS_TIME: Final = frozenset({9, 10})
"""What OpenSSL calls X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


class UnreachedError(Exception):
    """A server was not reached; the text says how far it went, without a full stop.

    Args:
        text: what was found.
        wrong_time: whether its certificate is not valid by this machine's clock.
        no_address: whether it was its name that was not found.
    """

    def __init__(self, text: str, *, wrong_time: bool = False, no_address: bool = False) -> None:
        super().__init__(text)
        self.wrong_time = wrong_time
        self.no_address = no_address


async def visit(url: str, way: Way, passage: Callable[[str, Way], Passage] = Passage) -> str:
    """The head of a server's answer, whatever its status: it is there.

    Args:
        url: an `https://` URL; its path is left out.
        way: what may be used.
        passage: how it is reached.

    Raises:
        UnreachedError: it gave none.
    """
    parts = urlsplit(url)
    going = passage(f"wss://{parts.netloc.rpartition('@')[2]}/", way)
    try:
        stream = await going.open()
        try:
            async with going.within(Stage.WEBSOCKET, way.patience.websocket_seconds):
                await stream.write(_asking(parts.hostname or ""))
                return (await stream.read_until(b"\r\n\r\n")).decode("latin-1")
        finally:
            stream.abort()
    except (TunnelError, OSError, EOFError, UnicodeError, asyncio.LimitOverrunError) as error:
        wrong_time = getattr(error, "verify_code", 0) in _NOT_AT_THIS_TIME
        no_address = isinstance(error, NoAddressError)
        raise UnreachedError(why(error, going.peer), wrong_time=wrong_time, no_address=no_address) from None


def why(error: Exception, peer: str) -> str:
    """What stood in the way, for a person.

    Args:
        error: what was found.
        peer: who was being talked to.
    """
    match error:
        case SlowError():
            return f"{peer} did not answer within {error.seconds:g} s"
        case ProxyAnswerError():
            return f"{peer} did not let us through"
        case NoAddressError():
            return f"no address of {peer} was found"
        case TunnelError():
            return str(error).rstrip(".")
        case ssl.SSLError():
            detail = getattr(error, "verify_message", None) or getattr(error, "reason", None) or "no TLS"
            return f"no secure connection to {peer} came about ({detail})"
        case ConnectionRefusedError():
            return f"{peer} refused the connection"
        case OSError(strerror=str() as reason):
            return f"{peer} cannot be reached ({reason})"
        case _:
            return f"{peer} closed the connection, or answered with something else than HTTP"


def _asking(host: str) -> bytes:
    authority = f"[{host}]" if ":" in host else host
    return f"HEAD / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode("ascii", "replace")
