"""Two real ends on a fake wire: frames travel as text, time passes when the test says so, and chance repeats itself.

Nothing here decides anything: what a core wants done is done, in the order in which it was said.
"""

import hashlib
import json
from collections import deque
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.effects import ConnectionId, Effect, NotSaid, Said
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink, fresh_tunnel_id, mint
from tunnel.core.transcript import Transcript
from tunnel.spec.v1 import frames, guest, session
from tunnel.spec.v1.constants import KEY_BYTES, SEAL_NONCE_BYTES
from tunnel.spec.v1.refusals import CLOSINGS, REFUSALS, Cause, Closing, Refusal

EPOCH_MS = 1_700_000_000_000
"""Wall time when a tunnel's story begins."""

Frame: TypeAlias = (
    frames.Challenge | frames.AuthOk | frames.AuthFail | frames.Msg | frames.Auth | frames.Send | codec.Unread
)
Answer: TypeAlias = Said | NotSaid


class Dice:
    """Bytes that look random and come out the same in every run, in the shape of `os.urandom`."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._throws = 0

    def __call__(self, count: int) -> bytes:
        self._throws += 1
        return hashlib.shake_256(f"{self._seed} {self._throws}".encode()).digest(count)


class Text(Struct, frozen=True):
    """A text message on its way."""

    text: str


class Beat(Enum):
    """A WebSocket control frame on its way."""

    PING = "ping"
    PONG = "pong"


class Close(Struct, frozen=True):
    """The end of a connection on its way; without a closing it broke without a word."""

    closing: Closing | None = None


Item: TypeAlias = Text | Beat | Close


class End:
    """One end of one connection. While it does not read, what comes in waits."""

    def __init__(self, tunnel: "Tunnel") -> None:
        self.tunnel = tunnel
        self.far: End | None = None
        self.reads = True
        self.waiting: deque[Item] = deque()
        self.is_closed = False
        self.closed_because: Closing | None = None

    def post(self, *items: Item) -> None:
        """Put items on the wire to the other end."""
        if self.far is not None:
            self.tunnel.carry(self.far, *items)

    def arrive(self, item: Item) -> None:
        if self.is_closed:
            return
        if not self.reads:
            self.waiting.append(item)
            return
        if isinstance(item, Close):
            self.is_closed, self.closed_because = True, item.closing
        self.take(item)

    def read_on(self) -> None:
        """Read what has come in so far, and nothing that comes later."""
        reads, self.reads = self.reads, True
        while self.waiting:
            self.arrive(self.waiting.popleft())
        self.reads = reads
        self.tunnel.settle()

    def take(self, item: Item) -> None:
        raise NotImplementedError


class HostSocket(End):
    """The host's end of one connection."""

    def __init__(self, tunnel: "Tunnel", number: ConnectionId) -> None:
        super().__init__(tunnel)
        self.number = number
        self.was_fed = False

    @property
    def is_drained(self) -> bool:
        """Whether all that was sent since the last look has been read."""
        return self.was_fed and not self.is_closed and self.far is not None and not self.far.waiting

    def take(self, item: Item) -> None:
        host, core, now = self.tunnel.host, self.tunnel.host.core, self.tunnel.now
        match item:
            case Text(text):
                host.perform(core.heard(self.number, now))
                host.perform(core.receive(self.number, text, now))
            case Close():
                host.perform(core.lost(self.number, now))
            case beat:
                host.perform(core.heard(self.number, now))
                host.perform(core.control(self.number, now))
                if beat is Beat.PING:
                    self.post(Beat.PONG)


