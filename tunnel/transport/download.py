"""Downloads one file whose checksum is known: it is bounded in size and time, and whatever else comes back is an error.

What was downloaded is only data here: it cannot be executed, and stands under no name by which anybody would run it.
"""

import asyncio
import hashlib
import os
import ssl
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from tunnel.core.text import visible
from tunnel.io import proxies
from tunnel.io.proxies import Proxy
from tunnel.transport.base import TransportError
from tunnel.transport.progress import Advance
from tunnel.transport.threads import in_thread

REDIRECTS: Final = 5
"""GitHub sends us once to the host where its files are."""

TAKEN_PROXIES: Final = frozenset({"http", "https", "socks5", "socks5h"})
"""Schemes of proxies through which HTTPS can be asked for something; of SOCKS4 httpx2 knows nothing."""

_PIECE_BYTES: Final = 1 << 20
_SHOWN_BYTES: Final = 200


class DownloadError(TransportError):
    """A file could not be downloaded; the text says why, without a full stop."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a download may cost."""

    size: int = 128 << 20
    """Bytes; cloudflared has 40 MB."""
    stall_seconds: float = 20
    """Without a sign of life."""
    seconds: float = 600
    """In all."""


class Way(Struct, frozen=True, kw_only=True):
    """How the network is reached."""

    tls: ssl.SSLContext
    environment: Mapping[str, str]
    """Where the proxies are looked up."""
    limits: Limits = Limits()


def proxy_to(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to a URL.

    Raises:
        ProxySettingError: the one that would be used cannot be.
        ValueError: the URL cannot be read.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return proxies.choose(environment, parts.hostname or "", parts.port or (443 if secure else 80), secure=secure)


async def download(url: str, sha256: str, file: Path, way: Way, advance: Advance) -> None:
    """Write what is at the URL to a new file, which only its owner can read, and nobody execute.

    Raises:
        DownloadError: it is not to be had, or it is not what was expected.
        ProxySettingError: a variable of the environment names no proxy.
        OSError: it cannot be written.
    """
    try:
        async with asyncio.timeout(way.limits.seconds):
            with _Checked(file, way.limits.size) as checked:
                await _fetch(url, checked, way, advance)
    except TimeoutError:
        raise DownloadError(f"it was not complete after {way.limits.seconds:g} s") from None
    except ValueError as error:  # an address that a server sends us to
        raise DownloadError(_reason(error)) from None
    if checked.sha256 != sha256:
        raise DownloadError(
            f"its SHA-256 is {checked.sha256} and must be {sha256}: the file was damaged or replaced on its way, and is not used"
        )


class _Checked:
    """A file that is measured and hashed while it is written."""

    def __init__(self, file: Path, most: int) -> None:
        self._most = most
        self._hash = hashlib.sha256()
        self.size = 0
        self._file = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb", buffering=0)

    def __enter__(self) -> "_Checked":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()

    def check(self, size: int) -> None:
        """That a file of this size may come."""
        if size > self._most:
            raise DownloadError(f"it has {size} bytes or more; at most {self._most} are taken")

    def write(self, piece: bytes) -> None:
        """Write all of it."""
        self.size += len(piece)
        self.check(self.size)
        self._hash.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]


_BINARY: Final = getattr(os, "O_BINARY", 0)  # only Windows has it, and needs it


async def _fetch(url: str, checked: _Checked, way: Way, advance: Advance) -> None:
    """Follow redirects by hand: each hop has a proxy of its own, and none leads from https to http."""
    for _ in range(REDIRECTS + 1):
        proxy = proxy_to(url, way.environment)
        try:
            following = await _hop(url, _usable(proxy), checked, way, advance)
        except httpx2.TimeoutException:
            silence = f"the server was silent for {way.limits.stall_seconds:g} s"
            raise DownloadError(_through(proxy) + silence) from None
        # What needs another package is an ImportError; a port that cannot be is a group.
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, ImportError, ExceptionGroup) as error:
            raise DownloadError(_through(proxy) + _reason(error)) from None
        if following is None:
            return
        url = _next(url, following)
    raise DownloadError(f"the server sends us elsewhere more than {REDIRECTS} times")


async def _hop(url: str, proxy: str | None, checked: _Checked, way: Way, advance: Advance) -> str | None:
    """Take the file that is there, or say where it is."""
    async with (
        httpx2.AsyncClient(
            verify=way.tls,
            proxy=proxy,
            trust_env=False,
            timeout=way.limits.stall_seconds,
            # What is hashed is what is sent; nothing is decompressed on the way.
            headers={"Accept-Encoding": "identity"},
        ) as client,
        client.stream("GET", url) as response,
    ):
        if response.next_request is None:
            await _take(response, checked, advance)
            return None
        return str(response.next_request.url)


def _usable(proxy: Proxy | None) -> str | None:
    """The URL of the proxy. It may hold a password."""
    if proxy and proxy.scheme not in TAKEN_PROXIES:
        raise DownloadError(
            f"nothing can be downloaded through {proxy.shown}, whose scheme is {proxy.scheme}; "
            f"{', '.join(sorted(TAKEN_PROXIES))} can be used"
        )
    return proxy.url if proxy else None


def _through(proxy: Proxy | None) -> str:
    """Whose trouble it may be."""
    return f"through {proxy.shown}: " if proxy else ""


def _next(url: str, following: str) -> str:
    if url.startswith("https:") and not following.startswith("https:"):
        raise DownloadError("the server sends us to an address that is not https")
    return following


async def _take(response: httpx2.Response, checked: _Checked, advance: Advance) -> None:
    if response.status_code != HTTPStatus.OK:
        raise DownloadError(f"the server answered with status {response.status_code}")
    # h11 lets only a number through.
    total = int(response.headers.get("Content-Length", 0)) or None
    checked.check(total or 0)
    async for piece in response.aiter_raw(_PIECE_BYTES):
        await in_thread(partial(checked.write, piece))
        advance(checked.size, total)


def _reason(error: Exception) -> str:
    return visible(str(error), _SHOWN_BYTES).strip().rstrip(".") or type(error).__name__
