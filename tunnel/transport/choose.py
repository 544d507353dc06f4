"""Which transport is used: by name, from a table. What a transport stands on is imported when it is chosen."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from tunnel.transport.base import Transport, TransportError
from tunnel.transport.direct import direct
from tunnel.transport.loopback import Loopback
from tunnel.transport.presets import PRESETS
from tunnel.transport.setup import Setup

DEFAULT: Final = "cloudflared"

_NAME: Final = re.compile(r"[a-z0-9-]{1,20}")
"""Only what may be a misspelt name is shown: anything else may be a join link in the wrong place."""


def choose(name: str, setup: Setup) -> Transport:
    """The transport of this name; the default when the name is empty.

    Raises:
        TransportError: there is none, or it cannot be used as this machine is set up.
    """
    name = name.strip().lower() or DEFAULT
    make = TRANSPORTS.get(name)
    if make is None:
        found = f"called '{name}'" if _NAME.fullmatch(name) else "of the name that was given"
        raise TransportError(
            f"There is no transport {found}; there is {', '.join(TRANSPORTS)}. "
            "Give one of these as `transport` or in TUNNEL_TRANSPORT, or none for the default."
        )
    return make(setup)


def _cloudflared(setup: Setup) -> Transport:
    from tunnel.transport.cloudflared import cloudflared

    return cloudflared(setup)


def _command(setup: Setup) -> Transport:
    from tunnel.transport.command import command

    return command(setup)


def _loopback(_setup: Setup) -> Transport:
    return Loopback()


def _preset(name: str, setup: Setup) -> Transport:
    from tunnel.transport.command import preset

    return preset(PRESETS[name], setup)


TRANSPORTS: Final[Mapping[str, Callable[[Setup], Transport]]] = {
    "cloudflared": _cloudflared,
    "direct": direct,
    "command": _command,
    "loopback": _loopback,
    **{name: partial(_preset, name) for name in PRESETS},
}