class HostEnd:
    """The host and its sockets."""

    def __init__(self, tunnel: "Tunnel") -> None:
        self.tunnel = tunnel
        self.sockets: dict[ConnectionId, HostSocket] = {}
        self.did: list[Effect] = []
        """Every effect so far."""
        self.answers: dict[int, Answer] = {}
        self._core: Host | None = None
        self._link: JoinLink | None = None
        self._tickets = 0

    @property
    def has_started(self) -> bool:
        return self._core is not None

    @property
    def core(self) -> Host:
        assert self._core is not None, "the host has not started"
        return self._core

    @property
    def link(self) -> JoinLink:
        assert self._link is not None, "the host has not started"
        return self._link

    @property
    def state(self) -> session.State:
        return self.core.state

    @property
    def cause(self) -> Cause | None:
        return self.core.cause

    @property
    def texts(self) -> list[str]:
        """What the host's agent reads."""
        return read(self.core.transcript)

    @property
    def last(self) -> str:
        """The last of it."""
        transcript = self.core.transcript
        return transcript.text(transcript.at(transcript.last))

    def start(self, goal: str = "pair on checkout", name: str = "Alice") -> JoinLink:
        """The relay listens; nobody outside can reach it yet."""
        dice = self.tunnel.dice
        self._link = mint("http://127.0.0.1:4711", fresh_tunnel_id(dice), dice(KEY_BYTES))
        self._core = Host(key=self._link.key, goal=goal, name=name, entropy=dice, now=self.tunnel.now)
        return self._link

    def open(self, goal: str = "pair on checkout", name: str = "Alice") -> JoinLink:
        """Start, and be reachable at once."""
        link = self.start(goal, name)
        self.perform(self.core.reachable(self.tunnel.now))
        return link

    def say(self, text: str) -> Answer:
        self._tickets += 1
        self.perform(self.core.say(self._tickets, text, self.tunnel.now))
        return self.answers[self._tickets]

    def close(self, summary: str = "") -> None:
        self.perform(self.core.close(summary, self.tunnel.now))

    def exit(self) -> None:
        self.perform(self.core.exit(self.tunnel.now))

    def lose_transport(self) -> None:
        self.perform(self.core.unreachable(self.tunnel.now))

    def accept(self, far: End) -> HostSocket:
        """A socket comes in, and `far` is at its other end."""
        number, out = self.core.accept(self.tunnel.now)
        socket = self.sockets[number] = HostSocket(self.tunnel, number)
        socket.far, far.far = far, socket
        self.perform(out)
        return socket

    def perform(self, todo: list[Effect]) -> None:
        for effect in todo:
            self.did.append(effect)
            match effect:
                case effects.Send(to=to, frame=frame):
                    self.sockets[to].was_fed = True
                    self.sockets[to].post(Text(codec.encode(frame).decode()))
                case effects.Ping(to=to):
                    self.sockets[to].post(Beat.PING)
                case effects.HangUp(to=to, closing=closing):
                    self.sockets[to].post(Close(closing))
                    self.tunnel.carry(self.sockets[to], Close())
                case Said() | NotSaid():
                    self.answers[effect.ticket] = effect
                case _:
                    pass
        self.tunnel.settle()


class GuestEnd(End):
    """An honest guest: the real core."""

    def __init__(self, tunnel: "Tunnel", name: str, link: JoinLink) -> None:
        super().__init__(tunnel)
        self.core = Guest(link=link, name=name, entropy=tunnel.dice, now=tunnel.now)
        self.did: list[Effect] = []
        self.answers: dict[int, Answer] = {}
        self._tickets = 0

    @property
    def state(self) -> guest.State:
        return self.core.state

    @property
    def cause(self) -> Cause | None:
        return self.core.cause

    @property
    def refused_because(self) -> Refusal | None:
        return refusal(self.core.refused_because)

    @property
    def texts(self) -> list[str]:
        """What the guest's agent reads."""
        return read(self.core.transcript)

    def say(self, text: str) -> Answer | None:
        """The answer, or None while the host has not confirmed it."""
        self._tickets += 1
        self.perform(self.core.say(self._tickets, text, self.tunnel.now))
        return self.answers.get(self._tickets)

    def close(self, summary: str = "") -> None:
        self.perform(self.core.close(summary, self.tunnel.now))

    def exit(self) -> None:
        self.perform(self.core.exit(self.tunnel.now))

    def take(self, item: Item) -> None:
        core, now = self.core, self.tunnel.now
        match item:
            case Text(text):
                self.perform(core.heard(now))
                self.perform(core.receive(text, now))
            case Close(closing):
                self.perform(core.lost(CLOSINGS[closing].reason if closing else "", now))
            case beat:
                self.perform(core.heard(now))
                if beat is Beat.PING:
                    self.post(Beat.PONG)

    def perform(self, todo: list[Effect]) -> None:
        for effect in todo:
            self.did.append(effect)
            match effect:
                case effects.Send(frame=frame):
                    self.post(Text(codec.encode(frame).decode()))
                case effects.Ping():
                    self.post(Beat.PING)
                case effects.HangUp(closing=closing):
                    self.post(Close(closing))
                    self.tunnel.carry(self, Close())
                case Said() | NotSaid():
                    self.answers[effect.ticket] = effect
                case _:
                    pass
        self.tunnel.settle()


class Scripted(End):
    """An end that does what the test says, and notes what it gets."""

    def __init__(self, tunnel: "Tunnel") -> None:
        super().__init__(tunnel)
        self.texts: list[str] = []
        self.pings = 0
        self.answers_pings = True

    @property
    def unread(self) -> list[str]:
        """The texts that have come in and were not read."""
        return [item.text for item in self.waiting if isinstance(item, Text)]

    def send(self, *texts: str) -> None:
        """Send all of them before any is answered."""
        self.post(*(Text(text) for text in texts))
        self.tunnel.settle()

    def ping(self, times: int = 1) -> None:
        self.post(*[Beat.PING] * times)
        self.tunnel.settle()

    def leave(self, closing: Closing | None = None) -> None:
        self.post(Close(closing))
        self.tunnel.carry(self, Close())
        self.tunnel.settle()

    def take(self, item: Item) -> None:
        match item:
            case Text(text):
                self.texts.append(text)
            case Beat.PING:
                self.pings += 1
                if self.answers_pings:
                    self.post(Beat.PONG)
            case _:
                pass


