"""Makes each event of a machine happen, with given facts, on the real host or the real guest."""

from collections.abc import Callable, Mapping
from typing import Protocol

from tests.conversation import EPOCH_MS, Dice, message
from tests.core.guest_witness import TOLD, WitnessedGuest
from tests.core.host_witness import WitnessedHost
from tests.core.witness import GOAL, TOO_LONG, WRONG_KEY, Facts, Life, Load
from tunnel.core.effects import ConnectionId
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import fresh_tunnel_id, mint
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, SILENCE_SECONDS, STRANGER_CONNECTIONS

START = 1_000 * TICKS_PER_SECOND


class World(Protocol):
    """One real object with its witness, to which the events of one machine can be made to happen."""

    @property
    def life(self) -> Life:
        """The machine of which this is the world."""
        ...

    @property
    def now(self) -> Instant: ...

    def attempt(self, event: str, facts: Facts) -> None:
        """Do what makes this happen, or comes nearest to it."""
        ...

    def try_more(self) -> None:
        """What is tried at the end of every replay, to see what else it has changed."""
        ...

    def wait(self, ticks: int, *, awake: bool) -> None:
        """Let time pass; whoever is not awake looks at the clock no earlier than with the next input."""
        ...

    def expire(self) -> None:
        """Look at the clock."""
        ...


class Clock:
    """Time in a world."""

    def __init__(self) -> None:
        self.ticks = START

    @property
    def now(self) -> Instant:
        return Instant(self.ticks, EPOCH_MS)

    def advance(self, until: int, deadline: Callable[[], int | None], expire: Callable[[], object]) -> None:
        """Let time pass; on the way, each deadline takes effect at its own moment."""
        while (due := deadline()) is not None and due <= until:
            self.ticks = due
            expire()
        self.ticks = until


class HostWorld:
    """A host that is not reachable yet."""

    def __init__(self, kind: type[Host] = Host) -> None:
        dice = Dice("a replay")
        self.clock = Clock()
        self.host = WitnessedHost(self.now, dice, dice(KEY_BYTES), kind)

    @property
    def now(self) -> Instant:
        return self.clock.now

    @property
    def key(self) -> bytes:
        return self.host.key

    def stranger(self) -> ConnectionId:
        number, _ = self.host.accept(self.now)
        self.host.upgraded(number, self.now)
        return number

    def chat(self, number: ConnectionId, *, has_room: bool) -> None:
        self.host.scales.put(Load.LIGHT if has_room else Load.FULL)
        self.host.chat(number, "an id", "a body", self.now)

    def expire(self) -> None:
        self.host.expire(self.now)


class SessionWorld(HostWorld):
    """A host whose guest shows signs of life, so that nothing but the session's own timers ends anything."""

    @property
    def life(self) -> Life:
        return self.host.witness.session

    def attempt(self, event: str, facts: Facts) -> None:
        host = self.host
        match event:
            case "reachable":
                host.reachable(self.now)
            case "unreachable":
                host.unreachable(self.now)
            case "auth":
                name = "Eve" if facts["well_formed"] else 5
                host.auth(self.stranger(), self.key if facts["proof_ok"] else WRONG_KEY, self.now, name)
            case "send":
                self.chat(self._guest_or_stranger(), has_room=facts["has_room"])
            case "left":
                host.lost(self._guest_or_stranger(), self.now)
            case "say":
                host.scales.put(Load.LIGHT if facts["has_room"] else Load.FULL)
                host.say(7, "hello" if facts["fits"] else TOO_LONG, self.now)
            case "close":
                host.close("all is said" if facts["has_summary"] else "", self.now)
            case "exit":
                host.exit(self.now)
            case _:
                self.expire()

    def try_more(self) -> None:
        self.attempt("auth", {"well_formed": True, "proof_ok": True})
        self.attempt("say", {"fits": True, "has_room": True})

    def wait(self, ticks: int, *, awake: bool) -> None:
        until = self.clock.ticks + ticks
        while (left := until - self.clock.ticks) > 0:
            guest = self.host.core.guest
            if guest is None and not awake:
                self.clock.ticks = until
                return
            rest = left if guest is None else min(left, (SILENCE_SECONDS - 1) * TICKS_PER_SECOND)
            self.clock.advance(self.clock.ticks + rest, self.host.next_deadline, self.expire)
            if self.host.core.guest is not None:
                self.host.heard(self.host.core.guest, self.now)

    def _guest_or_stranger(self) -> ConnectionId:
        guest = self.host.core.guest
        return self.stranger() if guest is None else guest


