"""Wrong with numbered messages: what a host believes a guest, what it loses, and what a guest takes for confirmed."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import json
from collections.abc import Callable
from typing import Any

from msgspec import structs

from tunnel import crypto
from tunnel.app import tools
from tunnel.core import codec, effects, transcript
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.transcript import Reading, Transcript
from tunnel.errors import Unreadable
from tunnel.spec.v1.frames import AuthOk, Draft, Msg, Send
from tunnel.spec.v1.refusals import Failure
from tunnel_conformance.broken.patches.frames import writes
from tunnel_conformance.broken.patching import Original, all_of, put, wrap
from tunnel_conformance.broken.wrong import Patch

_KNOWN = frozenset({"id", "seq", "from", "kind", "body", "ts"})

# --- Hosts ------------------------------------------------------------------------------------------------------------


def messages(change: Callable[[Msg], Msg]) -> Patch:
    """What goes out in `msg` is changed on its way."""
    return writes(lambda original, frame: original(change(frame) if isinstance(frame, Msg) else frame))


def changed(frame: Msg, **fields: Any) -> Msg:
    """The frame with other fields in its message."""
    return structs.replace(frame, msg=structs.replace(frame.msg, **fields))


def believes(field: str, is_good: Callable[[Any], bool]) -> Patch:
    """A field of a guest's message is taken from the guest."""
    told: dict[str, Any] = {}

    def relay(original: Original, self: Any, on: Any, draft: Draft, now: Any, out: Any) -> None:
        # What is not read was not parsed either.
        value = json.loads(bytes(getattr(draft, field)))
        if is_good(value):
            told[draft.id] = value
        original(self, on, draft, now, out)

    def change(frame: Msg) -> Msg:
        return changed(frame, **{field: told[frame.msg.id]}) if frame.msg.id in told else frame

    return all_of(wrap(Host, "_relay", relay), messages(change))


def believes_kind() -> Patch:
    """A guest that says `system` is the system."""
    told: set[str] = set()

    def from_guest(original: Original, text: str) -> Any:
        frame = original(text)
        if frame != codec.Unread("send"):
            return frame
        fields: dict[str, Any] = json.loads(text)
        if not isinstance(fields.get("msg"), dict) or fields["msg"].get("kind") != "system":
            return frame
        fields["msg"]["kind"] = "chat"
        frame = original(json.dumps(fields))
        told.update({frame.msg.id} if isinstance(frame, Send) else ())
        return frame

    def number(original: Original, self: Any, kind: str, sender: str, id: str, *rest: Any) -> Any:
        return original(self, "system" if id in told else kind, sender, id, *rest)

    return all_of(wrap(codec, "from_guest", from_guest), wrap(Host, "_number", number))


def passes_fields_on() -> Patch:
    """Fields that nobody knows come back with the echo."""
    more: dict[str, dict[str, Any]] = {}

    def from_guest(original: Original, text: str) -> Any:
        frame = original(text)
        if isinstance(frame, Send):
            fields = json.loads(text)["msg"]
            more[frame.msg.id] = {name: value for name, value in fields.items() if name not in _KNOWN}
        return frame

    def encode(original: Original, frame: Any) -> bytes:
        data = original(frame)
        if not isinstance(frame, Msg) or not more.get(frame.msg.id):
            return data
        fields = json.loads(data)
        fields["msg"] |= more[frame.msg.id]
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8")

    return all_of(wrap(codec, "from_guest", from_guest), writes(encode))


def no_echo() -> Patch:
    """A guest's own message does not come back to it."""

    def send_message(original: Original, self: Any, guest: Any, message: Any, out: Any) -> None:
        if message.sender == "guest":
            guest.sent = message.seq
        else:
            original(self, guest, message, out)

    return wrap(Host, "_send_message", send_message)


def drops_known_ids() -> Patch:
    """A chat with an id that was there before is taken for a repetition."""

    def relay(original: Original, self: Any, on: Any, draft: Draft, now: Any, out: Any) -> None:
        known: set[str] = self.__dict__.setdefault("known", set())
        if draft.id not in known:
            known.add(draft.id)
            original(self, on, draft, now, out)

    return wrap(Host, "_relay", relay)


