"""Every answer of no and every end of wire version 1, with what it says and what to do next.

Generated from `spec/v1/refusals.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from tunnel.spec import model


class Refusal(Enum):
    """Why a join is refused."""

    MALFORMED_AUTH = "malformed_auth"
    """The `auth` frame lacks a field, or a field has the wrong type or size."""
    BAD_KEY = "bad_key"
    """The response does not prove the key of this tunnel's join link."""
    JOIN_LINK_EXPIRED = "join_link_expired"
    """The join link is older than its lifetime."""
    TUNNEL_FULL = "tunnel_full"
    """Another guest is in the tunnel."""
    JOIN_LINK_ALREADY_USED = "join_link_already_used"
    """A guest joined with this link and has left. It cannot be used again."""


REFUSALS: Final[Mapping[Refusal, model.Refusal]] = {
    Refusal.MALFORMED_AUTH: model.Refusal(id="malformed_auth", text="malformed auth", doc="The `auth` frame lacks a field, or a field has the wrong type or size.", next="Join with an implementation of wire version 1."),
    Refusal.BAD_KEY: model.Refusal(id="bad_key", text="bad key", doc="The response does not prove the key of this tunnel's join link.", next="Copy the whole join link once more, to its last character."),
    Refusal.JOIN_LINK_EXPIRED: model.Refusal(id="join_link_expired", text="join link expired", doc="The join link is older than its lifetime.", next="Ask the host to open a new tunnel and to send you its link."),
    Refusal.TUNNEL_FULL: model.Refusal(id="tunnel_full", text="tunnel full", doc="Another guest is in the tunnel.", next="Ask the host whom it let in; a join link is for one guest."),
    Refusal.JOIN_LINK_ALREADY_USED: model.Refusal(id="join_link_already_used", text="join link already used", doc="A guest joined with this link and has left. It cannot be used again.", next="Ask the host to open a new tunnel and to send you its link."),
}

class Closing(Enum):
    """Why an end closes the WebSocket."""

    REFUSED = "refused"
    """The join was refused; `auth_fail` said why."""
    CLOSED_BY_HOST = "closed_by_host"
    """The host closed the tunnel."""
    IDLE = "idle"
    """Nothing was said for too long."""
    PROCESS_EXIT = "process_exit"
    """The host's process ends."""
    TRANSPORT_LOST = "transport_lost"
    """The host's transport is lost for good."""
    LEFT = "left"
    """The guest closed the tunnel."""
    AUTH_TIMEOUT = "auth_timeout"
    """The connection did not authenticate within 15 seconds."""
    EVICTED = "evicted"
    """A newer connection took the place of this one, which had not authenticated."""
    TOO_BIG = "too_big"
    """A frame was larger than the receiver takes."""
    NOT_TEXT = "not_text"
    """A text message was not UTF-8."""
    FLOOD = "flood"
    """More WebSocket control frames than 1000 within 15 seconds."""
    SLOW = "slow"
    """More than 8388608 bytes wait for the peer."""
    SILENT = "silent"
    """Nothing was heard of the peer for 40 seconds."""
    TRANSCRIPT_FULL = "transcript_full"
    """The session holds as many messages as it may, and the guest sent one more."""
    PROTOCOL_ERROR = "protocol_error"
    """The host broke the protocol in a way that the guest cannot pass over."""
    JOIN_TIMEOUT = "join_timeout"
    """The host did not admit the guest within 20 seconds."""


