"""What this process has seen sealed with the keys of links that it joined: what comes back in a later join is found out (SEAL-3).

A link is for one join; but whoever answers the dial without the key can let a guest in again and again, and say to it what
it said itself.
"""

from hashlib import sha256
from typing import Final

LINKS: Final = 16
"""Of so many links the nonces are remembered; of one more, those of the oldest are forgotten."""


class Seen:
    """The nonces of each key. It holds no key, only what a key is known by."""

    def __init__(self) -> None:
        self._nonces: dict[bytes, set[str]] = {}

    def of(self, key: bytes) -> set[str]:
        """The nonces seen with a key; a transcript notes there what it sees."""
        known_by = sha256(key).digest()
        # At the end of the dict stands what was asked for last.
        self._nonces[known_by] = self._nonces.pop(known_by, set())
        if len(self._nonces) > LINKS:
            del self._nonces[next(iter(self._nonces))]
        return self._nonces[known_by]
