"""What this program reads from its environment, and the numbers that are its own and not the protocol's."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tunnel.core.text import visible

MILLISECONDS_PER_SECOND: Final = 1000

LISTEN_SECONDS: Final = 45.0
"""How long a listen waits when it is not told: below the shortest limit of a tool call that is common among clients."""

LISTEN_MILLISECONDS: Final = int(LISTEN_SECONDS * MILLISECONDS_PER_SECOND)
"""The same, in the unit of the tool's argument."""

LONGEST_LISTEN_SECONDS: Final = 24 * 3600.0
"""A listen never waits longer, whatever number it is given."""

SAY_SECONDS: Final = 60.0
"""How long a say waits for the host's echo."""

ANSWER_MESSAGES: Final = 500
"""How many messages one answer holds."""

ANSWER_BYTES: Final = 100_000
"""How many bytes of text one answer holds; a single longer message is given whole."""

TRANSPORT_BYTES: Final = 40
"""No transport has a longer name."""


class Settings(Struct, frozen=True):
    """The environment, read once at the start."""

    transport: str = ""
    """TUNNEL_TRANSPORT: the transport's name; empty for the default."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment. A value that cannot be one is kept, visible and cut: who uses it says what is wrong."""
    return Settings(transport=visible(environment.get("TUNNEL_TRANSPORT", ""), TRANSPORT_BYTES))
