"""Variables that look as if they were meant for this program, and that neither it nor cloudflared reads."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from tunnel.core.text import visible

KNOWN: Final = (
    "TUNNEL_TRANSPORT",
    "TUNNEL_URL",
    "TUNNEL_PORT",
    "TUNNEL_COMMAND",
    "TUNNEL_SKIP_REACHABILITY_CHECK",
    "TUNNEL_DOH",
    "TUNNEL_CA_FILE",
    "TUNNEL_LISTEN_SECONDS",
    "TUNNEL_SESSION_LOG",
    "TUNNEL_BUDGET",
    "TUNNEL_NAME",
    "TUNNEL_WATCH",
    "TUNNEL_SKILLS_DIR",
    "TUNNEL_SKIP_SKILL_INSTALL",
)
"""Ours."""

OF_CLOUDFLARED: Final = ("TUNNEL_TRANSPORT_PROTOCOL", "TUNNEL_EDGE_IP_VERSION", "TUNNEL_EDGE_BIND_ADDRESS")
"""Those that are passed on to it."""

MOST: Final = 5
"""So many are named."""

_PREFIX: Final = "TUNNEL_"
_LONGEST: Final = 60
_ALIKE: Final = 0.9
"""How much a name without the prefix must be like one of ours, so that the environment of others is left in peace."""


def misspelt(names: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each of these names that is likely misspelt; it never shows a value."""
    unknown = sorted(name for name in names if name not in (*KNOWN, *OF_CLOUDFLARED) and _is_meant(name))
    more = (f"{len(unknown) - MOST} more variables are not known either.",) if len(unknown) > MOST else ()
    return (*map(_sentence, unknown[:MOST]), *more)


def _is_meant(name: str) -> bool:
    whole = name.upper()
    return whole.startswith(_PREFIX) or bool(len(name) <= _LONGEST and get_close_matches(whole, KNOWN, 1, _ALIKE))


def _sentence(name: str) -> str:
    # What is the same in all of them would make any two of them alike.
    rests = [known.removeprefix(_PREFIX) for known in (*KNOWN, *OF_CLOUDFLARED)]
    rest = name.upper().partition("_")[2]
    near = get_close_matches(rest, rests, 1) if len(name) <= _LONGEST else []
    meant = f" Did you mean {_PREFIX}{near[0]}?" if near else ""
    return f"{visible(name, _LONGEST)} is no variable of this program, which passes over it.{meant}"
