"""The host's side of a tunnel: admits one guest, numbers messages, hands them out, and ends.

It never opens the body of a message that it relays. Every input takes the moment at which it is handled and returns what
should happen; timers that are due come first (TIME-1).
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from math import inf
from typing import Any, Literal, assert_never

from msgspec import Struct

from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.connection import Connection
from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.instant import Instant
from tunnel.core.machine import NO_FACTS, Machine
from tunnel.core.text import shown_guest_name, shown_name, visible
from tunnel.core.transcript import Transcript, body_bytes
from tunnel.errors import given
from tunnel.spec.v1 import connection, frames, session
from tunnel.spec.v1.constants import (
    BACKLOG_FRAME_BYTES,
    CHALLENGE_BYTES,
    GOAL_BYTES,
    GUEST_FRAME_BYTES,
    MESSAGE_ID_BYTES,
    NAME_BYTES,
    OUTBOX_BYTES,
    SEAL_NONCE_BYTES,
    SECONDS,
    STRANGER_CONNECTIONS,
    STRANGER_FRAME_BYTES,
    SUMMARY_BYTES,
    TEXT_BYTES,
)
from tunnel.spec.v1.refusals import CAUSES, CLOSINGS, NOTICES, REFUSALS, Cause, Closing, Notice, Refusal

Effects = list[Effect]
Kind = Literal["chat", "system"]
Sender = Literal["host", "guest"]


class _Hand(Struct, kw_only=True):
    """What an event of the session is about: what its row's actions need."""

    asking: Connection | None = None
    name: str = ""
    since: int = 0
    sender: Sender = "host"
    id: str = ""
    body: str = ""
    ticket: int | None = None
    summary: str = ""


