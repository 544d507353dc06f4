"""Every number of wire version 1.

Generated from `spec/v1/protocol.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from typing import Final

WIRE: Final = 1
SPEC_VERSION: Final = "1.0.0"

KEY_BYTES: Final = 32
"""Length of the key in the join link. It proves the guest to the host and seals the bodies."""
TUNNEL_ID_BYTES: Final = 8
"""Length of the tunnel id, written as lower-case hexadecimal in the path. It is a name, not a secret."""
CHALLENGE_BYTES: Final = 32
"""Length of the random nonce in a challenge."""
SEAL_NONCE_BYTES: Final = 24
"""Length of the random nonce in front of every sealed body (XSalsa20)."""
SEAL_TAG_BYTES: Final = 16
"""Length of the Poly1305 tag in a sealed body."""
MESSAGE_ID_BYTES: Final = 8
"""Length of the random id that a sender gives its message, written as lower-case hexadecimal."""
LINK_CHARS: Final = 2_048
"""Longest join link that is looked at, in Unicode code points."""
LINK_SECONDS: Final = 600
"""How long a join link is good, from the moment it is handed out. At exactly this age it is still good."""
IDLE_SECONDS: Final = 1_800
"""A session in which nothing was numbered for this long ends."""
AUTH_SECONDS: Final = 15
"""Time from accepting a TCP connection until its `auth` must have been accepted."""
JOIN_SECONDS: Final = 20
"""Time from dialling until `auth_ok` must have come."""
PING_SECONDS: Final = 15
"""Time between two keepalive pings of one end. Well below the 100 s after which a common edge drops a silent WebSocket."""
SILENCE_SECONDS: Final = 40
"""A peer of which nothing has been heard for this long, not even a pong, is dead."""
CLOSE_SECONDS: Final = 1
"""How long a peer that is hung up on has to read what is left and to close its side; then its socket is cut."""
GUEST_FRAME_BYTES: Final = 1_048_576
"""Largest frame that a host takes from the guest it has admitted."""
STRANGER_FRAME_BYTES: Final = 16_384
"""Largest frame that a host takes before it has admitted the sender."""
HOST_FRAME_BYTES: Final = 16_777_216
"""Largest frame that a guest takes from a host. Large, because released hosts put the whole backlog into one `auth_ok`."""
BACKLOG_FRAME_BYTES: Final = 1_048_576
"""Largest `auth_ok` that a host sends; what does not fit follows as `msg` frames."""
FRAME_DEPTH: Final = 32
"""Deepest nesting of objects and arrays in a frame."""
TEXT_BYTES: Final = 262_144
"""Longest text of one message, in UTF-8 before it is sealed."""
GOAL_BYTES: Final = 8_192
"""Longest goal, in UTF-8."""
NAME_BYTES: Final = 256
"""Longest name, in UTF-8."""
SUMMARY_BYTES: Final = 8_192
"""Longest summary given at the close, in UTF-8."""
MESSAGE_ID_CHARS: Final = 64
"""Longest message id that is taken from a peer, in Unicode code points."""
SEQ_MAX: Final = 9_007_199_254_740_991
"""Largest number that every JSON reader holds exactly (RFC 8259 section 6)."""
STRANGER_CONNECTIONS: Final = 32
"""How many connections may wait for authentication; one more evicts the oldest."""
HTTP_HEAD_BYTES: Final = 16_384
"""Largest HTTP request head that the relay reads."""
CONTROL_FRAMES: Final = 1_000
"""How many WebSocket control frames a peer may send within PING_SECONDS."""
OUTBOX_BYTES: Final = 8_388_608
"""How much may wait for a peer that does not read. One byte more, and it is hung up on."""
TRANSCRIPT_MESSAGES: Final = 100_000
"""How many messages a session holds; then nothing more can be said."""
SYSTEM_MESSAGES: Final = 16
"""How many system messages a guest takes beyond a full transcript."""
TRANSCRIPT_BYTES: Final = 268_435_456
"""How many bytes of bodies a session holds; then nothing more can be said."""

SECONDS: Final = {
    "LINK_SECONDS": LINK_SECONDS,
    "IDLE_SECONDS": IDLE_SECONDS,
    "AUTH_SECONDS": AUTH_SECONDS,
    "JOIN_SECONDS": JOIN_SECONDS,
    "PING_SECONDS": PING_SECONDS,
    "SILENCE_SECONDS": SILENCE_SECONDS,
    "CLOSE_SECONDS": CLOSE_SECONDS,
}
"""The durations that timers name."""
