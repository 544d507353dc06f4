"""What a transport is told about this machine and its person's wishes. The app reads it from the environment, once."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from tunnel.io.internet import CLOUDFLARED_DOWNLOADS, DOH_SERVERS


def _nobody(_line: str) -> None:
    """There is nobody to tell."""


class Setup(Struct, frozen=True, kw_only=True):
    """Everything that a transport may depend on, so that a test can give it another machine."""

    command: str = ""
    """TUNNEL_COMMAND: what the transport `command` runs, with `{port}` where the port belongs."""
    url: str = ""
    """TUNNEL_URL: the address at which the transport `direct` is reached from outside."""
    port: int = 0
    """TUNNEL_PORT: the local port that an edge in front of `direct` forwards to; 0 lets the system choose."""
    doh_servers: tuple[str, ...] = DOH_SERVERS
    """TUNNEL_DOH: resolvers of DNS over HTTPS; none when it is off."""
    ca_file: Path | None = None
    """TUNNEL_CA_FILE: certificates that are trusted beside the system's."""
    checks_reachability: bool = True
    """TUNNEL_SKIP_REACHABILITY_CHECK unset: a public name is waited for until it is in the DNS."""
    home: Path | None = None
    """The person's home folder, if there is one."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """For child processes, and where PATH and proxies are looked up."""
    downloads: str = CLOUDFLARED_DOWNLOADS
    """Where cloudflared is downloaded from."""
    report: Callable[[str], None] = _nobody
    """Says something to the person, in a line on standard error."""