CLOSINGS: Final[Mapping[Closing, model.Closing]] = {
    Closing.REFUSED: model.Closing(id="refused", code=1008, reason="refused", doc="The join was refused; `auth_fail` said why."),
    Closing.CLOSED_BY_HOST: model.Closing(id="closed_by_host", code=1000, reason="closed by host", doc="The host closed the tunnel."),
    Closing.IDLE: model.Closing(id="idle", code=1000, reason="idle timeout", doc="Nothing was said for too long."),
    Closing.PROCESS_EXIT: model.Closing(id="process_exit", code=1001, reason="process exit", doc="The host's process ends."),
    Closing.TRANSPORT_LOST: model.Closing(id="transport_lost", code=1001, reason="transport lost", doc="The host's transport is lost for good."),
    Closing.LEFT: model.Closing(id="left", code=1000, reason="guest left", doc="The guest closed the tunnel."),
    Closing.AUTH_TIMEOUT: model.Closing(id="auth_timeout", code=1008, reason="not authenticated in time", doc="The connection did not authenticate within 15 seconds."),
    Closing.EVICTED: model.Closing(id="evicted", code=1013, reason="too many waiting connections", doc="A newer connection took the place of this one, which had not authenticated."),
    Closing.TOO_BIG: model.Closing(id="too_big", code=1009, reason="frame too big", doc="A frame was larger than the receiver takes."),
    Closing.NOT_TEXT: model.Closing(id="not_text", code=1007, reason="invalid UTF-8", doc="A text message was not UTF-8."),
    Closing.FLOOD: model.Closing(id="flood", code=1008, reason="too many control frames", doc="More WebSocket control frames than 1000 within 15 seconds."),
    Closing.SLOW: model.Closing(id="slow", code=1008, reason="peer does not read", doc="More than 8388608 bytes wait for the peer."),
    Closing.SILENT: model.Closing(id="silent", code=1001, reason="no sign of life", doc="Nothing was heard of the peer for 40 seconds."),
    Closing.TRANSCRIPT_FULL: model.Closing(id="transcript_full", code=1008, reason="transcript full", doc="The session holds as many messages as it may, and the guest sent one more."),
    Closing.PROTOCOL_ERROR: model.Closing(id="protocol_error", code=1002, reason="protocol error", doc="The host broke the protocol in a way that the guest cannot pass over."),
    Closing.JOIN_TIMEOUT: model.Closing(id="join_timeout", code=1001, reason="join took too long", doc="The host did not admit the guest within 20 seconds."),
}

class Cause(Enum):
    """Why a tunnel has ended."""

    CLOSED_BY_HOST = "closed_by_host"
    """The host closed the tunnel."""
    CLOSED_BY_GUEST = "closed_by_guest"
    """This side closed the tunnel it had joined."""
    IDLE = "idle"
    """Nothing was said for 1800 seconds, so the session ended."""
    PROCESS_EXIT = "process_exit"
    """The host's process ended."""
    TRANSPORT_LOST = "transport_lost"
    """The host's transport is lost for good, so nobody can reach the tunnel."""
    HOST_GONE = "host_gone"
    """The connection to the host broke without a word."""
    HOST_SILENT = "host_silent"
    """Nothing was heard of the host for 40 seconds, not even an answer to pings."""
    DROPPED = "dropped"
    """The host hung up on this side."""
    REFUSED = "refused"
    """The host refused the join."""
    NOT_CONNECTED = "not_connected"
    """No connection to the host came about."""
    HOST_HUNG_UP = "host_hung_up"
    """The host hung up before it let this side in."""
    JOIN_TIMEOUT = "join_timeout"
    """The host did not let this side in within 20 seconds."""
    BAD_HOST = "bad_host"
    """What answered does not speak wire version 1 as a host does."""
    MISSING_MESSAGES = "missing_messages"
    """The host's numbering jumped: messages are missing, so nothing that follows can be trusted."""
    HOST_TOO_BIG = "host_too_big"
    """The host sent a frame that is larger than this side takes."""
    HOST_FLOOD = "host_flood"
    """The host sent more messages than a session holds."""
    HOST_SLOW = "host_slow"
    """The host does not read what this side says."""


