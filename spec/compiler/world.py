"""A host, its guest, the wire between them, and a thief who holds the link, at one moment.

The wire keeps the order and loses only by being cut: then what is still under way arrives up to some point, and nothing
behind it. It may take any time.
"""

from typing import NamedTuple

from spec.compiler.explore import Place

LINE, THIEF = "line", "thief"
"""The host's two connections: the honest guest's, and the thief's."""

TOLD = {
    "closed_by_host": "told_closed",
    "idle": "told_idle",
    "process_exit": "told_exit",
    "transport_lost": "told_transport",
    "dropped": "told_dropped",
}
"""The fact with which a guest's loss of its connection comes, by the cause that the host told."""


class Item(NamedTuple):
    """Something under way: a frame, the opened WebSocket, a close, or the point where the wire was cut."""

    name: str
    number: int = 0
    """Of a message: 1 is the one that the guest has to take next."""
    about: str = ""


class World(NamedTuple):
    """Everything at one moment."""

    session: Place
    line: Place | None = None
    thief: Place | None = None
    guest: Place | None = None
    to_guest: tuple[Item, ...] = ()
    to_host: tuple[Item, ...] = ()
    is_cut: bool = False
    untaken: int = 0
    """How many messages were numbered for the guest that it has not taken."""
    seat: str = ""
    """The connection that was ever admitted."""
    cause: str = ""
    """Why the session ended."""

    @property
    def is_over(self) -> bool:
        """Whether both ends have come to their end, and every connection is gone."""
        ends = (self.guest, "ended"), (self.line, "gone"), (self.thief, "gone")
        return self.session.state == "closed" and all(end is None or end.state == last for end, last in ends)
