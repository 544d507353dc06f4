"""What may be shown: no piece of a text that must not be, and no character that hides or moves a cursor."""

import unicodedata
from typing import Final

PIECE: Final = 12
"""So many characters in a row are no accident."""

HIDING: Final = ("C", "Zl", "Zp")
"""Categories of Unicode: whatever controls, formats or is unassigned, and what breaks a line or a paragraph."""


def leak(secret: str, shown: str, known: str = "") -> str:
    """The first piece of the secret that is shown; an empty text when there is none.

    Args:
        secret: what must not be shown.
        shown: what is.
        known: what everybody may see: words of the program's own, which a secret may happen to hold.
    """
    starts = range(len(secret) - PIECE + 1)
    found = (secret[start : start + PIECE] for start in starts)
    return next((piece for piece in found if piece in shown and piece not in known), "")


def hidden(shown: str) -> list[str]:
    """The characters that no person sees as what they are; the selector that people type behind a symbol is none."""
    return [
        character
        for before, character in zip(" " + shown, shown, strict=False)
        if unicodedata.category(character).startswith(HIDING)
        or (character == "\ufe0f" and unicodedata.category(before) != "So")
    ]
