"""The guest's side of a tunnel: proves once that it holds the link, then takes the host's messages in their order.

Every input takes the moment at which it is handled and returns what should happen; timers that are due come first (TIME-1).
"""

from collections.abc import Callable
from math import inf
from typing import Final, assert_never

from msgspec import Struct

from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.effects import Effect
from tunnel.core.instant import Instant
from tunnel.core.link import JoinLink
from tunnel.core.machine import Machine
from tunnel.core.text import cut, shown_name, visible
from tunnel.core.transcript import Transcript
from tunnel.errors import given
from tunnel.spec.v1 import frames, guest
from tunnel.spec.v1.constants import GOAL_BYTES, MESSAGE_ID_BYTES, NAME_BYTES, SEAL_NONCE_BYTES, SECONDS, TEXT_BYTES
from tunnel.spec.v1.refusals import CAUSES, CLOSINGS, NOTICES, Cause, Closing, Failure, Notice

Effects = list[Effect]

HOST: Final = 0
"""The guest has one connection."""

_TOLD_BY_CLOSE: Final = {
    CLOSINGS[c].reason: cause for cause, row in CAUSES.items() for c in CLOSINGS if c.value in row.closings
}


class _Pending(Struct):
    """What was said and has no number yet."""

    body: str
    ticket: int


