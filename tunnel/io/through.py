"""Asks a proxy for the way to a host: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS. What it answers is never shown."""

import asyncio
import base64
import re
from http import HTTPStatus
from typing import Any, Final, cast

from tunnel.errors import NetworkFault
from tunnel.io.proxies import Proxy
from tunnel.io.stream import Stream

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
_NOT_REACHED: Final = frozenset({1, 3, 4, 5, 6, 91})
"""Replies of SOCKS 5 (RFC 1928 section 6), and the one of SOCKS 4, by which a proxy says that it has tried."""


class ProxyAnswerError(NetworkFault):
    """A proxy does not lead to the host. The text goes on behind the proxy's name."""


async def ask(stream: Stream, proxy: Proxy, host: str, port: int) -> None:
    """Ask for the way. When this returns, the stream leads to the host.

    Args:
        stream: to the proxy.
        proxy: which one it is.
        host: where to, without brackets.
        port: and at which port.

    Raises:
        ProxyAnswerError: the answer is no, or none that can be read.
    """
    try:
        if proxy.scheme.startswith("socks"):
            await _socks(stream, proxy, host, port)
        else:
            await _connect(stream, proxy, host, port)
    except (EOFError, ConnectionError):
        raise ProxyAnswerError(
            "closed the connection instead of letting us through. Check that a proxy of this kind runs there."
        ) from None


async def _connect(stream: Stream, proxy: Proxy, host: str, port: int) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.username:
        credentials = f"{proxy.username}:{proxy.password}".encode("utf-8", "replace")
        head += f"Proxy-Authorization: Basic {base64.b64encode(credentials).decode('ascii')}\r\n"
    await stream.write(f"{head}\r\n".encode("ascii"))
    try:
        answer = _STATUS.match(await stream.read_until(b"\r\n\r\n"))
    except asyncio.LimitOverrunError:
        answer = None
    if answer is None:
        raise ProxyAnswerError("does not answer as such a proxy does. Check its scheme and its port.")
    _judge(int(answer[1]), proxy)


def _judge(status: int, proxy: Proxy) -> None:
    if HTTPStatus(200) <= status < HTTPStatus(300):
        return
    # tinyproxy answers a wrong password with 401.
    if status in (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.UNAUTHORIZED):
        wants = (
            "does not take the user name and password in it" if proxy.username else "wants a user name and a password"
        )
        raise ProxyAnswerError(f"{wants} (status {status}). Write them before its host, as USER:PASSWORD@HOST:PORT.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _not_reached(f"status {status}")
    raise _forbidden(f"status {status}")


async def _socks(stream: Stream, proxy: Proxy, host: str, port: int) -> None:
    # Few need it, and everybody's start would wait for it.
    from python_socks import ProxyError, ProxyType
    from python_socks.async_.asyncio.v2 import Proxy as SocksProxy

    asking = SocksProxy(
        ProxyType.SOCKS4 if proxy.scheme.startswith("socks4") else ProxyType.SOCKS5,
        proxy.host,
        proxy.port,
        proxy.username or None,
        (proxy.password or None) if proxy.username else None,
        rdns=True,
        # The library takes whatever gives it a stream, and we have one: to an address that was chosen with care.
        forward=cast(Any, _There(stream)),
    )
    try:
        await asking.connect(host, port)
    except ProxyError as error:
        match error.error_code:
            case None:
                raise ProxyAnswerError(
                    "does not let us in. Check its user name and password, written as USER:PASSWORD@HOST:PORT, its scheme and its port."
                ) from None
            case code if code in _NOT_REACHED:
                raise _not_reached(f"reply {code}") from None
            case code:
                raise _forbidden(f"reply {code}") from None
    except ValueError:
        raise ProxyAnswerError(
            "cannot be given this host, or its user name or password, in its protocol. Try another kind of proxy."
        ) from None


class _There:
    """A way that leads to the proxy already."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def connect(self, **_where: Any) -> Stream:  # the library says where, and we are there
        return self._stream


def _not_reached(found: str) -> ProxyAnswerError:
    return ProxyAnswerError(
        f"did not get through to the host ({found}). The host's tunnel is probably closed; ask for a new link."
    )


def _forbidden(found: str) -> ProxyAnswerError:
    return ProxyAnswerError(
        f"does not let us through to the host ({found}). Ask who runs it, or name the host in NO_PROXY if there is a way around it."
    )
