"""What is said in every measurement: texts of 200 bytes, sealed and framed as a guest sends them."""

import os
from typing import Final, Literal, TypeAlias

from msgspec import Raw

from tunnel import crypto
from tunnel.core import codec
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import MESSAGE_ID_BYTES, SEAL_NONCE_BYTES

Sender: TypeAlias = Literal["host", "guest"]

TEXT_BYTES: Final = 200
TEXT: Final = ("Two hundred bytes, as an agent says them: a sentence or two about a lock, a row and a test. " * 3)[
    :TEXT_BYTES
]


def sent(key: bytes, text: str, sender: Sender = "guest") -> bytes:
    """A `send` frame with this text."""
    body = crypto.seal(key, text, os.urandom(SEAL_NONCE_BYTES))
    draft = frames.Draft(
        id=os.urandom(MESSAGE_ID_BYTES).hex(), kind="chat", sender=Raw(f'"{sender}"'.encode()), body=body
    )
    return codec.encode(frames.Send(msg=draft))