class Guest:
    """One tunnel, joined.

    Args:
        link: the checked join link.
        name: this side's name.
        entropy: random bytes, in the shape of `os.urandom`.
        now: when the dialling begins.
        nonces: those that were seen with this link before: see `Transcript`.
    """

    def __init__(
        self,
        *,
        link: JoinLink,
        name: str,
        entropy: Callable[[int], bytes],
        now: Instant,
        nonces: set[str] | None = None,
    ) -> None:
        self.transcript = Transcript(link.key, nonces)
        self.goal = ""
        self.host_name = ""
        self.cause: Cause | None = None
        self.refused_because = ""
        self._key = link.key
        self._name = cut(crypto.well_formed(name), NAME_BYTES)
        self._entropy = entropy
        self._machine: Machine[guest.State, guest.Event, guest.Action] = Machine(
            guest.MACHINE, guest.State, guest.ACTIONS, SECONDS, now.ticks
        )
        self._pending: dict[str, _Pending] = {}

    @property
    def state(self) -> guest.State:
        """Where the tunnel is."""
        return self._machine.state

    # --- From the dialer ---------------------------------------------------------------------------------------------

    def connected(self, now: Instant) -> Effects:
        """The WebSocket is open."""
        return self._input(guest.Event.CONNECTED, now)

    def unreachable(self, now: Instant) -> Effects:
        """No WebSocket came about."""
        return self._input(guest.Event.UNREACHABLE, now)

    def receive(self, text: str, now: Instant) -> Effects:
        """A message came in."""
        out = self.expire(now)
        match frame := codec.from_host(text):
            case frames.Challenge() as challenge:
                self._fire(guest.Event.CHALLENGE, now, out, challenge=challenge)
            case frames.AuthOk() as welcome:
                in_order = [m.seq for m in welcome.backlog] == list(range(1, len(welcome.backlog) + 1))
                overfull = self.transcript.would_overfill(len(welcome.backlog))
                self._fire(guest.Event.AUTH_OK, now, out, welcome=welcome, in_order=in_order, overfull=overfull)
            case frames.AuthFail(reason=reason):
                self._fire(guest.Event.AUTH_FAIL, now, out, refused_because=reason)
            case frames.Msg(msg=message):
                self._message(message, now, out)
            case codec.Unread(tag="challenge" | "auth_ok" | "auth_fail"):
                self._fire(guest.Event.MALFORMED, now, out)
            case codec.Unread():
                self._fire(guest.Event.OTHER, now, out)
            case _:
                assert_never(frame)
        return out

    def noise(self, now: Instant) -> Effects:
        """A binary message that is not text came in (WIRE-5)."""
        return self._input(guest.Event.OTHER, now)

    def heard(self, now: Instant) -> Effects:
        """Bytes came in."""
        return self._input(guest.Event.HEARD, now)

    def oversize(self, now: Instant) -> Effects:
        """A frame is larger than is taken from a host."""
        return self._input(guest.Event.OVERSIZE, now)

    def not_text(self, now: Instant) -> Effects:
        """A text message is not UTF-8."""
        return self._input(guest.Event.NOT_TEXT, now)

    def overflow(self, now: Instant) -> Effects:
        """Too much waits for a host that does not read."""
        return self._input(guest.Event.OVERFLOW, now)

    def lost(self, reason: str, now: Instant) -> Effects:
        """The socket is closed.

        Args:
            reason: what the host's close frame said; empty when there was none.
            now: the moment.
        """
        out = self.expire(now)
        told = self._told(reason)
        self._fire(
            guest.Event.LOST,
            now,
            out,
            told_closed=told is Cause.CLOSED_BY_HOST,
            told_idle=told is Cause.IDLE,
            told_exit=told is Cause.PROCESS_EXIT,
            told_transport=told is Cause.TRANSPORT_LOST,
            told_dropped=told is Cause.DROPPED,
        )
        return out

    # --- From the guest's own agent ----------------------------------------------------------------------------------

    def say(self, ticket: int, text: str, now: Instant) -> Effects:
        """The guest's agent says something; `Said` or `NotSaid` with the ticket answers it, now or later."""
        out = self.expire(now)
        size = len(crypto.utf8(text))
        waiting = sum(len(pending.body) for pending in self._pending.values())
        has_room = self.transcript.has_room(waiting + crypto.sealed_chars(size), len(self._pending))
        self._fire(guest.Event.SAY, now, out, ticket=ticket, text=text, fits=size <= TEXT_BYTES, has_room=has_room)
        return out

    def close(self, summary: str, now: Instant) -> Effects:
        """The guest leaves; an empty summary says nothing."""
        out = self.expire(now)
        self._fire(guest.Event.CLOSE, now, out, text=summary, has_summary=bool(summary))
        return out

    def exit(self, now: Instant) -> Effects:
        """The guest's process ends."""
        return self._input(guest.Event.EXIT, now)

    # --- Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """Ticks at which `expire` has something to do; None when nothing runs."""
        due = self._machine.timers.next()
        return due[0] if due else None

    def quiet_until(self) -> float:
        """Ticks before which no timer is due; infinite when none runs."""
        due = self._machine.timers.next()
        return due[0] if due else inf

    def expire(self, now: Instant) -> Effects:
        """Let every timer that is due take effect, in the order of their deadlines and as of them (TIME-1)."""
        out: Effects = []
        while (due := self._machine.timers.next()) and due[0] <= now.ticks:
            self._fire(guest.Event(due[1]), now.back_to(due[0]), out)
        return out

    # --- What the rows do --------------------------------------------------------------------------------------------

    def _input(self, event: guest.Event, now: Instant) -> Effects:
        out = self.expire(now)
        self._fire(event, now, out)
        return out

    def _message(self, message: frames.Message, now: Instant, out: Effects) -> None:
        pending = self._pending.get(message.id)
        claims_ours = message.sender == "guest"
        self._fire(
            guest.Event.MSG,
            now,
            out,
            message=message,
            stale=message.seq <= self.transcript.last,
            in_order=message.seq == self.transcript.last + 1,
            overfull=self.transcript.overfull,
            claims_ours=claims_ours,
            echo=claims_ours and message.kind == "chat" and pending is not None and pending.body == message.body,
        )

    def _fire(
        self,
        event: guest.Event,
        now: Instant,
        out: Effects,
        *,
        challenge: frames.Challenge | None = None,
        welcome: frames.AuthOk | None = None,
        message: frames.Message | None = None,
        ticket: int | None = None,
        text: str = "",
        refused_because: str = "",
        **facts: bool,
    ) -> None:
        for action in self._machine.fire(event, now.ticks, facts).actions:
            match action:
                case guest.Answer():
                    response = crypto.prove(self._key, given(challenge).nonce)
                    out.append(effects.Send(HOST, frames.Auth(response=response, name=self._name)))
                case guest.Enter():
                    self._enter(given(welcome), out)
                case guest.Take():
                    self._take(given(message), out)
                case guest.Confirm():
                    said = self._pending.pop(given(message).id)
                    out.append(effects.Said(said.ticket, given(message).seq))
                case guest.Conceal():
                    self.transcript.append(given(message), concealed=True)
                case guest.Send():
                    self._send(text, out, ticket=ticket)
                case guest.SendSummary():
                    self._send(text, out)
                case guest.Fail(failure=failure):
                    out.append(effects.NotSaid(given(ticket), failure))
                case guest.HangUp(closing=closing):
                    out.append(effects.HangUp(HOST, closing))
                case guest.Ping():
                    out.append(effects.Ping(HOST))
                case guest.End(cause=cause):
                    self.refused_because = visible(refused_because, NAME_BYTES)
                    self._end(cause, out)
                case _:
                    assert_never(action)

    def _enter(self, welcome: frames.AuthOk, out: Effects) -> None:
        self.goal = visible(welcome.goal, GOAL_BYTES)
        self.host_name = shown_name(welcome.peer_name, NAME_BYTES)
        for message in welcome.backlog:
            # Whoever is being let in has said nothing yet (SEQ-6).
            self.transcript.append(message, concealed=message.sender == "guest")
        out.append(effects.Joined())

    def _take(self, message: frames.Message, out: Effects) -> None:
        self.transcript.append(message, own=message.id in self._pending and message.sender == "guest")
        out.append(effects.Arrived())

    def _send(self, text: str, out: Effects, ticket: int | None = None) -> None:
        """Seal and send a text; its nonce is noted at once, so that a host that reflects it is found out (SEAL-3)."""
        body = crypto.seal(self._key, text, self._entropy(SEAL_NONCE_BYTES))
        draft = frames.Draft(id=self._entropy(MESSAGE_ID_BYTES).hex(), kind="chat", body=body)
        self.transcript.is_fresh(body)
        if ticket is not None:
            self._pending[draft.id] = _Pending(body, ticket)
        out.append(effects.Send(HOST, frames.Send(msg=draft)))

    def _end(self, cause: Cause, out: Effects) -> None:
        self.cause = cause
        unconfirmed, self._pending = self._pending, {}
        out += [effects.NotSaid(said.ticket, Failure.UNCONFIRMED) for said in unconfirmed.values()]
        out.append(effects.Ended(cause))

    def _told(self, reason: str) -> Cause | None:
        """What the host told about its end: in the close frame, or, as released hosts do, in its last system message."""
        if reason in _TOLD_BY_CLOSE:
            return _TOLD_BY_CLOSE[reason]
        last = self.transcript.at(self.transcript.last) if self.transcript.last else None
        if last is None or last.kind != "system":
            return None
        if last.body == NOTICES[Notice.IDLE].text:
            return Cause.IDLE
        closed = NOTICES[Notice.SUMMARY].text
        if last.body == closed.format(summary=CLOSINGS[Closing.PROCESS_EXIT].reason):
            return Cause.PROCESS_EXIT
        return Cause.CLOSED_BY_HOST if last.body.startswith(closed.partition("{")[0]) else None
