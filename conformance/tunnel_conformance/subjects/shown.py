"""What an implementation wrote, as people may see it: no join link, no key, nothing that moves a cursor, and not too much."""

import re
import unicodedata
from collections import deque
from typing import Final

TAIL_BYTES: Final = 4096
"""So much of the end of stderr is shown."""

_KEPT_BYTES: Final = 65_536
_LINK: Final = re.compile(r"(/t/[0-9A-Fa-f]+#)[^\s\"'<>\\]+")
_KEY: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_LONGEST_SECRET: Final = 64
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"})
_REDACTED: Final = "[redacted]"


def redacted(text: str) -> str:
    """The text without the keys of join links, and without what could be a key."""
    return _KEY.sub(_REDACTED, _LINK.sub(rf"\1{_REDACTED}", text))


def visible(text: str, keep: str = "") -> str:
    """The text with every character that does not show, or moves others, as an escape.

    Args:
        text: anything, from anybody.
        keep: characters that stay as they are.
    """
    return "".join(c if c in keep or unicodedata.category(c) not in _HIDING else _escape(c) for c in text)


def shown(text: str, limit: int = 200) -> str:
    """The text on one line, redacted, visible, cut after so many characters."""
    text = visible(redacted(text[: limit * 4]))
    return text if len(text) <= limit else f"{text[: limit - 1]}\u2026"


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Tail:
    """The end of what was written, however much it is."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._is_cut = False

    def feed(self, data: bytes) -> None:
        """This was written."""
        self._parts.append(data[-_KEPT_BYTES:])
        self._size += len(self._parts[-1])
        while self._size - len(self._parts[0]) >= _KEPT_BYTES:
            self._size -= len(self._parts.popleft())
            self._is_cut = True

    @property
    def text(self) -> str:
        """What is shown of it: whole lines where there are some, redacted and visible."""
        kept = b"".join(self._parts)
        if self._is_cut:
            # A secret whose beginning is gone would not be known as one.
            kept = kept[_LONGEST_SECRET:]
        text = visible(redacted(kept.decode("utf-8", "replace").replace("\r\n", "\n")), keep="\n").strip("\n")
        if len(text) <= TAIL_BYTES:
            return text
        return (
            "\u2026" + text[-TAIL_BYTES:].split("\n", 1)[-1]
            if "\n" in text[-TAIL_BYTES:]
            else "\u2026" + text[-TAIL_BYTES:]
        )
