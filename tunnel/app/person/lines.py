"""What a person's command and a server say to each other: one line of JSON each way at a time, both of them typed."""

from typing import Final, Literal

from msgspec import Struct

LINE_BYTES: Final = 16_384
"""No line is longer."""


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the command wants."""

    want: Literal["look", "allow", "watch"]


class Typed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person has typed."""

    typed: str


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the server says."""

    refused: str = ""
    """Why not, in a sentence; empty for yes."""
    state: str = ""
    role: str = ""
    goal: str = ""
    peer: str = ""
    said: int = 0
    limit: int = 0
    last: list[str] = []
    """What the agent has said last, in this tunnel; the newest at the end."""
    challenge: str = ""
    """What a person has to type to allow more."""
    url: str = ""
    """Where the window is, for reading."""
    token: str = ""
    """What its buttons ask for."""
