"""What a proxy answers comes to the same way or the same refusal however it arrives, and nothing of it is shown.

The first byte of what arrives says which proxy is asked: `h` for HTTP, `p` for HTTP with a password, `5` and `4` for SOCKS
and `6` for SOCKS 5 with a password.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, cast

from tests.fuzz.cutting import alike
from tests.fuzz.looping import run
from tests.fuzz.showing import hidden, leak
from tests.fuzz.target import Target
from tunnel.io import through
from tunnel.io.proxies import Proxy
from tunnel.io.stream import Stream
from tunnel.io.through import ProxyAnswerError

WORD: Final = "hunter2hunter2"
OWN_WORDS: Final = inspect.getsource(through)
LONGEST_ERROR: Final = 200
KINDS: Final = {
    b"h": ("http", ""),
    b"p": ("http", WORD),
    b"4": ("socks4a", ""),
    b"5": ("socks5h", ""),
    b"6": ("socks5h", WORD),
}
Ask = Callable[[Stream, Proxy, str, int], Awaitable[None]]


class Sink:
    """A socket on which nobody reads."""

    def write(self, data: bytes) -> None:
        """It is gone."""

    def abort(self) -> None:
        """Nobody was there."""


def check(data: bytes, ask: Ask = through.ask) -> None:
    """LINK-10: the way leads to the host, or there is an error; what came behind an answer is not lost."""
    scheme, password = KINDS.get(data[2:3], KINDS[b"h"])
    proxy = Proxy(
        variable="X_PROXY", scheme=scheme, host="proxy", port=1, username="bob" if password else "", password=password
    )
    refused, rest = alike(data[:2] + data[3:], lambda pieces: run(_asked(ask, proxy, pieces)))
    assert not (refused and rest)
    assert data.endswith(rest)
    assert not hidden(refused), f"an error that cannot be shown: {refused!r}"
    assert len(refused) <= LONGEST_ERROR, f"{len(refused)} characters of error"
    shown = leak(data.decode("latin-1"), refused, OWN_WORDS) or leak(WORD, refused)
    assert not shown, f"{shown!r} is in {refused!r}"


async def _asked(ask: Ask, proxy: Proxy, pieces: list[bytes]) -> tuple[str, bytes]:
    """Why not, or what is left for the host's TLS."""
    reader = asyncio.StreamReader()
    # A stream writes to its transport, and that is all it does with it here.
    stream = Stream(cast(Any, Sink()), reader)
    asking = asyncio.ensure_future(ask(stream, proxy, "host.example", 443))
    for piece in pieces:
        await asyncio.sleep(0)
        reader.feed_data(piece)
    reader.feed_eof()
    try:
        await asking
    except ProxyAnswerError as error:
        return str(error), b""
    return "", await reader.read()


def seeds() -> Iterator[bytes]:
    """Answers of proxies, cut in several ways."""
    for kind, answer in (
        (b"h", b"HTTP/1.1 200 Connection established\r\nA: b\r\n\r\n\x16\x03\x03"),
        (b"h", b"HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"),
        (b"p", b"HTTP/1.1 401 \r\n\r\n"),
        (b"h", b"HTTP/1.1 503 Service Unavailable\r\n\r\n"),
        (b"h", b"HTTP/1.1 403 Filtered\r\n\r\n"),
        (b"h", b"\x05\xff"),
        (b"5", b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00\x16\x03\x03"),
        (b"5", b"\x05\x00\x05\x00\x00\x03\x04host\x00\x50behind"),
        (b"5", b"\x05\x00\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"),
        (b"5", b"\x05\xff"),
        (b"6", b"\x05\x02\x01\x00\x05\x00\x00\x04" + bytes(18)),
        (b"6", b"\x05\x02\x01\x01"),
        (b"4", b"\x00\x5a" + bytes(6) + b"behind"),
        (b"4", b"\x00\x5b" + bytes(6)),
        (b"5", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ):
        yield b"\x02\x05" + kind + answer


WORDS: Final = (
    "HTTP/1.1 ",
    "HTTP/1.0 ",
    "200 ",
    "407 ",
    "502 ",
    b"\r\n\r\n",
    b"\x05\x00",
    b"\x05\x02",
    b"\x01\x00",
    b"\x00\x5a",
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS, longest=512)
