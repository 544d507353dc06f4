"""The frames of wire version 1 and the records in them, in the order of their fields on the wire.

Generated from `spec/v1/frames.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct, field

from tunnel.spec.v1 import constants

TAG_FIELD: Final = "t"


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """One numbered message of the session, as the host hands it out. (SEQ-1, SEAL-1)"""

    id: Annotated[str, Meta(max_length=constants.MESSAGE_ID_CHARS)]
    """Chosen by the sender, 16 hexadecimal digits from us; the sender knows its own message by it. Bound: MESSAGE_ID_CHARS."""
    seq: Annotated[int, Meta(ge=1, le=constants.SEQ_MAX)]
    """Assigned by the host: 1, 2, 3 and so on, without gaps. Bound: SEQ_MAX."""
    sender: Literal["host", "guest"] = field(name="from")
    """Set by the host: which end it came from. System messages come from the host."""
    kind: Literal["chat", "system"]
    """`chat` is said by an end, `system` is told by the host."""
    body: str
    """chat: the sealed text. system: the text in clear. Read by chat: both ends, and the operator sees its length; system: both ends and the operator."""
    ts: int | float
    """The host's clock when the message was numbered, in milliseconds since the Unix epoch. A number that no double holds is none."""


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """A message that the guest wants numbered. Only `id`, `kind` and `body` are read; the host sets the rest (SEQ-2). (SEQ-2)"""

    id: Annotated[str, Meta(max_length=constants.MESSAGE_ID_CHARS)]
    """Chosen by the guest; it comes back with the echo. Bound: MESSAGE_ID_CHARS."""
    seq: Raw = Raw(b"-1")
    """Not read."""
    sender: Raw = field(default=Raw(b'"guest"'), name="from")
    """Not read."""
    kind: Literal["chat"]
    """A guest can only chat."""
    body: str
    """The sealed text. (base64url of nonce, tag and ciphertext) Read by both ends; the operator sees its length."""
    ts: Raw = Raw(b"0")
    """Not read."""


class Challenge(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="challenge"):
    """The first frame on every connection. Sent by the host. (AUTH-1)"""

    nonce: str
    """Fresh for every connection. The answer is computed over this text, not over the decoded bytes. (base64url, CHALLENGE_BYTES random bytes)"""


class Auth(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="auth"):
    """The answer to the challenge: proves that the guest holds the join link. Sent by the guest. (AUTH-2, AUTH-3)"""

    response: str
    """HMAC-SHA256 with the link's key over the UTF-8 bytes of the challenge's text. (base64url, 32 bytes)"""
    name: str
    """What the guest wants to be called. Not authenticated. Bound: NAME_BYTES."""
    since_seq: Raw = field(default=Raw(b"0"), name="sinceSeq")
    """The last `seq` that the guest holds: the backlog begins behind it. Anything but a number of at least 0 counts as 0; a number that no double holds is beyond every `seq`."""


class AuthOk(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="auth_ok"):
    """The guest is admitted. Sent by the host. (LOCK-1, SIZE-11)"""

    goal: str
    """What the host opened the tunnel for. Not authenticated."""
    peer_name: str = field(name="peerName")
    """What the host wants to be called. Not authenticated."""
    backlog: tuple[Message, ...]
    """The messages numbered so far, oldest first, as many as fit into the frame."""


class AuthFail(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="auth_fail"):
    """The guest is refused; a close follows. Sent by the host. (LINK-3, LINK-4)"""

    reason: str
    """One of the texts in refusals.toml."""


class Send(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="send"):
    """The guest says something. Sent by the guest. (LOCK-2, SEQ-2)"""

    msg: Draft
    """What it says."""


class Msg(Struct, frozen=True, kw_only=True, gc=False, tag_field=TAG_FIELD, tag="msg"):
    """A message was numbered. The echo of the guest's own message is its acknowledgement. Sent by the host. (SEQ-1, SEQ-3)"""

    msg: Message
    """The message."""


HostFrame = Challenge | AuthOk | AuthFail | Msg
"""What a host sends."""
GuestFrame = Auth | Send
"""What a guest sends."""
