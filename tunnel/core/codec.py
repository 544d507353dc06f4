"""Text on the wire to typed frames and back. Past this module nobody sees a dict, and nothing raises for what a peer wrote."""

import json
import re
from math import isfinite
from typing import Final, TypeVar

import msgspec

from tunnel.spec.v1.constants import FRAME_DEPTH, NAME_BYTES, SEQ_MAX
from tunnel.spec.v1.frames import TAG_FIELD, Auth, AuthOk, GuestFrame, HostFrame, Message, Msg


class Unread(msgspec.Struct, frozen=True):
    """A message that is no frame for its receiver."""

    tag: str = ""
    """Its `t`, when it has one: a malformed `auth` is told apart from noise (WIRE-4, AUTH-3)."""


class _Tagged(msgspec.Struct):
    t: str


_Frame = TypeVar("_Frame")

_ENCODER: Final = msgspec.json.Encoder()
_FROM_GUEST: Final = msgspec.json.Decoder(GuestFrame)
_FROM_HOST: Final = msgspec.json.Decoder(HostFrame)
_TAG: Final = msgspec.json.Decoder(_Tagged)
# Possessive, and with an optional closing quote: one pass over any text, however it tries to make us go back.
_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE: Final = re.compile(r"\\ud[89a-f]", re.IGNORECASE)

assert _Tagged.__struct_fields__ == (TAG_FIELD,)


def encode(frame: HostFrame | GuestFrame) -> bytes:
    """The frame as UTF-8 text: fields in the order of the tables, no blanks (WIRE-1, WIRE-10)."""
    return _ENCODER.encode(frame)


def size(record: msgspec.Struct) -> int:
    """How many bytes a record takes inside a frame."""
    return len(_ENCODER.encode(record))


def from_guest(text: str) -> GuestFrame | Unread:
    """What a guest sent. An `auth` whose name is too long is as malformed as one without a name (AUTH-3)."""
    frame = _read(text, _FROM_GUEST)
    if isinstance(frame, Auth) and len(frame.name.encode("utf-8")) > NAME_BYTES:
        return _malformed(frame)
    return frame


def from_host(text: str) -> HostFrame | Unread:
    """What a host sent. A time that no double holds is no number to most readers, so it is none to any."""
    frame = _read(text, _FROM_HOST)
    if isinstance(frame, Msg):
        return frame if _has_time(frame.msg) else _malformed(frame)
    if isinstance(frame, AuthOk):
        return frame if all(map(_has_time, frame.backlog)) else _malformed(frame)
    return frame


def since(auth: Auth) -> int:
    """The number in `sinceSeq`, or 0 where none of at least 0 stands there; what is beyond every `seq` counts as the last."""
    spelled = bytes(auth.since_seq)
    # Of all JSON only such numbers begin with a digit. A float reads each of them; Python's integers have a longest one.
    return int(min(float(spelled), SEQ_MAX)) if spelled[:1].isdigit() else 0


def _read(text: str, decoder: msgspec.json.Decoder[_Frame]) -> _Frame | Unread:
    if _too_deep(text):
        return Unread()
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        return Unread(_tag(text))
    # Not JSON (half a surrogate pair included, WIRE-6), or nested beyond what the decoder follows.
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Unread(_tag(text))


def _malformed(frame: HostFrame | GuestFrame) -> Unread:
    """What fits its type, and is malformed all the same."""
    return Unread(str(frame.__struct_config__.tag))


def _has_time(message: Message) -> bool:
    try:
        return isfinite(message.ts)
    except OverflowError:
        return False


def _tag(text: str) -> str:
    try:
        return _TAG.decode(text).t
    except msgspec.ValidationError:
        return ""
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _tag_beside_surrogate(text)


def _tag_beside_surrogate(text: str) -> str:
    """The tag of what would be JSON if no string in it held half of a surrogate pair: Python's reader lets that pass."""
    if not _SURROGATE.search(text):
        return ""
    try:
        found = json.loads(text, parse_int=float, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return ""
    # Numbers as floats: Python's integers have a longest one. Not by msgspec: it takes no object of which a field's name holds such a half.
    match found:
        case {"t": str(tag)}:
            return tag
        case _:
            return ""


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _too_deep(text: str) -> bool:
    """Whether the text nests deeper than FRAME_DEPTH (SIZE-4)."""
    # Most frames have no array, and to look whether there is one takes less than to count.
    if text.count("{") + (text.count("[") if "[" in text else 0) <= FRAME_DEPTH:
        return False
    depth = 0
    for token in _BRACKETS.finditer(text):
        match token[0]:
            case "{" | "[":
                depth += 1
                if depth > FRAME_DEPTH:
                    return True
            case "}" | "]":
                depth -= 1
            case _:
                pass
    return False
