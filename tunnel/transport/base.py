"""What a transport is: a local port in; a URL, a sign of its loss, and a way to stop it out."""

import asyncio
from typing import Protocol

from tunnel.errors import NetworkFault


class TransportError(NetworkFault):
    """The relay cannot be made reachable; the text says why and what to do."""


class Transport(Protocol):
    """Makes a local port reachable for the guest."""

    name: str
    privacy: str
    """Who can see what of a tunnel that goes this way, in a sentence."""

    @property
    def listens_at(self) -> tuple[str, int]:
        """Address and port at which the relay must listen for it; port 0 lets the system choose."""
        ...

    async def start(self, port: int) -> str:
        """Make the port reachable.

        Returns:
            The public URL, `http(s)://HOST[:PORT]`, once a guest can use it.

        Raises:
            TransportError: it does not come about.
        """
        ...

    @property
    def lost(self) -> "asyncio.Future[str]":
        """Done, with a sentence why, when the transport is lost for good."""
        ...

    async def stop(self) -> None:
        """Give everything back. It can be called at any time, and more than once."""
        ...
