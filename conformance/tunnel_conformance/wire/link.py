"""A join link taken apart, as far as the kit needs it: what is dialled, and the key, which stays here."""

import re
from typing import Final

from msgspec import Struct

from tunnel_conformance.wire import crypto

_LINK: Final = re.compile(r"(?i:wss?)://([^/?#\s]+)(/t/([0-9a-f]+))#([A-Za-z0-9_-]{43})")


class Link(Struct, frozen=True, kw_only=True):
    """A join link."""

    text: str
    path: str
    tunnel_id: str
    key: bytes

    @property
    def port(self) -> str:
        """The port as the link spells it; empty when it is that of the scheme."""
        return self.text.partition("://")[2].partition("/t/")[0].rpartition("]")[2].partition(":")[2]

    @property
    def key_text(self) -> str:
        """The key as the link spells it."""
        return crypto.encode(self.key)


def parse(text: object) -> Link:
    """What a host handed out.

    Raises:
        ValueError: it is no join link (LINK-6). The text of the error does not repeat it.
    """
    found = _LINK.fullmatch(text) if isinstance(text, str) else None
    if not found or not isinstance(text, str):
        raise ValueError("it is not SCHEME://HOST[:PORT]/t/TUNNELID#KEY")
    return Link(text=text, path=found[2], tunnel_id=found[3], key=crypto.decode(found[4]))


def mint(port: int, tunnel_id: str, key: bytes) -> Link:
    """The link of a host that the kit plays."""
    path = f"/t/{tunnel_id}"
    text = f"ws://127.0.0.1:{port}{path}#{crypto.encode(key)}"
    return Link(text=text, path=path, tunnel_id=tunnel_id, key=key)
