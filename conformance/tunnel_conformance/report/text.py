"""Text of an implementation under test, made fit to be shown: nothing in it moves a cursor, hides, or reverses a line."""

import re
import unicodedata
from typing import Final

from tunnel_conformance.subjects.shown import visible

LIMIT: Final = 4_000
"""Characters of one text that a report shows."""


def shown(text: str, limit: int = LIMIT) -> str:
    """The text in one line: every control, bidirectional and invisible character as an escape, and cut when it is long."""
    return visible(text if len(text) <= limit else f"{text[: limit - 1]}\u2026")


def lines(text: str, most: int = 40) -> list[str]:
    """The text in lines that are fit to be shown; of very many the last ones."""
    found = [shown(line) for line in text.splitlines()]
    left_out = len(found) - most
    return found if left_out <= 0 else [f"({left_out} lines left out)", *found[-most:]]


def slug(text: str) -> str:
    """The text as a part of a file's name: lower-case letters, digits and hyphens, and at most 60 of them."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:60].strip("-") or "x"