def no_backlog() -> Patch:
    """Who joins is not told what was said before."""

    def welcome(original: Original, self: Any, on: Any, hand: Any, out: Any) -> None:
        original(self, on, structs.replace(hand, since=self.transcript.last), out)

    return wrap(Host, "_welcome", welcome)


def backlog_backwards() -> Patch:
    """The backlog begins with the newest message."""

    def encode(original: Original, frame: Any) -> bytes:
        if isinstance(frame, AuthOk):
            frame = structs.replace(frame, backlog=frame.backlog[::-1])
        return original(frame)

    return writes(encode)


# --- Guests -----------------------------------------------------------------------------------------------------------


def confirms(is_echo: Callable[[Any, Any], bool]) -> Patch:
    """Something else counts as the echo of what was said.

    Args:
        is_echo: of a message, and of what waits under its id (None when nothing does).
    """

    def take(original: Original, self: Any, message: Any, now: Any, out: Any) -> None:
        waiting: dict[str, Any] = self._pending
        if waiting and is_echo(message, waiting.get(message.id)):
            mine = message.id if message.id in waiting else next(iter(waiting))
            message = structs.replace(message, id=mine, body=waiting[mine].body, sender="guest", kind="chat")
        original(self, message, now, out)

    return wrap(Guest, "_message", take)


def gives_up() -> Patch:
    """What was said counts as lost when something comes back in the same name that was not said."""

    def take(original: Original, self: Any, message: Any, now: Any, out: Any) -> None:
        waiting: dict[str, Any] = self._pending
        if message.sender == "guest" and waiting and getattr(waiting.get(message.id), "body", None) != message.body:
            lost, self._pending = waiting, {}
            out += [effects.NotSaid(said.ticket, Failure.UNCONFIRMED) for said in lost.values()]
        original(self, message, now, out)

    return wrap(Guest, "_message", take)


def deaf_while_it_talks() -> Patch:
    """What the host says while an echo is waited for is not taken."""

    def take(original: Original, self: Any, message: Any, now: Any, out: Any) -> None:
        if not self._pending or message.sender == "guest":
            original(self, message, now, out)

    return wrap(Guest, "_message", take)


def confirms_at_once() -> Patch:
    """What was sent counts as said."""

    def send(original: Original, self: Any, text: str, out: Any, ticket: int | None = None) -> None:
        original(self, text, out, ticket=ticket)
        if ticket is not None:
            out.append(effects.Said(ticket, self.transcript.last + 1))

    return wrap(Guest, "_send", send)


def tells_kind(kind: str) -> Patch:
    """The agent is told that every message is of this kind."""
    return wrap(tools, "_listened", lambda original, message: original(structs.replace(message, kind=kind)))


def shows_the_backlog(*, all_of_it: bool) -> Patch:
    """The backlog is shown with what is forged in it; or not at all."""

    def enter(original: Original, self: Any, welcome: AuthOk, out: Any) -> None:
        original(self, welcome, out)
        self.transcript._concealed = set() if all_of_it else {message.seq for message in welcome.backlog}  # noqa: SLF001

    return wrap(Guest, "_enter", enter)


# --- Both -------------------------------------------------------------------------------------------------------------


def every_body_is_fresh() -> Patch:
    """No body counts as a repetition."""
    return put(Transcript, "is_fresh", lambda _self, _body: True)


def chokes_on_unreadable() -> Patch:
    """A body that does not open costs the agent its answer."""

    def read(original: Original, self: Any, message: Any) -> Reading:
        found = original(self, message)
        if found.text == transcript.UNREADABLE:
            raise ValueError(found.text)
        return found

    return wrap(Transcript, "read", read)


def shows_unsealed() -> Patch:
    """A body that does not open is shown as it is."""

    def read(original: Original, self: Any, message: Any) -> Reading:
        found = original(self, message)
        return found._replace(text=message.body) if found.text == transcript.UNREADABLE else found

    return wrap(Transcript, "read", read)


def opens_system_texts() -> Patch:
    """A system text that can be opened is shown opened."""

    def read(original: Original, self: Any, message: Any) -> Reading:
        found = original(self, message)
        try:
            return found if message.kind == "chat" else found._replace(text=crypto.open_body(self._key, message.body))
        except Unreadable:
            return found

    return wrap(Transcript, "read", read)
