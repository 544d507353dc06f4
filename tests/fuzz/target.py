"""What is fuzzed: each target claims something of a parser for all bytes, and its check fails where that is not true.

A target is a module here, which holds a `TARGET`. It is imported by name, so that whoever measures coverage can do so
before anything of `tunnel` is imported.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "spec" / "v1" / "vectors"

TRACED: Final[dict[str, tuple[str, ...]]] = {
    # msgspec is written in C: what there is to reach in a frame shows in the reference.
    "codec": ("tunnel", "tests.fuzz.reference"),
    "ends": ("tunnel",),
    "link": ("tunnel",),
    "base64url": ("tunnel",),
    "shown": ("tunnel",),
    "output": ("tunnel",),
    "relay": ("tunnel", "websockets"),
    "answer": ("tunnel", "websockets"),
    "proxy": ("tunnel", "python_socks"),
    "doh": ("tunnel", "dns"),
    "environment": ("tunnel",),
}
"""All targets, and the packages in which reaching something new counts: ours, and the libraries that read bytes for it."""

PLANTED: Final = "planted"
"""A target with a bug, by which it is seen that one is found."""


class Target(Struct, frozen=True, kw_only=True):
    """A claim on a parser."""

    check: Callable[[bytes], None]
    """Raises whatever it likes when the claim does not hold for these bytes."""
    seeds: Callable[[], Iterable[bytes]]
    """Inputs to begin with, which lead far into the parser."""
    words: tuple[str | bytes, ...] = ()
    """What may stand in an input, and is not guessed soon."""
    longest: int = 1024
    """How many bytes an input has at most."""


def load(name: str) -> Target:
    """The target of this name."""
    return import_module(f"tests.fuzz.{name}").TARGET


def vectors(file: str, *fields: str) -> Iterator[bytes]:
    """The texts in these fields of a file of vectors. Half of a surrogate pair becomes a question mark."""
    rows: list[dict[str, Any]] = json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))["vectors"]
    for row in rows:
        yield from (row[field].encode("utf-8", "replace") for field in fields if row[field] is not None)


def text(data: bytes) -> str:
    """Bytes as a text that may hold anything: what is no UTF-8 becomes halves of surrogate pairs."""
    return data.decode("utf-8", "surrogateescape")


def message(data: bytes) -> str:
    """Bytes as a text message of a WebSocket, which is UTF-8: what is not becomes U+FFFD."""
    return data.decode("utf-8", "replace")
