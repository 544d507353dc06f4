"""The kit's own crypto: it must not agree with an implementation because both ask the same code."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


def encode(data: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of canonical, unpadded base64url (SEAL-4).

    Raises:
        ValueError: it is none. Python's decoder drops foreign characters and surplus bits, so what it reads is written again.
    """
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url without padding")
    return data


def prove(key: bytes, challenge: str) -> bytes:
    """The HMAC-SHA256 of a challenge's text (AUTH-2), which goes out as base64url."""
    return hmac.new(key, challenge.encode("utf-8", "replace"), hashlib.sha256).digest()


def seal(key: bytes, text: str, nonce: bytes) -> str:
    """The body of a chat (SEAL-1)."""
    return encode(bytes(SecretBox(key).encrypt(text.encode("utf-8"), nonce)))


def unseal(key: bytes, body: object) -> str | None:
    """The text of a chat's body; None when it cannot be opened with this key."""
    try:
        return SecretBox(key).decrypt(decode(str(body))).decode("utf-8")
    except (CryptoError, ValueError, TypeError):
        return None
