"""What a line means that a person typed: whatever does not begin with a slash is said, and a misspelt command never is."""

import difflib
from typing import Final, TypeAlias

from msgspec import Struct

from tunnel.core.text import visible

SHOWN_BYTES: Final = 40
"""So much of an unknown command is shown."""


class Say(Struct, frozen=True):
    """It is said."""

    text: str


class End(Struct, frozen=True):
    """The host closes, and the guest leaves."""

    summary: str


class ShowStatus(Struct, frozen=True):
    """The person asks how things stand."""


class ShowHelp(Struct, frozen=True):
    """The person asks what can be typed."""


class Unknown(Struct, frozen=True):
    """It is no command, and looks like one."""

    explanation: str


Typed: TypeAlias = Say | End | ShowStatus | ShowHelp | Unknown

COMMANDS: Final = ("/close", "/help", "/leave", "/status")


def meaning(line: str) -> Typed | None:
    """What a typed text means; None if it is blank. It may have several lines."""
    if not line.strip():
        return None
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    command, _, rest = line.partition(" ")
    match command.strip():
        # A host cannot leave its tunnel open, and a guest cannot close it: each word does what this side can do.
        case "/close" | "/leave":
            return End(rest.strip())
        case "/status":
            return ShowStatus()
        case "/help":
            return ShowHelp()
        case unknown:
            return Unknown(_explanation(unknown))


def _explanation(unknown: str) -> str:
    near = difflib.get_close_matches(unknown[:SHOWN_BYTES], COMMANDS, n=1)
    meant = f" Did you mean {near[0]}?" if near else f" There are {', '.join(COMMANDS)}."
    return (
        f"Not sent: there is no command {visible(unknown, SHOWN_BYTES)}.{meant} "
        "To say something that begins with a slash, type two slashes."
    )