class Host:
    """One session of the host.

    Args:
        key: the key in the join link, KEY_BYTES random bytes.
        goal: what the tunnel is for; the caller has checked its size (SIZE-6).
        name: the host's own name.
        entropy: random bytes, in the shape of `os.urandom`.
        now: the start of the relay.
    """

    def __init__(self, *, key: bytes, goal: str, name: str, entropy: Callable[[int], bytes], now: Instant) -> None:
        self.goal = crypto.well_formed(goal)
        self.name = shown_name(name, NAME_BYTES)
        self.transcript = Transcript(key)
        self.guest_name = ""
        self.cause: Cause | None = None
        self.dropped_because: Closing | None = None
        """Why the guest was hung up on; None also when it went by itself."""
        self._key = key
        self._entropy = entropy
        self._session: Machine[session.State, session.Event, session.Action] = Machine(
            session.MACHINE, session.State, session.ACTIONS, SECONDS, now.ticks
        )
        self._quiet_until: float = 0
        self._connections: dict[ConnectionId, Connection] = {}
        self._accepted = 0
        self._guest: Connection | None = None

    @property
    def state(self) -> session.State:
        """Where the session is."""
        return self._session.state

    @property
    def guest(self) -> ConnectionId | None:
        """The connection of the guest, while it is there."""
        return self._guest.number if self._guest else None

    def largest_frame(self, number: ConnectionId) -> int:
        """How many bytes a frame on this connection may have (SIZE-1, SIZE-2)."""
        return GUEST_FRAME_BYTES if number == self.guest else STRANGER_FRAME_BYTES

    @property
    def is_behind(self) -> bool:
        """Whether the guest still has to get a part of the backlog."""
        return self._guest is not None and self._guest.sent < self.transcript.last

    def link_expires_at(self) -> int | None:
        """Ticks at which the link's lifetime is over; None before it was handed out and after the end."""
        return self._session.timers.deadline_of("link")

    def idle_ends_at(self) -> int | None:
        """Ticks at which the session ends if nothing is said; None after the end."""
        return self._session.timers.deadline_of("idle")

    # --- From the transport ------------------------------------------------------------------------------------------

    def reachable(self, now: Instant) -> Effects:
        """A guest can reach the relay from outside."""
        out = self.expire(now)
        self._in_session(session.Event.REACHABLE, now, out, _Hand())
        return out

    def unreachable(self, now: Instant) -> Effects:
        """The transport is lost for good."""
        out = self.expire(now)
        self._in_session(session.Event.UNREACHABLE, now, out, _Hand())
        return out

    # --- From connections --------------------------------------------------------------------------------------------

    def accept(self, now: Instant) -> tuple[ConnectionId, Effects]:
        """A socket was accepted. One stranger too many evicts the oldest (SIZE-7)."""
        out = self.expire(now)
        self._accepted += 1
        self._connections[self._accepted] = Connection(self._accepted, now)
        self._quiet_until = 0
        if self.cause:
            self._on_connection(
                self._connections[self._accepted], connection.Event.END, now, out, closing=_closing(self.cause)
            )
        strangers = [c for c in self._connections.values() if c.is_stranger]
        if len(strangers) > STRANGER_CONNECTIONS:
            self._on_connection(strangers[0], connection.Event.EVICT, now, out)
        return self._accepted, out

    def upgraded(self, number: ConnectionId, now: Instant) -> Effects:
        """The HTTP request of a connection was accepted: a WebSocket is open."""
        return self._input(number, connection.Event.UPGRADED, now)

    def receive(self, number: ConnectionId, text: str, now: Instant) -> Effects:
        """A message came in on a connection."""
        return self.receive_all(number, (text,), now)

    def receive_all(self, number: ConnectionId, texts: Iterable[str], now: Instant) -> Effects:
        """Messages came in on a connection, all at one moment."""
        out = self.expire(now)
        on = self._connections.get(number)
        if on is None:
            return out
        for text in texts:
            match frame := codec.from_guest(text):
                case frames.Send():
                    self._on_connection(on, connection.Event.SEND, now, out, draft=frame.msg)
                case frames.Auth() as auth:
                    self._on_connection(on, connection.Event.AUTH, now, out, auth=auth)
                case codec.Unread(tag="auth"):
                    self._on_connection(on, connection.Event.AUTH, now, out)
                case codec.Unread():
                    self._on_connection(on, connection.Event.OTHER, now, out)
                case _:
                    assert_never(frame)
        return out

    def noise(self, number: ConnectionId, now: Instant) -> Effects:
        """A binary message that is not text came in on a connection (WIRE-5)."""
        return self._input(number, connection.Event.OTHER, now)

    def heard(self, number: ConnectionId, now: Instant) -> Effects:
        """Bytes came in on a connection."""
        return self._input(number, connection.Event.HEARD, now)

    def control(self, number: ConnectionId, now: Instant) -> Effects:
        """A WebSocket ping or pong came in on a connection."""
        out = self.expire(now)
        if on := self._connections.get(number):
            self._on_connection(on, connection.Event.CONTROL, now, out, facts={"flooding": on.control_floods(now)})
        return out

    def oversize(self, number: ConnectionId, now: Instant) -> Effects:
        """A frame on a connection is larger than is taken from it."""
        return self._input(number, connection.Event.OVERSIZE, now)

    def not_text(self, number: ConnectionId, now: Instant) -> Effects:
        """A text message on a connection is not UTF-8."""
        return self._input(number, connection.Event.NOT_TEXT, now)

    def overflow(self, number: ConnectionId, now: Instant) -> Effects:
        """Too much waits for the peer of a connection."""
        return self._input(number, connection.Event.OVERFLOW, now)

    def lost(self, number: ConnectionId, now: Instant) -> Effects:
        """The socket of a connection is closed."""
        out = self._input(number, connection.Event.LOST, now)
        if (on := self._connections.get(number)) and on.is_gone:
            del self._connections[number]
        return out

    def drained(self, number: ConnectionId, now: Instant) -> Effects:
        """Nothing waits for the peer of a connection any more: the backlog goes on (SIZE-11)."""
        out = self.expire(now)
        guest = self._guest
        if guest and guest.number == number:
            # One at least: a message that is larger than a frame of the backlog is still a frame of its own.
            next_one = list(islice(self.transcript.after(guest.sent), 1))
            for message in self._fitting(guest.sent, BACKLOG_FRAME_BYTES) or next_one:
                self._send_message(guest, message, out)
        return out

    # --- From the host's own agent -----------------------------------------------------------------------------------

    def say(self, ticket: int, text: str, now: Instant) -> Effects:
        """The host's agent says something; `Said` or `NotSaid` with the ticket answers it."""
        out = self.expire(now)
        size = len(crypto.utf8(text))
        fits, has_room = size <= TEXT_BYTES, self.transcript.has_room(crypto.sealed_chars(size))
        body = crypto.seal(self._key, text, self._entropy(SEAL_NONCE_BYTES)) if fits else ""
        hand = _Hand(id=self._entropy(MESSAGE_ID_BYTES).hex(), body=body, ticket=ticket)
        self._in_session(session.Event.SAY, now, out, hand, {"fits": fits, "has_room": has_room})
        return out

    def close(self, summary: str, now: Instant) -> Effects:
        """The host closes the tunnel; an empty summary says nothing."""
        out = self.expire(now)
        self._in_session(session.Event.CLOSE, now, out, _Hand(summary=summary), {"has_summary": bool(summary)})
        return out

    def exit(self, now: Instant) -> Effects:
        """The host's process ends."""
        out = self.expire(now)
        self._in_session(session.Event.EXIT, now, out, _Hand(summary=CLOSINGS[Closing.PROCESS_EXIT].reason))
        return out

    # --- Time --------------------------------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """Ticks at which `expire` has something to do; None when nothing runs."""
        waiting = [due[0] for machine in self._machines() if (due := machine.timers.next())]
        return min(waiting, default=None)

    def quiet_until(self) -> float:
        """Ticks before which no timer is due, so that nobody has to be asked; infinite when none runs.

        It may be earlier than `next_deadline`: a timer that was started again meanwhile is due later.
        """
        if not self._quiet_until:
            deadline = self.next_deadline()
            self._quiet_until = inf if deadline is None else deadline
        return self._quiet_until

    def expire(self, now: Instant) -> Effects:
        """Let every timer that is due take effect, in the order of their deadlines and as of them (TIME-1)."""
        out: Effects = []
        if now.ticks < (self._quiet_until or self.quiet_until()):
            return out
        self._quiet_until = 0
        while (deadline := self.next_deadline()) is not None and deadline <= now.ticks:
            self._expire_one(deadline, now.back_to(deadline), out)
        return out

    def _expire_one(self, deadline: int, then: Instant, out: Effects) -> None:
        """Of those that are due at once, the session's first, then the connections' in the order of their acceptance (TIME-1)."""
        due = self._session.timers.next()
        if due and due[0] == deadline:
            self._in_session(session.Event(due[1]), then, out, _Hand())
            return
        waiting = [(on, due) for on in self._connections.values() if (due := on.machine.timers.next())]
        on, (_, event) = min(waiting, key=lambda one: one[1][0])
        self._on_connection(on, connection.Event(event), then, out)

    def _machines(self) -> list[Machine[Any, Any, Any]]:  # the two kinds share their timers' type, and nothing else
        return [self._session, *(on.machine for on in self._connections.values())]

    # --- What the rows of a connection do ----------------------------------------------------------------------------

    def _input(self, number: ConnectionId, event: connection.Event, now: Instant) -> Effects:
        out = self.expire(now)
        if on := self._connections.get(number):
            self._on_connection(on, event, now, out)
        return out

    def _on_connection(
        self,
        on: Connection,
        event: connection.Event,
        now: Instant,
        out: Effects,
        *,
        auth: frames.Auth | None = None,
        draft: frames.Draft | None = None,
        hand: _Hand | None = None,
        refusal: Refusal | None = None,
        closing: Closing | None = None,
        facts: Mapping[str, bool] = NO_FACTS,
    ) -> None:
        move = on.machine.fire(event, now.ticks, facts)
        if move.leads_on:
            self._quiet_until = 0
        for action in move.actions:
            match action:
                # What every message needs is looked for first.
                case connection.Relay():
                    self._relay(on, given(draft), now, out)
                case connection.Challenge():
                    on.challenge = crypto.encode_base64url(self._entropy(CHALLENGE_BYTES))
                    out.append(effects.Send(on.number, frames.Challenge(nonce=on.challenge)))
                case connection.Judge():
                    self._judge(on, auth, now, out)
                case connection.Welcome():
                    self._welcome(on, given(hand), out)
                case connection.Deny():
                    out.append(effects.Send(on.number, frames.AuthFail(reason=REFUSALS[given(refusal)].text)))
                case connection.HangUp(closing=why):
                    self._hang_up(on, why, out)
                case connection.HangUpTold():
                    self._hang_up(on, given(closing), out)
                case connection.Leave():
                    self._guest = None
                    self._in_session(session.Event.LEFT, now, out, _Hand())
                    out.append(effects.PeerLeft())
                case connection.Ping():
                    out.append(effects.Ping(on.number))
                case _:
                    assert_never(action)

    def _hang_up(self, on: Connection, why: Closing, out: Effects) -> None:
        if on is self._guest:
            self.dropped_because = why
        out.append(effects.HangUp(on.number, why))

    def _judge(self, on: Connection, auth: frames.Auth | None, now: Instant, out: Effects) -> None:
        proof_ok = auth is not None and crypto.verify(self._key, on.challenge, auth.response)
        hand = _Hand(asking=on, name=auth.name, since=codec.since(auth)) if auth else _Hand(asking=on)
        self._in_session(session.Event.AUTH, now, out, hand, {"well_formed": auth is not None, "proof_ok": proof_ok})

    def _relay(self, on: Connection, draft: frames.Draft, now: Instant, out: Effects) -> None:
        hand = _Hand(asking=on, sender="guest", id=draft.id, body=draft.body)
        has_room = self.transcript.has_room(body_bytes(draft.body))
        self._in_session(session.Event.SEND, now, out, hand, {"has_room": has_room})

    def _welcome(self, on: Connection, hand: _Hand, out: Effects) -> None:
        self._guest = on
        on.sent = min(hand.since, self.transcript.last)
        empty = frames.AuthOk(goal=self.goal, peer_name=self.name, backlog=())
        backlog = self._fitting(on.sent, BACKLOG_FRAME_BYTES - codec.size(empty))
        on.sent += len(backlog)
        out.append(effects.Send(on.number, frames.AuthOk(goal=self.goal, peer_name=self.name, backlog=backlog)))

    def _fitting(self, seq: int, room: int) -> tuple[frames.Message, ...]:
        """The next messages behind a number that take at most `room` bytes in frames."""
        fitting: list[frames.Message] = []
        for message in self.transcript.after(seq):
            room -= codec.size(message) + len(",")
            if room < 0:
                break
            fitting.append(message)
        return tuple(fitting)

    # --- What the rows of the session do -----------------------------------------------------------------------------

    def _in_session(
        self, event: session.Event, now: Instant, out: Effects, hand: _Hand, facts: Mapping[str, bool] = NO_FACTS
    ) -> None:
        move = self._session.fire(event, now.ticks, facts)
        if move.leads_on:
            self._quiet_until = 0
        for action in move.actions:
            match action:
                case session.NumberChat():
                    seq = self._number("chat", hand.sender, hand.id, hand.body, now, out)
                    if hand.ticket is not None:
                        out.append(effects.Said(hand.ticket, seq))
                case session.HandOutLink():
                    out.append(effects.HandOutLink())
                case session.Refuse(refusal=refusal):
                    self._on_connection(given(hand.asking), connection.Event.REFUSE, now, out, refusal=refusal)
                case session.Admit():
                    self.guest_name = shown_guest_name(hand.name, self.name, NAME_BYTES)
                    self._on_connection(given(hand.asking), connection.Event.ADMIT, now, out, hand=hand)
                case session.Number(notice=notice):
                    self._number(
                        "system", "host", self._entropy(MESSAGE_ID_BYTES).hex(), self._notice(notice, hand), now, out
                    )
                case session.Drop(closing=closing):
                    self._on_connection(given(hand.asking), connection.Event.DROP, now, out, closing=closing)
                case session.Fail(failure=failure):
                    out.append(effects.NotSaid(given(hand.ticket), failure))
                case session.End(cause=cause):
                    self._end(cause, now, out)
                case _:
                    assert_never(action)

    def _notice(self, notice: Notice, hand: _Hand) -> str:
        return NOTICES[notice].text.format(
            goal=visible(self.goal, GOAL_BYTES), name=self.guest_name, summary=visible(hand.summary, SUMMARY_BYTES)
        )

    def _number(self, kind: Kind, sender: Sender, id: str, body: str, now: Instant, out: Effects) -> int:
        """Give a message the next number and send it on, behind what the guest still has to get (SEQ-1)."""
        seq = self.transcript.last + 1
        message = frames.Message(id=id, seq=seq, sender=sender, kind=kind, body=body, ts=now.unix_ms)
        self.transcript.append(message)
        guest = self._guest
        if guest and guest.sent == seq - 1:
            self._send_message(guest, message, out)
        out.append(effects.Arrived())
        return seq

    def _send_message(self, guest: Connection, message: frames.Message, out: Effects) -> None:
        guest.sent = message.seq
        out.append(effects.Send(guest.number, frames.Msg(msg=message)))

    def _end(self, cause: Cause, now: Instant, out: Effects) -> None:
        self.cause = cause
        guest, self._guest = self._guest, None
        if guest:
            # A guest that is behind gets what fits, in its order: the last word is behind all the others.
            for message in self._fitting(guest.sent, OUTBOX_BYTES):
                self._send_message(guest, message, out)
        closing = _closing(cause)
        for on in list(self._connections.values()):
            self._on_connection(on, connection.Event.END, now, out, closing=closing)
        out.append(effects.Ended(cause))


def _closing(cause: Cause) -> Closing:
    """What a session that ends for this cause says in its close frames."""
    return Closing(CAUSES[cause].closings[0])
