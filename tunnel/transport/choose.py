"""Which transport is used: by name, from a table."""

from collections.abc import Callable, Mapping
from typing import Final

from tunnel.transport.base import Transport, TransportError
from tunnel.transport.loopback import Loopback

TRANSPORTS: Final[Mapping[str, Callable[[], Transport]]] = {"loopback": Loopback}
DEFAULT: Final = "loopback"


def choose(name: str) -> Transport:
    """The transport of this name; the default when the name is empty.

    Raises:
        TransportError: there is none.
    """
    make = TRANSPORTS.get(name.strip().lower() or DEFAULT)
    if make is None:
        raise TransportError(
            f"TUNNEL_TRANSPORT names {name[:40]!r}; there is {', '.join(sorted(TRANSPORTS))}. Unset it, or choose one."
        )
    return make()
