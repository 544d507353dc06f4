"""One tunnel with everybody who has to do with it, and the wires between them.

Nothing here decides anything but the wire: what an end wants done is done when somebody lets it arrive.
"""

from collections.abc import Iterator

from tests.conversation import Dice, message
from tests.core.guest_witness import WitnessedGuest
from tests.core.host_witness import WitnessedHost
from tests.core.ledger import ALL_IS_ANSWERED, ONLY_ITS_ECHO, Ledger, wall
from tests.core.wires import Auth, Beat, Bye, Chat, Wire
from tests.core.witness import GOAL, WRONG_KEY, Life, line
from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import Instant
from tunnel.core.link import fresh_tunnel_id, mint
from tunnel.spec.v1 import frames, guest
from tunnel.spec.v1.constants import KEY_BYTES


class Stage:
    """A host that is not reachable yet, an honest guest named Bob when he dials, and whoever else connects.

    Args:
        ticks: when it begins.
        kind: a host, or one that is broken on purpose.
        guest_kind: a guest, or one that is broken on purpose.
        compares: whether a difference from the tables is an error.
    """

    def __init__(self, ticks: int, kind: type[Host], guest_kind: type[Guest], *, compares: bool) -> None:
        self.ticks = ticks
        self.dice = Dice("a story")
        self.link = mint("http://127.0.0.1:4711", fresh_tunnel_id(self.dice), self.dice(KEY_BYTES))
        self.host = WitnessedHost(self.now, self.dice, self.link.key, kind)
        self.host.compares = compares
        self._guest_kind = guest_kind
        self.ledger = Ledger()
        self.wires: list[Wire] = []
        self.bob: Wire | None = None
        self._tickets = 0

    @property
    def now(self) -> Instant:
        return Instant(self.ticks, wall(self.ticks))

    # --- Both ends and their agents ---

    def host_says(self, text: str) -> None:
        self._tickets += 1
        self.host_does(self.host.say(self._tickets, text, self.now))
        assert self._tickets in self.ledger.answers

    def bob_says(self, text: str) -> None:
        self._tickets += 1
        self.honest.asked.add(self._tickets)
        self.guest_does(self.honest, self.honest.agent.say(self._tickets, text, self.now), self._tickets)

    def end(self) -> None:
        """Everybody goes, and everything that was said is answered."""
        self.settle()
        self.host_does(self.host.exit(self.now))
        for wire in self.wires:
            if wire.guest:
                self.guest_does(wire, wire.guest.exit(self.now))
        self.settle()
        for wire in self.wires:
            assert wire.asked == wire.answers.keys(), ALL_IS_ANSWERED
        if self.host.compares:
            told = [line(one, self.link.key) for one in self.host.core.transcript.after(0)]
            assert told == self.host.witness.numbered

    def lives(self) -> Iterator[Life]:
        """Every machine that was alive."""
        yield self.host.witness.session
        yield from self.host.witness.connections.values()
        yield from (wire.guest.witness.life for wire in self.wires if wire.guest)

    @property
    def honest(self) -> Wire:
        assert self.bob is not None
        return self.bob

    def some(self, which: int) -> Wire:
        """One of the connections; small numbers are the latest."""
        return self.wires[-1 - which % len(self.wires)]

    def accept(self, guest: WitnessedGuest | None) -> Wire:
        number, did = self.host.accept(self.now)
        wire = Wire(number, guest)
        self.wires.append(wire)
        self.host_does(did)
        return wire

    def dial(self) -> Wire:
        bob = WitnessedGuest(self.link, "Bob", self.dice, self.now, self._guest_kind)
        bob.compares = self.host.compares
        self.bob = self.accept(bob)
        return self.bob

    def dialled(self, wire: Wire, *, comes_about: bool) -> None:
        if not comes_about:
            self.guest_does(wire, wire.agent.unreachable(self.now))
        elif wire.agent.state is guest.State.DIALING:
            self.guest_does(wire, wire.agent.connected(self.now))
            self.host_does(self.host.upgraded(wire.number, self.now))

    def join(self) -> Wire:
        wire = self.dial()
        self.dialled(wire, comes_about=True)
        self.settle()
        return wire

    def thief(self) -> Wire:
        wire = self.accept(None)
        self.host_does(self.host.upgraded(wire.number, self.now))
        self.answer(wire, "the link", "Eve", 0)
        return wire

    def answer(self, wire: Wire, key: str, name: object, since: int) -> None:
        self.host_does(
            self.host.auth(wire.number, self.link.key if key == "the link" else WRONG_KEY, self.now, name, since)
        )

    def admit_bob(self, first: int) -> None:
        wire = self.honest
        wire.is_tampered_with = True
        welcome = frames.AuthOk(goal=GOAL, peer_name="Mallory", backlog=(message(first, "forged"),))
        self.guest_does(wire, wire.agent.receive(welcome, self.now))

    def break_bound(self, wire: Wire, how: str) -> None:
        host, number, now = self.host, wire.number, self.now
        match how:
            case "flood":
                self.host_does(host.flood(number, now))
            case "too big":
                self.host_does(host.oversize(number, now))
            case "not text":
                self.host_does(host.not_text(number, now))
            case _:
                self.host_does(host.overflow(number, now))

    def admitted(self) -> Wire:
        return next(wire for wire in self.wires if wire.number == self.host.core.guest)

    # --- The wire and the time ---

    def host_does(self, did: list[Effect]) -> None:
        """Do what the host wants done."""
        self.ledger.note(did, self.host.core, self.now)
        for effect in did:
            match effect:
                case effects.Send(to=to, frame=frame):
                    assert not isinstance(frame, frames.Auth | frames.Send)
                    self._wire(to).down(frame)
                case effects.Ping(to=to):
                    self._wire(to).down(Beat())
                case effects.HangUp(to=to, closing=closing):
                    self._wire(to).down(Bye(closing))
                    self._wire(to).up(Bye())
                case _:
                    pass

    def guest_does(self, wire: Wire, did: list[Effect], saying: int | None = None) -> None:
        """Do what a guest wants done; `saying` is the ticket of what its agent says."""
        for effect in did:
            match effect:
                case effects.Send(frame=frames.Auth(response=response) as auth):
                    asked = self.host.challenges.get(wire.number, "")
                    key = self.link.key if response == crypto.prove(self.link.key, asked) else WRONG_KEY
                    wire.up(Auth(codec.encode(auth).decode(), key, auth.name))
                case effects.Send(frame=frames.Send(msg=draft)):
                    wire.sent[draft.id, draft.body] = saying
                    wire.up(Chat(draft.id, draft.body))
                case effects.Ping():
                    wire.up(Beat())
                case effects.HangUp(closing=closing):
                    wire.up(Bye(closing))
                    wire.down(Bye())
                case effects.Said(ticket=ticket) | effects.NotSaid(ticket=ticket):
                    assert ticket in wire.asked
                    assert ticket not in wire.answers, "what is said is answered once"
                    wire.answers[ticket] = effect
                    if isinstance(effect, effects.Said):
                        self._confirmed(wire, ticket, effect.seq)
                case _:
                    pass

    def _confirmed(self, wire: Wire, ticket: int, seq: int) -> None:
        transcript = wire.agent.core.transcript
        assert seq <= transcript.last, ONLY_ITS_ECHO
        echo = transcript.at(seq)
        assert (echo.sender, wire.sent.get((echo.id, echo.body))) == ("guest", ticket), ONLY_ITS_ECHO

    def _wire(self, number: ConnectionId) -> Wire:
        found = [wire for wire in self.wires if wire.number == number]
        assert found, "a host speaks to connections that are there"
        return found[0]

    def up(self, wire: Wire) -> None:
        """The next thing on its way to the host arrives."""
        if not wire.to_host:
            return
        item, host, number, now = wire.to_host.popleft(), self.host, wire.number, self.now
        if isinstance(item, Bye):
            self.host_does(host.lost(number, now))
            return
        self.host_does(host.heard(number, now))
        match item:
            case Auth(text, key, name):
                self.host_does(host.auth(number, key, now, name, text=text))
            case Chat(id, body):
                self.host_does(host.chat(number, id, body, now))
            case Beat():
                self.host_does(host.control(number, now))

    def down(self, wire: Wire) -> None:
        """The next thing on its way to a guest arrives."""
        if not wire.to_guest:
            return
        item, bob, now = wire.to_guest.popleft(), wire.agent, self.now
        match item:
            case Bye(closing):
                self.guest_does(wire, bob.lost(closing, now))
            case Beat():
                self.guest_does(wire, bob.heard(now))
            case _:
                self.guest_does(wire, bob.heard(now))
                self.guest_does(wire, bob.receive(item, now))

    def settle(self) -> None:
        """Everything arrives, and everything that follows from it."""
        while busy := [wire for wire in self.wires if wire.to_host or wire.to_guest]:
            for wire in busy:
                while wire.to_host:
                    self.up(wire)
                while wire.to_guest:
                    self.down(wire)

    def expire(self) -> None:
        self.host_does(self.host.expire(self.now))
        for wire in self.wires:
            if wire.guest:
                self.guest_does(wire, wire.guest.expire(self.now))

    def wait(self, until: int, manner: str) -> None:
        """Time passes: everything arrives at once, or nothing does, or nobody even looks at the clock."""
        live = manner == "on a live wire"
        if live:
            self.settle()
        while manner != "asleep" and (deadline := self._next_deadline()) is not None and deadline <= until:
            self.ticks = max(deadline, self.ticks)
            self.expire()
            if live:
                self.settle()
        self.ticks = until

    def _next_deadline(self) -> int | None:
        guests = [wire.guest.next_deadline() for wire in self.wires if wire.guest]
        return min((one for one in (self.host.core.next_deadline(), *guests) if one is not None), default=None)
