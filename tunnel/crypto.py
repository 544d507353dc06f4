"""Pure functions over keys: prove, verify, seal, open, and strict base64url. Nothing here draws randomness."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from tunnel.errors import BadEncoding, Unreadable
from tunnel.spec.v1.constants import SEAL_NONCE_BYTES, SEAL_TAG_BYTES

NONCE_CHARS = SEAL_NONCE_BYTES * 4 // 3
"""How many characters of a sealed body spell its nonce: 24 bytes end on a character."""


def encode_base64url(data: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """The bytes of canonical, unpadded base64url (SEAL-4).

    Raises:
        BadEncoding: padding, a foreign character, or a tail whose unused bits are not zero.
    """
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        raise BadEncoding("not base64url") from None
    # Python's decoder drops foreign characters and ignores surplus bits: only a text that we would write ourselves is good.
    if encode_base64url(data) != text:
        raise BadEncoding("not canonical base64url without padding")
    return data


def prove(key: bytes, challenge: str) -> str:
    """The response to a challenge: HMAC-SHA256 over its text, as base64url (AUTH-2)."""
    return encode_base64url(hmac.new(key, challenge.encode("utf-8"), hashlib.sha256).digest())


def verify(key: bytes, challenge: str, response: str) -> bool:
    """Whether the response proves the key, compared as an exact string in constant time (AUTH-4)."""
    return hmac.compare_digest(prove(key, challenge).encode("ascii"), response.encode("utf-8"))


def seal(key: bytes, text: str, nonce: bytes) -> str:
    """A chat body: base64url of nonce and secretbox (SEAL-1). The nonce must never be used twice with a key."""
    return encode_base64url(bytes(SecretBox(key).encrypt(utf8(text), nonce)))


def well_formed(text: str) -> str:
    """The text as its reader sees it."""
    return utf8(text).decode("utf-8")


def utf8(text: str) -> bytes:
    """The text as it goes out: half of a surrogate pair, which no UTF-8 can spell, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def sealed_chars(text_bytes: int) -> int:
    """How many characters the sealed body of a text of so many bytes has."""
    return -(-(SEAL_NONCE_BYTES + SEAL_TAG_BYTES + text_bytes) * 4 // 3)


def open_body(key: bytes, body: str) -> str:
    """The text of a chat body. Bytes that are no UTF-8 become U+FFFD, as released peers show them.

    Raises:
        Unreadable: it is not base64url, too short, or was not sealed with this key.
    """
    try:
        sealed = decode_base64url(body)
        if len(sealed) < SEAL_NONCE_BYTES + SEAL_TAG_BYTES:
            raise Unreadable("too short for a nonce and a tag")
        return SecretBox(key).decrypt(sealed).decode("utf-8", "replace")
    except (BadEncoding, CryptoError):
        raise Unreadable("was not sealed with this key") from None