class Stranger(Scripted):
    """Somebody who dials the host's relay, and may know the key."""

    @property
    def got(self) -> list[Frame]:
        return [codec.from_host(text) for text in self.texts]

    @property
    def challenge(self) -> str:
        return next(frame.nonce for frame in self.got if isinstance(frame, frames.Challenge))

    @property
    def welcome(self) -> frames.AuthOk | None:
        return next((frame for frame in self.got if isinstance(frame, frames.AuthOk)), None)

    @property
    def refused_because(self) -> Refusal | None:
        return next((refusal(frame.reason) for frame in self.got if isinstance(frame, frames.AuthFail)), None)

    @property
    def messages(self) -> list[frames.Message]:
        """All that it was given, in the backlog and afterwards, in the order of their arrival."""
        given: list[frames.Message] = []
        for frame in self.got:
            match frame:
                case frames.AuthOk(backlog=backlog):
                    given += backlog
                case frames.Msg(msg=message):
                    given.append(message)
                case _:
                    pass
        return given

    @property
    def number(self) -> ConnectionId:
        assert isinstance(self.far, HostSocket)
        return self.far.number

    def auth_text(self, key: bytes, **fields: object) -> str:
        """A good `auth`, apart from the fields that are given."""
        good: dict[str, object] = {
            "t": "auth",
            "response": crypto.prove(key, self.challenge),
            "name": "Eve",
            "sinceSeq": 0,
        }
        return json.dumps(good | fields)

    def auth(self, key: bytes, **fields: object) -> None:
        self.send(self.auth_text(key, **fields))

    def chat(self, body: str = "body", **fields: object) -> None:
        self.send(draft(body, **fields))


class ScriptedHost(Scripted):
    """Somebody who answers at the address of a join link, and need not be a host."""

    def __init__(self, tunnel: "Tunnel") -> None:
        super().__init__(tunnel)
        self.link = mint("http://127.0.0.1:4712", fresh_tunnel_id(tunnel.dice), tunnel.dice(KEY_BYTES))

    @property
    def got(self) -> list[Frame]:
        return [codec.from_guest(text) for text in self.texts]

    @property
    def auths(self) -> list[frames.Auth]:
        return [frame for frame in self.got if isinstance(frame, frames.Auth)]

    @property
    def drafts(self) -> list[frames.Draft]:
        return [frame.msg for frame in self.got if isinstance(frame, frames.Send)]

    def challenge(self, nonce: str = "a challenge") -> None:
        self.send(json.dumps({"t": "challenge", "nonce": nonce}))

    def admit(self, *backlog: frames.Message, goal: str = "a goal", name: str = "Mallory") -> None:
        self.send(codec.encode(frames.AuthOk(goal=goal, peer_name=name, backlog=backlog)).decode())

    def deny(self, reason: str) -> None:
        self.send(json.dumps({"t": "auth_fail", "reason": reason}))

    def tell(self, *messages: frames.Message) -> None:
        self.send(*(codec.encode(frames.Msg(msg=message)).decode() for message in messages))

    def echo(self, seq: int, **changes: str) -> frames.Message:
        """The guest's last draft, numbered, with these changes."""
        sent = self.drafts[-1]
        fields = {"id": sent.id, "body": sent.body, "sender": "guest", "kind": "chat"} | changes
        return message(seq, fields["body"], id=fields["id"], sender=fields["sender"], kind=fields["kind"])

    def sealed(self, text: str) -> str:
        return crypto.seal(self.link.key, text, self.tunnel.dice(SEAL_NONCE_BYTES))


