"""The guest reaches this machine without anybody's help: at an address in a private network, or through a TLS edge of one's own.

Without TLS a link leads nowhere else than a guest would dial it (LINK-10, LINK-12).
"""

import asyncio
import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tunnel.io.reach import may_go_plain
from tunnel.transport.base import TransportError
from tunnel.transport.setup import Setup

LOCALHOST: Final = "127.0.0.1"

_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9]+(?:(?:\.|-+)[A-Za-z0-9]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", re.IGNORECASE
)
_HOW: Final = (
    "Set it to http://ADDRESS:PORT, with the address at which the guest reaches this machine in your network or VPN, "
    "or to https://HOST, with TUNNEL_PORT, for a TLS edge of your own."
)


class Direct:
    """A way that this machine's person has prepared.

    Args:
        base: scheme and host at which the guest arrives, and the port where it is known before.
        listens_at: where the relay listens.
        privacy: who can see what.
    """

    name = "direct"

    def __init__(self, base: str, listens_at: tuple[str, int], privacy: str) -> None:
        self.listens_at = listens_at
        self.privacy = privacy
        self._base = base
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def lost(self) -> asyncio.Future[str]:
        """Never done: nobody tells when a network or an edge goes away."""
        return self._lost

    async def start(self, port: int) -> str:
        """The URL at which the guest arrives. With the relay itself there, it has the relay's port."""
        return self._base.format(port=port)

    async def stop(self) -> None:
        """There is nothing to give back."""


def direct(setup: Setup) -> Direct:
    """The way that TUNNEL_URL and TUNNEL_PORT describe.

    Raises:
        TransportError: they describe none that a guest would go; the text says what to set.
    """
    if not setup.url:
        raise TransportError(f"The transport direct needs TUNNEL_URL. {_HOW}")
    parts, port = _parts(setup.url)
    host = parts.hostname or ""
    return _edge(parts, host, setup.port) if parts.scheme == "https" else _relay(host, port, setup.port)


def _parts(url: str) -> tuple[SplitResult, int | None]:
    # What is wrong is not shown: it may hold a password.
    if not _URL.fullmatch(url):
        raise TransportError(f"TUNNEL_URL is no http:// or https:// URL of a host and a port and nothing more. {_HOW}")
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.port != 0:
            return parts, parts.port
    raise TransportError(f"TUNNEL_URL has an address or a port that cannot exist. {_HOW}")


def _edge(parts: SplitResult, host: str, forwards_to: int) -> Direct:
    """Behind a TLS edge, the relay listens where only this machine reaches it."""
    if not forwards_to:
        raise TransportError(
            "TUNNEL_URL starts with https://, so a TLS edge of yours, such as nginx or Caddy, must stand in front. "
            f"Set TUNNEL_PORT to the port at {LOCALHOST} that it forwards to."
        )
    return Direct(
        f"https://{parts.netloc}",
        (LOCALHOST, forwards_to),
        f"Whoever runs the TLS edge at {host} can read the goal, the names, the system messages and a host's summary, and could answer in the "
        "host's place; what is said in chat is sealed end to end, and they cannot read that.",
    )


def _relay(host: str, port: int | None, forwards_to: int) -> Direct:
    """Without TLS, the relay itself listens at the address in the URL."""
    if port and forwards_to and port != forwards_to:
        raise TransportError(
            f"TUNNEL_URL says port {port} and TUNNEL_PORT {forwards_to}, and with http:// nothing stands between the two. "
            "Unset TUNNEL_PORT."
        )
    address = _address(host)
    shown = f"[{address}]" if isinstance(address, IPv6Address) else host
    return Direct(f"http://{shown}:{{port}}", (str(address), port or forwards_to), _seen(address))


def _address(host: str) -> IPv4Address | IPv6Address:
    """The address that a guest would dial without TLS."""
    try:
        address = ip_address(LOCALHOST if host.lower() == "localhost" else host)
    except ValueError:
        raise TransportError(
            f"TUNNEL_URL leads to the name {host} without TLS, and a guest may find any address behind a name. "
            "Write the private address itself, or put a TLS edge in front and write https://."
        ) from None
    if address.is_unspecified or address.is_multicast:
        raise TransportError(f"TUNNEL_URL leads to {host}, at which no guest can reach this machine. {_HOW}")
    if not may_go_plain(str(address)):
        raise TransportError(
            f"TUNNEL_URL leads to the public address {host} without TLS: whoever is on the way could read along and answer in "
            "your place, so guests refuse it. Put a TLS edge in front and write https://, or use the transport cloudflared."
        )
    return address


def _seen(address: IPv4Address | IPv6Address) -> str:
    if address.is_loopback:
        return "Only programs on this machine can reach this tunnel; nothing leaves it."
    return (
        "There is no TLS: whoever is on the private network between the two machines can read the goal, the names, the "
        "system messages and a host's summary, and could answer in the host's place; what is said in chat is sealed end to end, and they cannot "
        "read that."
    )
