"""The numbered messages of a session, without gaps, and what they say to their reader.

Bodies stay sealed until they are read: a host never opens what it relays unless its own agent listens.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tunnel import crypto
from tunnel.core.text import visible
from tunnel.errors import Unreadable
from tunnel.spec.v1.constants import (
    SYSTEM_MESSAGES,
    TEXT_BYTES,
    TRANSCRIPT_BYTES,
    TRANSCRIPT_MESSAGES,
)
from tunnel.spec.v1.frames import Message

UNREADABLE: Final = "[unreadable]"
REPLAYED: Final = "[replayed]"


class Reading(NamedTuple):
    """What a message says to its reader."""

    text: str
    is_sound: bool
    """Whether it is a chat that opens, and is no repetition: then the text is what was said (SEAL-2, SEAL-3)."""


def body_bytes(body: str) -> int:
    """What a body takes: sealed ones are ASCII, whatever else a peer writes is not."""
    return len(body) if body.isascii() else len(body.encode("utf-8"))


class Transcript:
    """All messages of a session, and which of them must not be taken at their word.

    Args:
        key: opens the bodies.
        nonces: those that were seen with this key before; what is seen here is noted there, too. None are known when left out.
    """

    def __init__(self, key: bytes, nonces: set[str] | None = None) -> None:
        self._key = key
        self._messages: list[Message] = []
        self._bytes = 0
        self._nonces: set[str] = set() if nonces is None else nonces
        self._replayed: set[int] = set()
        self._concealed: set[int] = set()

    @property
    def last(self) -> int:
        """The number of the last message; 0 when there is none."""
        return len(self._messages)

    def has_room(self, size: int, waiting: int = 0) -> bool:
        """Whether one more chat fits (SIZE-10).

        Args:
            size: bytes of its body and of those that wait for their number.
            waiting: how many wait.
        """
        return len(self._messages) + waiting < TRANSCRIPT_MESSAGES and self._bytes + size <= TRANSCRIPT_BYTES

    @property
    def overfull(self) -> bool:
        """Whether there are as many messages as a host may send, its last system messages included (SIZE-10)."""
        return self.would_overfill(1)

    def would_overfill(self, messages: int) -> bool:
        """Whether so many messages more are more than a session holds."""
        return (
            self.last + messages > TRANSCRIPT_MESSAGES + SYSTEM_MESSAGES
            or self._bytes >= TRANSCRIPT_BYTES + SYSTEM_MESSAGES * TEXT_BYTES
        )

    def append(self, message: Message, *, concealed: bool = False, own: bool = False) -> None:
        """Take the next message. A chat whose nonce was seen before is noted as a replay (SEAL-3).

        Args:
            message: its number is `last + 1`.
            concealed: it counts, and is not shown (SEQ-6).
            own: its nonce was noted when it was sent.
        """
        self._messages.append(message)
        self._bytes += body_bytes(message.body)
        if concealed:
            self._concealed.add(message.seq)
        if message.kind == "chat" and not own and not self.is_fresh(message.body):
            self._replayed.add(message.seq)

    def is_fresh(self, body: str) -> bool:
        """Whether the nonce of this body is new; from now on it is not."""
        nonce = body[: crypto.NONCE_CHARS]
        if nonce in self._nonces:
            return False
        self._nonces.add(nonce)
        return True

    def after(self, seq: int) -> Iterator[Message]:
        """The messages behind a number, concealed ones included: what a peer gets."""
        # By index: to skip those before it would take as long as the transcript is.
        return (self._messages[index] for index in range(max(0, seq), len(self._messages)))

    def at(self, seq: int) -> Message:
        """The message with this number, from 1 to `last`."""
        return self._messages[seq - 1]

    def is_shown(self, message: Message) -> bool:
        """Whether the reader may see it."""
        return message.seq not in self._concealed

    def text(self, message: Message) -> str:
        """What it says. A system text is made visible (NAME-1). A chat that does not open is `[unreadable]`, a repeated one `[replayed]` (SEAL-2, SEAL-3)."""
        return self.read(message).text

    def is_sound(self, message: Message) -> bool:
        """Whether it is a chat that opens, and is no repetition: then `text` is what was said (SEAL-2, SEAL-3)."""
        return self.read(message).is_sound

    def read(self, message: Message) -> Reading:
        """What it says, and whether that was said; its body is opened once for both."""
        if message.kind != "chat":
            return Reading(visible(message.body, TEXT_BYTES), is_sound=False)
        if message.seq in self._replayed:
            return Reading(REPLAYED, is_sound=False)
        try:
            return Reading(crypto.open_body(self._key, message.body), is_sound=True)
        except Unreadable:
            return Reading(UNREADABLE, is_sound=False)
