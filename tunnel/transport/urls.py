"""The public URL that a program prints is found in its output, or it is said why there is none."""

import asyncio
import re
from typing import Final
from urllib.parse import urlsplit

from tunnel.core.text import visible
from tunnel.transport.base import TransportError
from tunnel.transport.child import Child
from tunnel.transport.redact import redacted

SHOWN_BYTES: Final = 200
"""So much of what a program wrote is shown in an error."""

ANY_URL: Final = re.compile(r"""https?://[^\s"'<>]+""")
"""Whatever looks like a URL. What is wrong with it, `origin` finds."""

_COLOUR: Final = re.compile(r"\\u001b\[[0-9;?]*[A-Za-z]")
"""How a colour reads once it is visible: programs put them around what they want to be seen."""

LONGEST_HOST: Final = 253
"""No name in the DNS is longer."""

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f]*:[0-9a-f:.]*", re.ASCII)

_SHOWN_HOST: Final = re.compile(r"\[[0-9a-f:.]*\]?|[^:]*", re.IGNORECASE)
"""Without what stands where a port belongs."""


class NoUrlError(TransportError):
    """The program named no URL that can be used. The text says what it did instead."""

    def __init__(self, text: str, status: int | None = None, last_line: str = "") -> None:
        super().__init__(text)
        self.status = status
        """With what it ended, negative for a signal; None when it still runs."""
        self.last_line = last_line
        """The last thing that it said, visible and cut, without what looks like a secret."""


class NoUrlInTimeError(NoUrlError):
    """The program still runs, and has named no URL."""


async def first_url(child: Child, pattern: re.Pattern[str], seconds: float) -> str:
    """The first URL in the output of a child that matches: `http(s)://HOST[:PORT]`, nothing behind it.

    Args:
        child: the program; it goes on running.
        pattern: what the URL looks like: its first group, or the whole match.
        seconds: how long to wait for it.

    Raises:
        NoUrlError: it ended before, or named none in time, or one that cannot be used.
    """
    last_line = ""
    try:
        async with asyncio.timeout(seconds):
            async for line in child.lines():
                plain = _COLOUR.sub("", line)
                if found := pattern.search(plain):
                    return origin(found[1 if pattern.groups else 0])
                last_line = visible(redacted(plain.strip()), SHOWN_BYTES) or last_line
            status = await asyncio.shield(child.exited)
    except TimeoutError:
        raise NoUrlInTimeError(f"named no URL in {seconds:.3g} s{_words(last_line)}", last_line=last_line) from None
    raise NoUrlError(f"{ended(status)}{_words(last_line)}", status, last_line)


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in their plain form.

    Raises:
        NoUrlError: it has no such form: a host of other characters, a user, a port that there is not, something behind it.
    """
    try:
        parts = urlsplit(_alone(url))
        port = parts.port
    except ValueError:
        raise _unusable(url, "what stands behind https:// is no host and port") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"}:
        raise _unusable(url, "it begins with neither http:// nor https://")
    if "@" in parts.netloc:
        raise _unusable(url, "a user stands before its host, and a join link has no place for one")
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        raise _unusable(url, "its host is no name or address that a guest can dial")
    if port == 0:
        raise _unusable(url, "there is no port 0")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _unusable(url, "something stands behind its host, and a join link has no place for it")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"


def _alone(url: str) -> str:
    """The URL without what the sentence around it has put behind it."""
    plain = url.rstrip(".,;:!?)]}")
    # The bracket behind an address belongs to it.
    is_open = plain.count("[") > plain.count("]") and url[len(plain) :].startswith("]")
    return f"{plain}]" if is_open else plain


def ended(status: int) -> str:
    """How a program ended, in words."""
    return f"exited with status {status}" if status >= 0 else f"was ended by signal {-status}"


def _words(last_line: str) -> str:
    return f"; its last words: {last_line.rstrip('.')}" if last_line else ", without a word"


def _unusable(url: str, why: str) -> NoUrlError:
    """Shown are scheme and host: the rest may be a secret."""
    scheme, slashes, rest = url.partition("://")
    host = _SHOWN_HOST.match(re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2])
    shown = visible(f"{scheme}{slashes}{host[0] if host else ''}", SHOWN_BYTES)
    return NoUrlError(f"named an address that cannot be used: {shown}; {why}")
