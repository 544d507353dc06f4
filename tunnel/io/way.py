"""What a guest may use on its way to a host, and how long each stage of it may take."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from tunnel.io.internet import DOH_SERVERS
from tunnel.io.lookup import Lookup, system_addresses
from tunnel.io.proxies import process_environment


class Patience(Struct, frozen=True, kw_only=True):
    """How long each stage may take. On no way is it so much together that JOIN_SECONDS are over before the last one."""

    system_seconds: float = 3.0
    """For the system's resolver."""
    doh_seconds: float = 3.0
    """For DNS over HTTPS, where that is asked."""
    tcp_seconds: float = 4.0
    """For a connection to the host: two lost packets take three seconds."""
    proxy_seconds: float = 8.0
    """For everything about a proxy: its name, the connection to it, its TLS, and its way to the host."""
    tls_seconds: float = 4.0
    """For TLS with the host."""
    websocket_seconds: float = 4.0
    """For the WebSocket."""


class Way(Struct, frozen=True, kw_only=True):
    """Everything that a dialling may depend on, so that a test can give it another machine."""

    environment: Mapping[str, str] = field(default_factory=process_environment)
    """Where proxies are looked up."""
    ca_file: Path | None = None
    """TUNNEL_CA_FILE: certificates that are trusted beside the system's."""
    doh_servers: tuple[str, ...] = DOH_SERVERS
    """TUNNEL_DOH: resolvers of DNS over HTTPS; none when it is off."""
    lookup: Lookup = system_addresses
    """The system's resolver."""
    patience: Patience = Patience()
