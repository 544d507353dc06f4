"""Everything that a look at this machine depends on, so that a test can give it another machine."""

import platform
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct, field

from tunnel.app.registration import this_system
from tunnel.app.settings import Settings
from tunnel.io.internet import EDGE_HOSTS, EDGE_PORT, QUICK_TUNNEL_API
from tunnel.io.lookup import Lookup, system_addresses
from tunnel.io.proxies import process_environment
from tunnel.io.way import Patience, Way
from tunnel.transport.asset import Machine
from tunnel.transport.choose import DEFAULT
from tunnel.transport.diagnosis import VERSION_SECONDS

HTTPS_PORT = 443


class Surroundings(Struct, frozen=True, kw_only=True):
    """A machine, its person's wishes, and the internet around it."""

    settings: Settings
    environment: Mapping[str, str] = field(default_factory=process_environment)
    python: tuple[int, ...] = tuple(sys.version_info[:3])
    system: str = field(default_factory=this_system)
    machine: Machine = field(default_factory=partial(Machine, platform.system(), platform.machine()))
    lookup: Lookup = system_addresses
    patience: Patience = Patience()
    version_seconds: float = VERSION_SECONDS
    """How long a program has to say its version."""
    unix_seconds: Callable[[], float] = time.time
    """This machine's clock."""
    api: str = QUICK_TUNNEL_API
    api_port: int = HTTPS_PORT
    edges: tuple[str, ...] = EDGE_HOSTS
    edge_port: int = EDGE_PORT

    @property
    def transport(self) -> str:
        """The name of the transport that would be used."""
        return self.settings.transport or DEFAULT

    @property
    def api_url(self) -> str:
        """Where quick tunnels are asked for."""
        return f"https://{self.api}:{self.api_port}"

    def way(self) -> Way:
        """What may be used on the way out."""
        return Way(
            environment=self.environment,
            ca_file=self.settings.ca_file,
            doh_servers=self.settings.doh_servers,
            lookup=self.lookup,
            patience=self.patience,
        )
