"""Wrong with frames, for hosts and guests: which are read, which are noise, and how they are written."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import json
import re
from collections.abc import Callable
from typing import Any, Final, get_args

from tunnel.core import codec
from tunnel.io.accepted import Accepted
from tunnel.io.dialer import ConnectionClosed, Dialer
from tunnel.spec.v1.constants import MESSAGE_ID_CHARS
from tunnel.spec.v1.frames import TAG_FIELD, Auth, Challenge, HostFrame
from tunnel_conformance.broken.patching import Original, all_of, die, put, wrap
from tunnel_conformance.broken.wrong import Patch

READS: Final = ("from_guest", "from_host")
"""What a host reads with, and what a guest does."""

_HIGH: Final = r"\\ud[89ab][0-9a-f]{2}"
_LOW: Final = r"\\ud[c-f][0-9a-f]{2}"
_HALF: Final = re.compile(rf"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}", re.IGNORECASE)


# --- Reading ----------------------------------------------------------------------------------------------------------


def reads(how: Callable[[Original, str], Any]) -> Patch:
    """A text is read in another way: given the right one, and the text."""
    return all_of(*(wrap(codec, read, how) for read in READS))


def dies_on(pattern: str) -> Patch:
    """The process ends when such a text comes in."""

    def how(original: Original, text: str) -> Any:
        if re.fullmatch(pattern, text, re.DOTALL):
            die()
        return original(text)

    return reads(how)


def loses_tag(*tags: str) -> Patch:
    """A malformed frame of this name is taken for noise."""

    def how(original: Original, text: str) -> Any:
        frame = original(text)
        return codec.Unread() if isinstance(frame, codec.Unread) and frame.tag in tags else frame

    return reads(how)


def reads_since_as_text() -> Patch:
    """The digits of `sinceSeq` count, with quotes around them and without."""

    def how(auth: Auth) -> int:
        digits = bytes(auth.since_seq).strip(b'"')
        return int(digits) if digits.isdigit() else 0

    return put(codec, "since", how)


def repairs(repair: Callable[[dict[str, Any]], dict[str, Any]]) -> Patch:
    """What cannot be read is repaired, and read again."""

    def how(original: Original, text: str) -> Any:
        frame = original(text)
        if not isinstance(frame, codec.Unread):
            return frame
        try:
            fields: Any = json.loads(text)
        except (ValueError, RecursionError):
            return frame
        return original(json.dumps(repair(fields))) if isinstance(fields, dict) else frame

    return reads(how)


def mended_welcome(fields: dict[str, Any]) -> dict[str, Any]:
    """What an `auth_ok` may be meant to say."""
    if fields.get("t") != "auth_ok":
        return fields
    return {
        "t": "auth_ok",
        "goal": str(fields.get("goal", "")),
        "peerName": str(fields.get("peerName", "")),
        "backlog": [],
    }


def nameless(fields: dict[str, Any]) -> dict[str, Any]:
    """An `auth` with a name, if it has none."""
    return {"name": "", **fields}


def short_id(fields: dict[str, Any]) -> dict[str, Any]:
    """A `send` whose message has an id that is not too long."""
    match fields:
        case {"msg": {"id": str(long), **message}}:
            return {**fields, "msg": {**message, "id": long[:MESSAGE_ID_CHARS]}}
        case _:
            return fields


def knows_all_fields() -> Patch:
    """A frame with a field that is not in the tables is noise."""
    shapes = {kind.__struct_config__.tag: {TAG_FIELD, *kind.__struct_encode_fields__} for kind in get_args(HostFrame)}

    def how(original: Original, text: str) -> Any:
        frame = original(text)
        if isinstance(frame, codec.Unread):
            return frame
        fields = json.loads(text)
        return frame if fields.keys() <= shapes.get(fields[TAG_FIELD], fields.keys()) else codec.Unread()

    return reads(how)


def wants_base64url() -> Patch:
    """A challenge that is not base64url is malformed."""

    def how(original: Original, text: str) -> Any:
        frame = original(text)
        is_good = not isinstance(frame, Challenge) or re.fullmatch(r"[A-Za-z0-9_-]+", frame.nonce)
        return frame if is_good else codec.Unread("challenge")

    return reads(how)


def repairs_surrogates() -> Patch:
    """Half of a surrogate pair is read as a character."""
    return reads(lambda original, text: original(_HALF.sub(r"\\ufffd", text)))


def drops_binary() -> Patch:
    """Binary messages are ignored."""

    def deliver(original: Original, self: Any, message: bytearray) -> None:
        if self._is_text:
            original(self, message)

    def receive(original: Original, self: Any, message: str | bytes) -> None:
        if isinstance(message, str):
            original(self, message)

    return all_of(wrap(Accepted, "_deliver", deliver), wrap(Dialer, "_receive", receive))


def hangs_up_on_noise() -> Patch:
    """Whoever sends what is no frame is hung up on."""

    def deliver(original: Original, self: Any, message: bytearray) -> None:
        original(self, message)
        if codec.from_guest(message.decode("utf-8", "replace")) == codec.Unread():
            self._peers.not_text(self._number)

    def receive(original: Original, self: Any, message: str | bytes) -> None:
        original(self, message)
        if (
            codec.from_host(message if isinstance(message, str) else message.decode("utf-8", "replace"))
            == codec.Unread()
        ):
            self._step(self.guest.not_text)

    return all_of(wrap(Accepted, "_deliver", deliver), wrap(Dialer, "_receive", receive))


def takes_not_text() -> Patch:
    """A text message that is not UTF-8 is ignored."""

    def not_text(_original: Original, self: Any, number: int) -> None:
        self.noise(number)

    async def read(self: Any, websocket: Any) -> None:
        try:
            while True:
                message: bytes = await websocket.recv(decode=False)
                text = message.decode("utf-8", "replace")
                self._step(lambda now, text=text: self.guest.receive(text, now))
        except ConnectionClosed as closed:
            self._lost(closed)

    from tunnel.io.relay import Relay

    return all_of(wrap(Relay, "not_text", not_text), put(Dialer, "_read", read))


def refuses_binary_noise() -> Patch:
    """A binary message that is not UTF-8 is answered as a text message is."""
    from tunnel.core.guest import Guest
    from tunnel.core.host import Host

    return all_of(put(Host, "noise", Host.not_text), put(Guest, "noise", Guest.not_text))


def loses_fragments() -> Patch:
    """Of a message in fragments only the last one is read."""

    def frame(original: Original, self: Any, frame: Any) -> None:
        self._message = bytearray()
        original(self, frame)

    async def read(self: Any, websocket: Any) -> None:
        try:
            while True:
                self._receive([part async for part in websocket.recv_streaming()][-1])
        except ConnectionClosed as closed:
            self._lost(closed)

    return all_of(wrap(Accepted, "_frame", frame), put(Dialer, "_read", read))


# --- Writing ----------------------------------------------------------------------------------------------------------


def writes(how: Callable[[Original, Any], bytes]) -> Patch:
    """A frame is written in another way: given the right one, and the frame."""
    return wrap(codec, "encode", how)


def writes_blanks() -> Patch:
    """Frames are written with blanks."""
    return writes(lambda original, frame: json.dumps(json.loads(original(frame)), ensure_ascii=False).encode())


def writes_escapes() -> Patch:
    """Characters beyond ASCII are written as escapes."""
    return writes(lambda original, frame: json.dumps(json.loads(original(frame)), separators=(",", ":")).encode())


def writes_twice() -> Patch:
    """The name of a frame is written twice; the last one is right."""
    tag = f'"{TAG_FIELD}":'.encode()
    return writes(lambda original, frame: original(frame).replace(tag, tag + b'"",' + tag, 1))
