"""The join link: the address of a relay and the key of its tunnel, in one line that a person passes on."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from tunnel import crypto
from tunnel.core.text import cut
from tunnel.errors import BadEncoding, BadLink
from tunnel.spec.v1.constants import KEY_BYTES, LINK_CHARS, TUNNEL_ID_BYTES

_PATH: Final = re.compile(r"/t/([0-9a-f]+)")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?")
_IPV6_AUTHORITY: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
_SCHEME_BYTES: Final = 8
_AGAIN: Final = "Ask the host for the whole link, and paste it as it is."


class JoinLink(Struct, frozen=True, kw_only=True):
    """A join link that was checked (LINK-7). Its representation hides the key."""

    base: str
    """`ws://HOST[:PORT]` or `wss://HOST[:PORT]`."""
    tunnel_id: str
    key: bytes

    @property
    def url(self) -> str:
        """What is dialled: the link without its fragment, which never leaves this machine."""
        return f"{self.base}{path(self.tunnel_id)}"

    @property
    def text(self) -> str:
        """The whole link. A secret: whoever has it can join and read."""
        return f"{self.url}#{crypto.encode_base64url(self.key)}"

    def __repr__(self) -> str:
        return f"JoinLink({self.url}#...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """For those who pretty-print without asking for the representation."""
        return [("url", f"{self.url}#...")]


def path(tunnel_id: str) -> str:
    """The path of a tunnel on its relay (WIRE-7)."""
    return f"/t/{tunnel_id}"


def mint(public_url: str, tunnel_id: str, key: bytes) -> JoinLink:
    """The link of a tunnel whose relay is reachable at `public_url`, `http(s)://HOST[:PORT]` (LINK-6).

    Raises:
        BadLink: the URL would not make a link that a guest accepts.
    """
    base = re.sub(r"^http", "ws", public_url.rstrip("/"), count=1)
    return parse(JoinLink(base=base, tunnel_id=tunnel_id, key=key).text)


def fresh_tunnel_id(entropy: Callable[[int], bytes]) -> str:
    """A new tunnel id (LINK-6)."""
    return entropy(TUNNEL_ID_BYTES).hex()


def parse(text: str) -> JoinLink:
    """Check a pasted link, part by part, before anything is dialled (LINK-7).

    Raises:
        BadLink: says which part is wrong, what is allowed and what to do; it never repeats the key.
    """
    text = text.strip()
    if len(text) > LINK_CHARS:
        raise BadLink(f"The join link has {len(text)} characters; at most {LINK_CHARS} are allowed. {_AGAIN}")
    if not text.isascii() or re.search(r"[\x00-\x20\x7f]", text):
        raise BadLink(f"The join link holds a blank or a character that no link has. {_AGAIN}")
    address, hash_sign, fragment = text.partition("#")
    if not hash_sign:
        raise BadLink(f"The join link has no '#' with the key behind it. {_AGAIN}")
    base, tunnel_id = _address(address)
    return JoinLink(base=base, tunnel_id=tunnel_id, key=_key(fragment))


def _address(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
        port = parts.port
        exists = _can_exist(parts)
    except ValueError:
        raise BadLink(f"The join link's host or port cannot be read. {_AGAIN}") from None
    if parts.scheme not in ("ws", "wss"):
        # Cut: in front of a colon may stand anything that was pasted, and a key looks like a scheme.
        found = f"starts with '{cut(parts.scheme, _SCHEME_BYTES)}:'" if parts.scheme else "has no scheme"
        raise BadLink(f"The join link {found}; it must start with 'wss://' or 'ws://'. {_AGAIN}")
    _check_host(parts, port, exists=exists)
    found = _PATH.fullmatch(parts.path)
    if not found or "?" in address:
        raise BadLink(f"The join link's path is not '/t/' and lower-case hexadecimal digits. {_AGAIN}")
    return f"{parts.scheme}://{parts.netloc}", found[1]


def _check_host(parts: SplitResult, port: int | None, *, exists: bool) -> None:
    if "@" in parts.netloc:
        raise BadLink("The join link holds a user name or password; no join link does. Do not use it.")
    if not exists or port == 0 or parts.netloc.endswith(":"):
        raise BadLink(f"The join link names no host, or one that cannot exist. {_AGAIN}")


def _can_exist(parts: SplitResult) -> bool:
    """Whether there can be such a host; what stands in brackets and is no address is a ValueError."""
    if "[" not in parts.netloc and "]" not in parts.netloc:
        return bool(parts.hostname and _HOST.fullmatch(parts.hostname))
    found = _IPV6_AUTHORITY.fullmatch(parts.netloc)
    return found is not None and bool(IPv6Address(found[1]))


def _key(fragment: str) -> bytes:
    if "." in fragment:
        raise BadLink(
            "The join link has a token behind its key: it is of wire version 2 or 3, and this program speaks version 1. "
            "Ask the host to open the tunnel with a program of wire version 1, such as this one."
        )
    try:
        key = crypto.decode_base64url(fragment)
    except BadEncoding:
        raise BadLink(f"The key behind the '#' is not base64url as a host writes it. {_AGAIN}") from None
    if len(key) != KEY_BYTES:
        raise BadLink(f"The key behind the '#' has {len(key)} bytes instead of {KEY_BYTES}. {_AGAIN}")
    return key
