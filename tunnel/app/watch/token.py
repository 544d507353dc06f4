"""What the buttons of the window ask for. Whoever guesses is slowed down, and the person is not.

A token is shown on a person's terminal and nowhere else; a new one voids the one before it.
"""

import asyncio
import base64
import hmac
from collections.abc import Callable
from typing import Final

TOKEN_BYTES: Final = 10
"""80 random bits: nobody guesses them, and a person can type them."""

GROUP: Final = 4

WRONG_SECONDS: Final = 1.0
"""So long a wrong token waits for its answer."""

MOST_WRONG: Final = 8
"""So many wrong ones wait at a time; one more is not even compared, and told to slow down."""


class TooManyError(Exception):
    """Too many wrong tokens wait for their answer."""


class Token:
    """The token of a window; there is none until one is made.

    Args:
        entropy: random bytes, in the shape of `os.urandom`.
        wrong_seconds: how long a wrong one waits.
    """

    def __init__(self, entropy: Callable[[int], bytes], wrong_seconds: float = WRONG_SECONDS) -> None:
        self._entropy = entropy
        self._wrong_seconds = wrong_seconds
        self._token = b""
        self._wrong = 0

    def new(self) -> str:
        """A new one, which is good from now on."""
        text = base64.b32encode(self._entropy(TOKEN_BYTES)).decode().lower()
        self._token = text.encode()
        return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))

    async def fits(self, given: str) -> bool:
        """Whether it is the token, however it is written. A right one is answered at once.

        Raises:
            TooManyError: there are too many wrong ones already.
        """
        # Compared first, in constant time: somebody else's wrong ones must not keep the person out.
        plain = given.replace("-", "").replace(" ", "").lower().encode("utf-8", "replace")
        if hmac.compare_digest(plain, self._token) and self._token:
            return True
        if self._wrong >= MOST_WRONG:
            raise TooManyError
        self._wrong += 1
        try:
            await asyncio.sleep(self._wrong_seconds)
        finally:
            self._wrong -= 1
        return False
