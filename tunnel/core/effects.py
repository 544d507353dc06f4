"""What should happen after an input: the core returns these, and the driver does them, in their order."""

from msgspec import Struct

from tunnel.spec.v1.frames import GuestFrame, HostFrame
from tunnel.spec.v1.refusals import Cause, Closing, Failure

ConnectionId = int
"""A connection, as the host counts them. A guest has one, and its number is 0."""


class Send(Struct, frozen=True, gc=False):
    """A frame goes to a peer."""

    to: ConnectionId
    frame: HostFrame | GuestFrame


class Ping(Struct, frozen=True, gc=False):
    """A WebSocket ping goes to a peer."""

    to: ConnectionId


class HangUp(Struct, frozen=True, gc=False):
    """A close frame goes to a peer, and its socket is closed soon, whatever it does."""

    to: ConnectionId
    closing: Closing


class HandOutLink(Struct, frozen=True, gc=False):
    """The join link may be given away: its lifetime has begun."""


class Joined(Struct, frozen=True, gc=False):
    """The host has let this side in."""


class Arrived(Struct, frozen=True, gc=False):
    """The transcript has grown: who listens is answered."""


class PeerLeft(Struct, frozen=True, gc=False):
    """The guest has left: who listens is answered."""


class Said(Struct, frozen=True, gc=False):
    """What was said has its number."""

    ticket: int
    seq: int


class NotSaid(Struct, frozen=True, gc=False):
    """What was said is not numbered, or not known to be."""

    ticket: int
    failure: Failure


class Ended(Struct, frozen=True, gc=False):
    """The tunnel is over: everything is torn down, and everybody who waits is answered."""

    cause: Cause


Effect = Send | Ping | HangUp | HandOutLink | Joined | Arrived | PeerLeft | Said | NotSaid | Ended