CAUSES: Final[Mapping[Cause, model.Cause]] = {
    Cause.CLOSED_BY_HOST: model.Cause(id="closed_by_host", doc="The host closed the tunnel.", next="Open or join a new tunnel if there is more to say.", closings=("closed_by_host",)),
    Cause.CLOSED_BY_GUEST: model.Cause(id="closed_by_guest", doc="This side closed the tunnel it had joined.", next="Ask for a new link if there is more to say; this one is used."),
    Cause.IDLE: model.Cause(id="idle", doc="Nothing was said for 1800 seconds, so the session ended.", next="Open a new tunnel.", closings=("idle",)),
    Cause.PROCESS_EXIT: model.Cause(id="process_exit", doc="The host's process ended.", next="Ask the host to open a new tunnel.", closings=("process_exit",)),
    Cause.TRANSPORT_LOST: model.Cause(id="transport_lost", doc="The host's transport is lost for good, so nobody can reach the tunnel.", next="Open a new tunnel and send its link.", closings=("transport_lost",)),
    Cause.HOST_GONE: model.Cause(id="host_gone", doc="The connection to the host broke without a word.", next="Ask the host whether it still runs; it must open a new tunnel."),
    Cause.HOST_SILENT: model.Cause(id="host_silent", doc="Nothing was heard of the host for 40 seconds, not even an answer to pings.", next="Ask the host whether it still runs; it must open a new tunnel."),
    Cause.DROPPED: model.Cause(id="dropped", doc="The host hung up on this side.", next="Ask the host to open a new tunnel.", closings=("auth_timeout", "evicted", "too_big", "not_text", "flood", "slow", "silent", "transcript_full", "refused")),
    Cause.REFUSED: model.Cause(id="refused", doc="The host refused the join.", next="See the reason."),
    Cause.NOT_CONNECTED: model.Cause(id="not_connected", doc="No connection to the host came about.", next="Check that the link is complete and that the host still runs."),
    Cause.HOST_HUNG_UP: model.Cause(id="host_hung_up", doc="The host hung up before it let this side in.", next="Ask the host whether the tunnel is still open."),
    Cause.JOIN_TIMEOUT: model.Cause(id="join_timeout", doc="The host did not let this side in within 20 seconds.", next="Ask the host whether it still runs, then try again."),
    Cause.BAD_HOST: model.Cause(id="bad_host", doc="What answered does not speak wire version 1 as a host does.", next="Check the link; ask the host which program it runs."),
    Cause.MISSING_MESSAGES: model.Cause(id="missing_messages", doc="The host's numbering jumped: messages are missing, so nothing that follows can be trusted.", next="Ask the host to open a new tunnel."),
    Cause.HOST_TOO_BIG: model.Cause(id="host_too_big", doc="The host sent a frame that is larger than this side takes.", next="Ask the host which program it runs."),
    Cause.HOST_FLOOD: model.Cause(id="host_flood", doc="The host sent more messages than a session holds.", next="Ask the host which program it runs."),
    Cause.HOST_SLOW: model.Cause(id="host_slow", doc="The host does not read what this side says.", next="Ask the host whether it still runs."),
}

class Failure(Enum):
    """Why something cannot be said."""

    NOT_OPEN_YET = "not_open_yet"
    """The tunnel is still being opened."""
    NOT_JOINED_YET = "not_joined_yet"
    """The host has not let this side in yet."""
    PEER_LEFT = "peer_left"
    """The guest has left, and a join link admits only one."""
    TEXT_TOO_LONG = "text_too_long"
    """The text is longer than 262144 bytes of UTF-8."""
    TRANSCRIPT_FULL = "transcript_full"
    """The session holds as many messages as it may."""
    UNCONFIRMED = "unconfirmed"
    """The tunnel ended before the host confirmed the message; whether the peer has it is not known."""
    ENDED = "ended"
    """The tunnel has ended."""


FAILURES: Final[Mapping[Failure, model.Failure]] = {
    Failure.NOT_OPEN_YET: model.Failure(id="not_open_yet", doc="The tunnel is still being opened.", next="Wait until tunnel_open has answered."),
    Failure.NOT_JOINED_YET: model.Failure(id="not_joined_yet", doc="The host has not let this side in yet.", next="Wait until tunnel_join has answered."),
    Failure.PEER_LEFT: model.Failure(id="peer_left", doc="The guest has left, and a join link admits only one.", next="Close this tunnel, open a new one and send its link."),
    Failure.TEXT_TOO_LONG: model.Failure(id="text_too_long", doc="The text is longer than 262144 bytes of UTF-8.", next="Say it in several messages."),
    Failure.TRANSCRIPT_FULL: model.Failure(id="transcript_full", doc="The session holds as many messages as it may.", next="Close this tunnel and open a new one."),
    Failure.UNCONFIRMED: model.Failure(id="unconfirmed", doc="The tunnel ended before the host confirmed the message; whether the peer has it is not known.", next="Say it again in a new tunnel."),
    Failure.ENDED: model.Failure(id="ended", doc="The tunnel has ended.", next="See why it ended; open or join a new one."),
}

class Notice(Enum):
    """What a system message says."""

    OPENED = "opened"
    """The first message of every session."""
    JOINED = "joined"
    """The guest was admitted."""
    LEFT = "left"
    """The guest's connection ended."""
    SUMMARY = "summary"
    """The host closes and leaves a summary."""
    IDLE = "idle"
    """The session ends because nothing was said."""


NOTICES: Final[Mapping[Notice, model.Notice]] = {
    Notice.OPENED: model.Notice(id="opened", text="tunnel opened — goal: {goal}", doc="The first message of every session."),
    Notice.JOINED: model.Notice(id="joined", text="{name} joined", doc="The guest was admitted."),
    Notice.LEFT: model.Notice(id="left", text="{name} left", doc="The guest's connection ended."),
    Notice.SUMMARY: model.Notice(id="summary", text="closed — {summary}", doc="The host closes and leaves a summary."),
    Notice.IDLE: model.Notice(id="idle", text="idle timeout — closing tunnel", doc="The session ends because nothing was said."),
}