class ConnectionWorld(HostWorld):
    """The first connection of a host that waits for its guest."""

    def __init__(self, kind: type[Host] = Host) -> None:
        super().__init__(kind)
        self.host.reachable(self.now)
        self.number, _ = self.host.accept(self.now)

    @property
    def life(self) -> Life:
        return self.host.witness.connections[self.number]

    def attempt(self, event: str, facts: Facts) -> None:
        host, number, now = self.host, self.number, self.now
        match event:
            case "upgraded":
                host.upgraded(number, now)
            case "auth" | "refuse":
                host.auth(number, WRONG_KEY, now)
            case "admit":
                host.auth(number, self.key, now)
            case "send" | "drop":
                self.chat(number, has_room=event == "send")
            case "other":
                host.other(number, "no frame", now)
            case "heard":
                host.heard(number, now)
            case "control":
                (host.flood if facts["flooding"] else host.control)(number, now)
            case "oversize":
                host.oversize(number, now)
            case "not_text":
                host.not_text(number, now)
            case "overflow":
                host.overflow(number, now)
            case "evict":
                for _ in range(STRANGER_CONNECTIONS):
                    host.accept(now)
            case "end":
                host.close("", now)
            case "lost":
                host.lost(number, now)
            case _:
                self.expire()

    def try_more(self) -> None:
        self.attempt("send", {"has_room": True})
        self.attempt("admit", {})

    def wait(self, ticks: int, *, awake: bool) -> None:
        until = self.clock.ticks + ticks
        if awake:
            self.clock.advance(until, self.host.next_deadline, self.expire)
        self.clock.ticks = until


class GuestWorld:
    """A guest that dials, and a host that does what the replay says."""

    def __init__(self, kind: type[Guest] = Guest) -> None:
        dice = Dice("a replay")
        self.clock = Clock()
        link = mint("http://127.0.0.1:4711", fresh_tunnel_id(dice), dice(KEY_BYTES))
        self.guest = WitnessedGuest(link, "Bob", dice, self.now, kind)
        self._tickets = 0

    @property
    def now(self) -> Instant:
        return self.clock.now

    @property
    def life(self) -> Life:
        return self.guest.witness.life

    def attempt(self, event: str, facts: Facts) -> None:
        bob, now = self.guest, self.now
        match event:
            case "connected":
                bob.connected(now)
            case "unreachable":
                bob.unreachable(now)
            case "challenge":
                bob.receive(frames.Challenge(nonce="a challenge"), now)
            case "auth_ok":
                self._put(overfull=facts["overfull"])
                first = message(1 if facts["in_order"] else 2, "tunnel opened", kind="system")
                bob.receive(frames.AuthOk(goal=GOAL, peer_name="Alice", backlog=(first,)), now)
                # From then on there is always something that waits for its number.
                self._put(overfull=False)
                self._say("hello")
            case "auth_fail":
                bob.receive(frames.AuthFail(reason="bad key"), now)
            case "msg":
                self._message(facts)
            case "malformed":
                bob.malformed('{"t":"auth_ok"}', now)
            case "other":
                bob.other("no frame", now)
            case "heard":
                bob.heard(now)
            case "oversize":
                bob.oversize(now)
            case "not_text":
                bob.not_text(now)
            case "overflow":
                bob.overflow(now)
            case "lost":
                bob.lost(next((closing for told, closing in TOLD.items() if facts[told]), None), now)
            case "say":
                bob.scales.put(Load.LIGHT if facts["has_room"] else Load.FULL)
                self._say("hello" if facts["fits"] else TOO_LONG)
            case "close":
                bob.close("all is said" if facts["has_summary"] else "", now)
            case "exit":
                bob.exit(now)
            case _:
                self.expire()

    def try_more(self) -> None:
        self.attempt("say", {"fits": True, "has_room": True})
        self._message({"stale": False, "in_order": True, "claims_ours": True, "echo": True, "overfull": False})

    def wait(self, ticks: int, *, awake: bool) -> None:
        until = self.clock.ticks + ticks
        if awake:
            self.clock.advance(until, self.guest.next_deadline, self.expire)
        self.clock.ticks = until

    def expire(self) -> None:
        self.guest.expire(self.now)

    def _message(self, facts: Facts) -> None:
        witness = self.guest.witness
        its_id, said = next(((one, said.body) for one, said in witness.pending.items()), ("an id", "said by nobody"))
        body = said if facts["echo"] else "not what the guest has said"
        last = len(witness.taken)
        seq = max(last, 1) if facts["stale"] else last + (1 if facts["in_order"] else 2)
        sender = "guest" if facts["claims_ours"] else "host"
        self._put(overfull=facts["overfull"])
        self.guest.receive(frames.Msg(msg=message(seq, body, id=its_id, sender=sender)), self.now)

    def _put(self, *, overfull: bool) -> None:
        self.guest.scales.put(Load.OVERFULL if overfull else Load.LIGHT)

    def _say(self, text: str) -> None:
        self._tickets += 1
        self.guest.say(self._tickets, text, self.now)


WORLDS: Mapping[str, type[SessionWorld | ConnectionWorld | GuestWorld]] = {
    "session": SessionWorld,
    "connection": ConnectionWorld,
    "guest": GuestWorld,
}
