"""A wire that loses its end, is as slow as you like, and keeps the order."""

from collections import deque
from typing import NamedTuple

from tests.core.guest_witness import WitnessedGuest
from tunnel.core.effects import ConnectionId, Effect
from tunnel.spec.v1 import frames
from tunnel.spec.v1.refusals import Closing


class Auth(NamedTuple):
    """An answer to a challenge, on its way to the host."""

    text: str
    key: bytes
    name: str


class Chat(NamedTuple):
    """A `send` on its way to the host."""

    id: str
    body: str


class Beat(NamedTuple):
    """A WebSocket ping or pong on its way."""


class Bye(NamedTuple):
    """The end of a connection on its way; without a closing it broke without a word."""

    closing: Closing | None = None


class Wire:
    """One connection: what is on its way in both directions. It loses nothing but its end, and is as slow as you like."""

    def __init__(self, number: ConnectionId, guest: WitnessedGuest | None) -> None:
        self.number = number
        self.guest = guest
        self.to_host: deque[Auth | Chat | Beat | Bye] = deque()
        self.to_guest: deque[frames.HostFrame | Beat | Bye] = deque()
        self.is_cut = False
        self.asked: set[int] = set()
        self.answers: dict[int, Effect] = {}
        """To what was asked, for what the guest says."""
        self.sent: dict[tuple[str, str], int | None] = {}
        """Id and body of everything that the guest has sent, with the ticket where its agent said it."""
        self.is_tampered_with = False
        """Whether somebody between the ends has written a message of its own."""

    @property
    def agent(self) -> WitnessedGuest:
        """The guest at its end."""
        assert self.guest is not None
        return self.guest

    def skip(self) -> None:
        """The next message to the guest is lost, and those behind it are not."""
        found = next((item for item in self.to_guest if isinstance(item, frames.Msg)), None)
        if found is not None:
            self.to_guest.remove(found)

    def cut(self) -> None:
        """Everything on its way is lost."""
        self.is_cut = True
        self.to_host = deque([Bye()])
        self.to_guest = deque([Bye()] if self.guest else [])

    def up(self, *items: Auth | Chat | Beat | Bye) -> None:
        if not self.is_cut:
            self.to_host.extend(items)

    def down(self, *items: frames.HostFrame | Beat | Bye) -> None:
        if not self.is_cut and self.guest:
            self.to_guest.extend(items)
