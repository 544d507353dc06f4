"""Names, goals and system texts from outside are text to be shown: nothing in them moves a cursor or hides."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ANONYMOUS: Final = "anonymous"

# Characters without a glyph of their own that Unicode does not file under Cc, Cf, Zl or Zp (DerivedCoreProperties,
# Default_Ignorable_Code_Point): fillers, invisible joiners, variation selectors.
_IGNORABLE: Final = re.compile(
    "[\u034f\u2800\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_HIDING_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"})
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_EMOJI_STYLE: Final = "\ufe0f"


def visible(text: str, limit: int) -> str:
    """The text with every line break, control, bidirectional and zero-width character as an escape (NAME-1).

    Args:
        text: anything, from anybody.
        limit: bytes of UTF-8 that may be shown of it; the rest is cut off with an ellipsis (SIZE-6).
    """
    return "".join(shown for shown, _ in pieces(cut(text, limit)))


def pieces(text: str, kept: str = "") -> Iterator[tuple[str, bool]]:
    """Each character as it is shown, and whether that is an escape (NAME-1).

    Args:
        text: anything, from anybody.
        kept: characters that are shown as they are, whatever they do.
    """
    before = ""
    for character in text:
        hiding = unicodedata.category(character) in _HIDING_CATEGORIES or _IGNORABLE.match(character)
        # The one selector that people type: it asks for the coloured form of the symbol in front of it.
        if character == _EMOJI_STYLE and before and unicodedata.category(before) == "So":
            hiding = False
        is_escape = bool(hiding) and character not in kept
        yield (_escape(character) if is_escape else character), is_escape
        before = character


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, with an ellipsis where something was cut off."""
    whole = text.encode("utf-8", "surrogatepass")
    if len(whole) <= limit:
        return text
    ellipsis = "\u2026"
    return whole[: limit - len(ellipsis.encode())].decode("utf-8", "ignore") + ellipsis


def shown_name(name: str, limit: int) -> str:
    """A name as it is shown: escaped, cut, and never blank (NAME-1, NAME-2)."""
    shown = visible(name, limit).strip()
    return shown or ANONYMOUS


def shown_guest_name(name: str, host: str, limit: int) -> str:
    """A guest's name as it is shown: it never reads like the host's (NAME-3)."""
    shown = shown_name(name, limit)
    return f"{shown} (guest)" if _folded(shown) == _folded(shown_name(host, limit)) else shown


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
