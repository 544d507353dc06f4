"""How bytes arrive: in one piece, byte by byte, and in pieces whose lengths the first two bytes say."""

from collections.abc import Callable
from itertools import cycle
from typing import Final, TypeVar

T = TypeVar("T")

SINGLY_BYTES: Final = 200
"""More than that is not sent byte by byte."""


def alike(data: bytes, outcome: Callable[[list[bytes]], T]) -> T:
    """What comes of the bytes behind the first two, which must be the same however they arrive.

    Args:
        data: two bytes that say how long the pieces are, by turns; then what arrives.
        outcome: what comes of pieces.
    """
    lengths, payload = data[:2], data[2:]
    whole = outcome([payload] if payload else [])
    ways = [pieces(payload, lengths)]
    if len(payload) <= SINGLY_BYTES:
        ways.append(pieces(payload, b"\0"))
    for way in ways:
        cut = outcome(way)
        assert cut == whole, f"in one piece: {whole!r}\nin {len(way)} pieces: {cut!r}"
    return whole


def pieces(payload: bytes, lengths: bytes) -> list[bytes]:
    """The payload in pieces of these lengths, by turns; 0 stands for one byte."""
    cut: list[bytes] = []
    for length in cycle(lengths or b"\0"):
        if not payload:
            break
        cut.append(payload[: length + 1])
        payload = payload[length + 1 :]
    return cut
