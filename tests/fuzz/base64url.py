"""A text is canonical base64url exactly if its letters are bits of whole bytes and of zeros, and then it has these bytes."""

import string
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from tests.fuzz.target import Target, text, vectors
from tunnel import crypto
from tunnel.errors import BadEncoding, Unreadable

LETTERS: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
KEY: Final = bytes(range(32))
BITS: Final = 6
"""So many a letter stands for (RFC 4648 section 5)."""


def check(data: bytes, decode: Callable[[str], bytes] = crypto.decode_base64url) -> None:
    """SEAL-2, SEAL-4."""
    spelled = text(data)
    try:
        found = decode(spelled)
    except BadEncoding:
        found = None
    assert found == reference(spelled), f"{spelled!r} is {found!r}, and should be {reference(spelled)!r}"
    assert found is None or crypto.encode_base64url(found) == spelled
    with suppress(Unreadable):
        crypto.open_body(KEY, spelled)


def reference(spelled: str) -> bytes | None:
    """The bytes of a text, put together bit by bit; None if it is not what somebody would write who has these bytes."""
    if not set(spelled) <= set(LETTERS):
        return None
    surplus = len(spelled) * BITS % 8
    bits = sum(LETTERS.index(letter) << BITS * place for place, letter in enumerate(reversed(spelled)))
    if surplus >= BITS or bits & ((1 << surplus) - 1):
        return None
    return (bits >> surplus).to_bytes(len(spelled) * BITS // 8, "big")


def seeds() -> Iterator[bytes]:
    """Texts that are base64url, that nearly are, and sealed bodies."""
    yield from vectors("base64url", "text")
    yield from vectors("open", "sealed")


TARGET: Final = Target(check=check, seeds=seeds, words=("=", "==", "-_", "+/", "%3D"), longest=256)
