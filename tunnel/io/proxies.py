"""Which proxy leads to a host: as the environment says, and never for this machine itself.

What a person wrote into their environment may hold a password: no text made here repeats it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies

from msgspec import Struct

from tunnel.core.text import visible
from tunnel.errors import TheirFault
from tunnel.io.reach import bare, is_this_machine, known_addresses

VALUE_CHARS: Final = 4096
"""No variable needs to be longer."""

# In the order of `websockets`: a proxy for WebSockets if there is one, then SOCKS, then what lets TLS through (RFC 6455
# section 4.1). `all` comes last, as everywhere.
_SECURE: Final = ("wss", "socks", "https", "all")
_PLAIN: Final = ("ws", "socks", "https", "http", "all")

_PORTS: Final = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_RESOLVES_HERE: Final = frozenset({"socks4", "socks5"})
_SHOWN_BYTES: Final = 80


class ProxySettingError(TheirFault):
    """A variable of the environment names no proxy that can be used. The text names the variable, and never its value."""


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy. Its representation hides the password."""

    variable: str
    """Where it is set: the name of the variable as the environment spells it."""
    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @property
    def resolves_here(self) -> bool:
        """Whether names have to be resolved on this side of it."""
        return self.scheme in _RESOLVES_HERE

    @property
    def shown(self) -> str:
        """Where it is, for a person."""
        return f"the proxy in {self.variable} ({_authority(visible(self.host, _SHOWN_BYTES), self.port)})"

    @property
    def url(self) -> str:
        """A secret, if it has a password."""
        user = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.username else ""
        return f"{self.scheme}://{user}{_authority(self.host, self.port)}"

    def __repr__(self) -> str:
        return f"Proxy({self.shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """For those who pretty-print without asking for the representation."""
        return [("shown", self.shown)]


def process_environment() -> dict[str, str]:
    """The environment of this process, and the proxies that the system has elsewhere: macOS and Windows keep settings."""
    return {f"{scheme}_proxy": url for scheme, url in getproxies().items()} | dict(os.environ)


def choose(environment: Mapping[str, str], host: str, port: int, *, secure: bool) -> Proxy | None:
    """The proxy on the way to a host; None where the way is direct.

    Args:
        environment: in either case; small letters come first, as everywhere.
        host: what is dialled, without brackets.
        port: and where.
        secure: whether it is `wss` or `https`.

    Raises:
        ProxySettingError: the one that would be used cannot be.
    """
    if is_this_machine(host):
        return None
    found = _variables(environment)
    _, exceptions = found.get("no", ("", ""))
    if len(exceptions) > VALUE_CHARS:
        raise ProxySettingError(
            f"NO_PROXY has {len(exceptions)} characters; at most {VALUE_CHARS} are allowed. Shorten it, or write *."
        )
    if any(_covers(entry, host.lower(), port) for entry in exceptions.lower().replace(",", " ").split()):
        return None
    for scheme in _SECURE if secure else _PLAIN:
        if scheme in found:
            return _parsed(scheme, *found[scheme])
    return None


def _variables(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The variables that name proxies: name and value, by what stands before `_proxy`. An empty one unsets those in capitals."""
    found: dict[str, tuple[str, str]] = {}
    for name in sorted(environment, key=str.islower):
        scheme, is_proxy, rest = name.lower().rpartition("_proxy")
        if is_proxy and not rest:
            found[scheme] = name, environment[name].strip()
    return {scheme: row for scheme, row in found.items() if row[1]}


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY covers a host: `*`, a name and all below it, an address, or a network."""
    known = known_addresses(host)
    for spelled in (entry, entry.removesuffix(f":{port}")):
        with suppress(ValueError):
            network = ip_network(spelled.strip("[]"), strict=False)
            return bool(known) and all(bare(address) in network for address in known)
    domain = entry.removesuffix(f":{port}").removeprefix("*").strip(".[]")
    # The end of an address is no domain.
    is_below = bool(domain) and not known and f".{host.removesuffix('.')}".endswith(f".{domain}")
    return entry == "*" or is_below


def _parsed(scheme: str, variable: str, value: str) -> Proxy:
    """The proxy in a variable. Without a scheme it is an HTTP one, as for curl."""
    if len(value) > VALUE_CHARS:
        raise _unusable(variable, f"it has {len(value)} characters, and at most {VALUE_CHARS} are allowed")
    if not value.isprintable() or " " in value:
        raise _unusable(variable, "it holds a blank or a control character")
    if "://" not in value:
        value = f"{'socks5h' if scheme == 'socks' else 'http'}://{value}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise _unusable(variable, "its host or its port cannot be read") from None
    kind = {"socks": "socks5h"}.get(parts.scheme, parts.scheme)
    # So macOS tells of a SOCKS proxy.
    kind = "socks5h" if scheme == "socks" and kind == "http" else kind
    if kind not in _PORTS:
        raise _unusable(variable, f"its scheme is none of {', '.join(_PORTS)}")
    if not parts.hostname or port == 0:
        raise _unusable(variable, "it names no host, or one that cannot exist")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _unusable(variable, "something stands behind its host and port")
    return Proxy(
        variable=variable,
        scheme=kind,
        host=parts.hostname,
        port=port or _PORTS[kind],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _unusable(variable: str, why: str) -> ProxySettingError:
    return ProxySettingError(
        f"{visible(variable, _SHOWN_BYTES)} names no proxy that can be used: {why}. "
        "Write it as http://HOST:PORT or socks5h://HOST:PORT, or unset it."
    )


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
