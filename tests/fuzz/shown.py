"""A text from outside that is shown moves no cursor, hides nothing, keeps its bound, and nobody is called like the host.

The first line is a name, the second one the host's, and all of it is a text.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.fuzz.showing import hidden
from tests.fuzz.target import Target, text, vectors
from tunnel.core import text as subject
from tunnel.spec.v1.constants import NAME_BYTES

SMALLEST: Final = 3
"""Bytes that an ellipsis takes: no bound is lower."""

LONGEST_ESCAPE: Final = 10
"""`\\U0001f642`, for what took one byte or more."""


def check(data: bytes, visible: Callable[[str, int], str] = subject.visible) -> None:
    """NAME-1, NAME-2, NAME-3, SIZE-6."""
    said = text(data)
    for limit in (SMALLEST, 40, NAME_BYTES):
        shown = visible(said, limit)
        assert not hidden(shown), f"{said!r} is shown as {shown!r}"
        assert len(subject.cut(said, limit).encode("utf-8", "surrogatepass")) <= limit
        assert len(shown) <= LONGEST_ESCAPE * limit, f"{len(shown)} characters for {limit} bytes"
    whole = "".join(piece for piece, _ in subject.pieces(said))
    assert visible(said, 1 << 20) == whole
    guest, _, host = said.partition("\n")
    named = subject.shown_guest_name(guest, host, NAME_BYTES)
    assert named.strip(), "a blank name"
    assert named != subject.shown_name(host, NAME_BYTES), f"a guest that is called like the host: {named!r}"


def seeds() -> Iterator[bytes]:
    """Texts and names that try."""
    yield from vectors("shown", "text")
    for name, host in zip(vectors("names", "guest"), vectors("names", "host"), strict=True):
        yield name + b"\n" + host


WORDS: Final = (
    "\u202e",
    "\u200b",
    "\ufe0f",
    "\u2600",
    "\u2028",
    "\x1b[2J",
    "\u3164",
    "\U000e0041",
    "\uff21",
    "anonymous",
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS, longest=512)