class Tunnel:
    """One session's world: a host, whoever dials it, the wire between them, and the time."""

    def __init__(self, seed: str = "a tunnel") -> None:
        self.dice = Dice(seed)
        self.ticks = 1_000 * TICKS_PER_SECOND
        self.host = HostEnd(self)
        self.guests: list[GuestEnd] = []
        self._began = self.ticks
        self._under_way: deque[tuple[End, Item]] = deque()
        self._busy = False

    @property
    def now(self) -> Instant:
        return Instant(self.ticks, EPOCH_MS + (self.ticks - self._began) // 1_000_000)

    # --- Who is there ------------------------------------------------------------------------------------------------

    def dial(self, name: str, link: JoinLink, *, at: ScriptedHost | None = None) -> GuestEnd:
        """An honest guest dials the host of the link, or whoever answers instead."""
        dialling = GuestEnd(self, name, link)
        self.guests.append(dialling)
        if at is None:
            socket = self.host.accept(dialling)
            dialling.perform(dialling.core.connected(self.now))
            self.host.perform(self.host.core.upgraded(socket.number, self.now))
        else:
            dialling.far, at.far = at, dialling
            dialling.perform(dialling.core.connected(self.now))
        return dialling

    def stranger(self, *, upgraded: bool = True) -> Stranger:
        """Somebody connects to the relay."""
        stranger = Stranger(self)
        socket = self.host.accept(stranger)
        if upgraded:
            self.host.perform(self.host.core.upgraded(socket.number, self.now))
        return stranger

    def admitted(self, **fields: object) -> Stranger:
        """Somebody who knows the link joins, and does from then on what the test says."""
        stranger = self.stranger()
        stranger.auth(self.host.link.key, **fields)
        assert stranger.welcome is not None, stranger.texts
        return stranger

    def bring(self, state: session.State) -> None:
        """Bring an open tunnel to where its guest is in, or has left."""
        if state in (session.State.LOCKED, session.State.VACATED):
            bob = self.dial("Bob", self.host.link)
            if state is session.State.VACATED:
                bob.close()
        assert self.host.state is state

    def joined(self, *backlog: frames.Message, name: str = "Bob") -> tuple[ScriptedHost, GuestEnd]:
        """A guest in the tunnel of a host that does what the test says."""
        host, bob = self.dialled(name)
        host.challenge()
        host.admit(*backlog)
        return host, bob

    def dialled(self, name: str = "Bob") -> tuple[ScriptedHost, GuestEnd]:
        """A guest whose WebSocket is open, and a host at its other end that does what the test says."""
        host = ScriptedHost(self)
        return host, self.dial(name, host.link, at=host)

    # --- The wire ----------------------------------------------------------------------------------------------------

    def carry(self, to: End, *items: Item) -> None:
        """Put items on the wire."""
        self._under_way.extend((to, item) for item in items)

    def settle(self) -> None:
        """Let everything that is under way arrive, and everything that follows from it."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._under_way or self._feed():
                while self._under_way:
                    to, item = self._under_way.popleft()
                    to.arrive(item)
        finally:
            self._busy = False

    def _feed(self) -> bool:
        """Tell the host of each wire on which nothing waits any more; whether there was one."""
        drained = [socket for socket in self.host.sockets.values() if socket.is_drained]
        for socket in drained:
            socket.was_fed = False
            self.host.perform(self.host.core.drained(socket.number, self.now))
        return bool(drained)

    # --- Time --------------------------------------------------------------------------------------------------------

    def advance(self, seconds: int = 0, *, nanoseconds: int = 0) -> None:
        """Let time pass; on the way, each deadline takes effect at its own moment."""
        until = self.ticks + seconds * TICKS_PER_SECOND + nanoseconds
        while (deadline := self._next_deadline()) is not None and deadline <= until:
            self.ticks = max(deadline, self.ticks)
            self.expire()
        self.ticks = until

    def sleep(self, seconds: int) -> None:
        """Let time pass in which nobody looks at the clock, as on a machine that is suspended."""
        self.ticks += seconds * TICKS_PER_SECOND

    def expire(self) -> None:
        """Let both sides look at the clock."""
        if self.host.has_started:
            self.host.perform(self.host.core.expire(self.now))
        for one in self.guests:
            one.perform(one.core.expire(self.now))

    def _next_deadline(self) -> int | None:
        deadlines = [one.core.next_deadline() for one in self.guests]
        if self.host.has_started:
            deadlines.append(self.host.core.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)


def read(transcript: Transcript) -> list[str]:
    """The texts that the reader of a transcript may see."""
    return [transcript.text(message) for message in transcript.after(0) if transcript.is_shown(message)]


def refusal(reason: str) -> Refusal | None:
    """The refusal with this text."""
    return next((one for one, row in REFUSALS.items() if row.text == reason), None)


def message(seq: int, body: str, *, id: str = "", sender: str = "host", kind: str = "chat") -> frames.Message:
    """A numbered message, as a host might hand it out."""
    assert sender in ("host", "guest")
    assert kind in ("chat", "system")
    return frames.Message(id=id or f"id {seq}", seq=seq, sender=sender, kind=kind, body=body, ts=EPOCH_MS)


def draft(body: str = "body", **fields: object) -> str:
    """The text of a `send`, apart from the fields that are given."""
    good: dict[str, object] = {"id": "an id", "seq": -1, "from": "guest", "kind": "chat", "body": body, "ts": 0}
    return json.dumps({"t": "send", "msg": good | fields})


def fill(transcript: Transcript, *, messages: int, body: str = "") -> None:
    """Append so many messages with one body; a long body costs its memory once."""
    for seq in range(transcript.last + 1, transcript.last + messages + 1):
        transcript.append(message(seq, body, id="filling", kind="system"))
