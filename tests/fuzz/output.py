"""What a program writes comes to the same lines, the same URL or the same error however it arrives, and costs a bounded memory.

Read are the lines, and in them the URLs of cloudflared, of every preset and of a command, and cloudflared's version.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Final, cast

from tests.fuzz.cutting import alike
from tests.fuzz.looping import run
from tests.fuzz.showing import hidden, leak
from tests.fuzz.shown import LONGEST_ESCAPE
from tests.fuzz.target import Target
from tunnel.core.link import mint, parse
from tunnel.core.text import visible
from tunnel.errors import BadLink
from tunnel.io.internet import CLOUDFLARED_URL
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.transport.output import KEPT_BYTES, LINE_BYTES, Output
from tunnel.transport.presets import PRESETS
from tunnel.transport.redact import redacted
from tunnel.transport.urls import ANY_URL, SHOWN_BYTES, NoUrlError, first_url, origin

PATTERNS: Final = {
    "command": ANY_URL,
    "cloudflared": re.compile(CLOUDFLARED_URL),
    **{name: preset.url for name, preset in PRESETS.items()},
}
SECRET: Final = "hunter2hunter2hunter2hunter2"
"""What must not be shown."""

LONGEST_ERROR: Final = 700
"""The most that is shown of a program's words, and ours around them."""


class Written:
    """A program that has written this, and has ended."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.exited.set_result(1)

    async def lines(self) -> AsyncIterator[str]:
        for line in self._lines:
            yield line


def check(data: bytes, make: Callable[[], Output] = Output) -> None:
    """LINK-6, CLOSE-2."""
    lines = alike(data, lambda pieces: _lines(make(), pieces))
    shown = [visible(line.decode("utf-8", "replace"), LINE_BYTES) for line in lines]
    for line in shown:
        _hides_secrets(line)
    run(_looked_through(shown))


def _lines(output: Output, pieces: list[bytes]) -> list[bytes]:
    for piece in pieces:
        output.feed(piece)
        assert len(output._begun) <= LINE_BYTES
        assert output._cost <= KEPT_BYTES
    output.end()
    found: list[bytes] = []
    while (line := output.next()) is not None:
        found.append(line)
    assert output._cost == 0, "lines that are gone still cost"
    assert all(len(line) <= LINE_BYTES and line.strip() for line in found)
    return found


async def _looked_through(lines: list[str]) -> None:
    for pattern in PATTERNS.values():
        await _looked_for(lines, pattern)


async def _looked_for(lines: list[str], pattern: re.Pattern[str]) -> None:
    """Either a URL in its plain form, or an error that can be shown."""
    try:
        # It reads lines and a status; a child that runs is not needed for that.
        url = await first_url(cast(Any, Written(lines)), pattern, 60.0)
    except NoUrlError as error:
        _can_be_shown(error)
        return
    assert origin(url) == url, f"{url!r} has a plainer form"
    # A host such as `a..b` is refused later, in words for who opens the tunnel.
    with suppress(BadLink):
        assert parse(mint(url, "ab", bytes(KEY_BYTES)).text).tunnel_id == "ab"


def _can_be_shown(error: NoUrlError) -> None:
    assert not hidden(str(error)), f"an error that cannot be shown: {error!s}"
    assert len(str(error)) <= LONGEST_ERROR, f"{len(str(error))} characters of error"
    assert len(error.last_line) <= SHOWN_BYTES * LONGEST_ESCAPE


def _hides_secrets(line: str) -> None:
    """What looks like a secret is hidden wherever it stands."""
    middle = len(line) // 2
    shown = redacted(f"{line[:middle]} token={SECRET} {line[middle:]}")
    assert not leak(SECRET, shown), f"a token is shown in {shown!r}"
    assert len(shown) <= 2 * (len(line) + 100), "hiding makes it longer and longer"


SAID: Final = (
    "2025-06-02T06:17:41Z INF |  https://a-b-c-d.trycloudflare.com                 |",
    "2025-06-02T06:17:41Z ERR Error unmarshaling QuickTunnel response: invalid character error=x token=abc",
    't=2025-06-02T06:17:41+0000 lvl=info msg="started tunnel" obj=tunnels url=https://4d11.ngrok-free.app',
    "8beaa541ba3dc2.lhr.life tunneled with tls termination, https://8beaa541ba3dc2.lhr.life",
    "Available on the internet:\r\n\r\nhttps://laptop.tail1234.ts.net/\r\n|-- proxy http://127.0.0.1:4711",
    "Connect via browser: https://b.inc1.devtunnels.ms:4711, https://b-4711.inc1.devtunnels.ms",
    "\x1b[1;32mhttps://[2001:db8::1]:8443/\x1b[0m.",
    "https://user:word@example.org/?token=abc#d",
    "10 %\r20 %\r\r\n\n  \nhttp://127.0.0.1:4711,",
    "\xff\0 Authorization: Bearer abcdef https://ex\u00e4mple.org https://a..b",
)


def seeds() -> Iterator[bytes]:
    """What such programs say, cut in several ways."""
    for number, said in enumerate(SAID):
        yield bytes([number, 40 - number]) + said.encode("latin-1", "replace")


WORDS: Final = (
    *("https://", "http://", ".trycloudflare.com", 'msg="started tunnel" ', "url=", "tunneled with tls termination, "),
    *(".ts.net", "Connect via browser: ", ".devtunnels.ms", b"\r", b"\n", b"\r\n", "\x1b[0m", "[::1]", ":65535", ":0"),
    *("token=", "Bearer ", "password:", "@", '"', "'", "--"),
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS)
