"""Brings about, on the real host and the real guest, what the exploration of the tables has found.

A world knows how to make each event of one machine happen with given facts. Some facts cannot come about on the real classes,
whatever a peer or an agent does: these stand in `NEVER`, with the reason.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import gcd
from typing import NamedTuple, Protocol

from spec.compiler.explore import Input, Place, Wait, Way, explore, inputs, shortened
from tests.conversation import EPOCH_MS, Dice, message
from tests.core.witness import (
    GOAL,
    TOLD,
    TOO_LONG,
    Facts,
    Life,
    Load,
    WitnessedGuest,
    WitnessedHost,
)
from tunnel.core.effects import ConnectionId
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import fresh_tunnel_id, mint
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Configuration
from tunnel.spec.v1 import connection, frames, guest, session
from tunnel.spec.v1.constants import (
    CONTROL_FRAMES,
    KEY_BYTES,
    SECONDS,
    SILENCE_SECONDS,
    STRANGER_CONNECTIONS,
)

START = 1_000 * TICKS_PER_SECOND
WRONG_KEY = bytes(KEY_BYTES)
MACHINES: Mapping[str, Machine] = {
    machine.machine: machine for machine in (session.MACHINE, connection.MACHINE, guest.MACHINE)
}


Where = Callable[[Configuration, Facts], bool]


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

    def wait(self, ticks: int, *, awake: bool) -> None:
        """Let time pass; whoever is not awake looks at the clock no earlier than with the next input."""
        ...

    def expire(self) -> None:
        """Look at the clock."""
        ...


class Never(NamedTuple):
    """What cannot come about."""

    machine: str
    events: str
    """Their names, or `*`."""
    where: Where
    because: str


def _anywhere(here: Configuration, facts: Facts) -> bool:
    return True


def _in(*states: str) -> Where:
    return lambda here, _: here.state in states


def _with(**wanted: bool) -> Where:
    return lambda _, facts: all(facts[name] is value for name, value in wanted.items())


def _nothing_taken(here: Configuration, facts: Facts) -> bool:
    return facts["stale"] and "enter" not in here.counts


def _nothing_pending(here: Configuration, facts: Facts) -> bool:
    return facts["echo"] and here.state != "joined"


def _told_twice(here: Configuration, facts: Facts) -> bool:
    return sum(facts.values()) > 1


NEVER = (
    Never("session", "auth", _in("closed"), "with the session all its connections are finished, and nobody is judged"),
    Never("session", "auth", _with(well_formed=False, proof_ok=True), "the proof in a malformed `auth` is not looked at"),
    Never("session", "send", _in("opening", "waiting", "vacated", "closed"), "only the admitted connection is relayed"),
    Never("session", "left", _in("opening", "waiting", "vacated", "closed"), "only the admitted connection leaves"),
    Never("session", "idle", _anywhere, "a timer that was stopped does not fire"),
    Never("connection", "admit", _in("opening", "finished", "gone"), "only the answer to a challenge is judged"),
    Never("connection", "admit", _in("admitted"), "the session that has admitted it refuses everybody"),
    Never("connection", "refuse", _in("opening", "finished", "gone"), "only the answer to a challenge is judged"),
    Never("connection", "drop", _in("opening", "challenged", "finished", "gone"), "only the guest is relayed"),
    Never("connection", "evict", _in("admitted", "finished", "gone"), "only strangers are counted"),
    Never("connection", "end", _in("gone"), "the host has forgotten it"),
    Never("connection", "authenticate ping silence", _anywhere, "a timer that was stopped does not fire"),
    Never("guest", "msg", _with(stale=True, in_order=True), "a number was taken, or it is the next"),
    Never("guest", "msg", _with(echo=True, claims_ours=False), "what the host says is nobody's echo"),
    Never("guest", "msg", _nothing_taken, "no number is stale before the first was taken"),
    Never("guest", "msg", _nothing_pending, "nothing of this side is on its way"),
    Never("guest", "lost", _told_twice, "one close frame tells one cause"),
    Never("guest", "join ping silence", _anywhere, "a timer that was stopped does not fire"),
)  # fmt: skip


def never(machine: str, here: Configuration, thing: Input) -> list[Never]:
    """Why this cannot come about there; nothing when it can."""
    return [
        one
        for one in NEVER
        if one.machine == machine and thing.event in one.events.split() and one.where(here, thing.facts)
    ]


# --- Worlds -------------------------------------------------------------------------------------------------------------


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

    def __init__(self) -> None:
        super().__init__()
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
                if facts["flooding"]:
                    self._ping_a_lot()
                host.control(number, now, flooding=facts["flooding"])
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

    def wait(self, ticks: int, *, awake: bool) -> None:
        until = self.clock.ticks + ticks
        if awake:
            self.clock.advance(until, self.host.next_deadline, self.expire)
        self.clock.ticks = until

    def _ping_a_lot(self) -> None:
        """As many control frames as are allowed; the witness need not see them, since nothing comes of them."""
        self.expire()
        for _ in range(CONTROL_FRAMES):
            assert self.host.core.control(self.number, self.now) == []


class GuestWorld:
    """A guest that dials, and a host that does what the replay says."""

    def __init__(self) -> None:
        dice = Dice("a replay")
        self.clock = Clock()
        link = mint("http://127.0.0.1:4711", fresh_tunnel_id(dice), dice(KEY_BYTES))
        self.guest = WitnessedGuest(link, "Bob", dice, self.now)
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

    def wait(self, ticks: int, *, awake: bool) -> None:
        until = self.clock.ticks + ticks
        if awake:
            self.clock.advance(until, self.guest.next_deadline, self.expire)
        self.clock.ticks = until

    def expire(self) -> None:
        self.guest.expire(self.now)

    def _message(self, facts: Facts) -> None:
        self.guest.expire(self.now)
        self._put(overfull=False)
        if facts["echo"]:
            self._say("hello")
        id, pending = next(iter(self.guest.witness.pending.items()), ("an id", None))
        last = len(self.guest.witness.taken)
        seq = max(last, 1) if facts["stale"] else last + (1 if facts["in_order"] else 2)
        body = pending.body if pending and facts["echo"] else "not what the guest has said"
        sender = "guest" if facts["claims_ours"] else "host"
        self._put(overfull=facts["overfull"])
        self.guest.receive(frames.Msg(msg=message(seq, body, id=id, sender=sender)), self.now)

    def _put(self, *, overfull: bool) -> None:
        self.guest.scales.put(Load.OVERFULL if overfull else Load.LIGHT)

    def _say(self, text: str) -> None:
        self._tickets += 1
        self.guest.say(self._tickets, text, self.now)


WORLDS: Mapping[str, Callable[[], World]] = {
    "session": SessionWorld,
    "connection": ConnectionWorld,
    "guest": GuestWorld,
}


# --- Stories ------------------------------------------------------------------------------------------------------------


class Story(NamedTuple):
    """The way to a place, and what happens there; time in ticks of the real clock."""

    way: Way
    thing: Wait | Input


@cache
def explored(name: str) -> tuple[tuple[Place, Way], ...]:
    """Every place that a table can reach, with a shortest way to it."""
    machine = MACHINES[name]
    tick = _tick(machine)
    return tuple(
        (place, _scaled(way, tick)) for place, way in explore(machine, shortened(machine, SECONDS)).places.items()
    )


def every_edge(name: str) -> Iterator[Story]:
    """Every input, and every span of time, from every place that the exploration has found."""
    machine = MACHINES[name]
    tick = _tick(machine)
    longest = max(SECONDS[timer.duration] * TICKS_PER_SECOND for timer in machine.timers)
    for place, way in explored(name):
        yield from (Story(way, Wait(ticks)) for ticks in range(tick, longest + 2 * tick, tick))
        yield from (Story(way, thing) for thing in inputs(machine, frozenset(timer for timer, _ in place.ages)))


def around_every_deadline(name: str) -> Iterator[Story]:
    """Every input a nanosecond before, at, and a nanosecond behind each deadline."""
    machine = MACHINES[name]
    for way, running in _at_once(name):
        for duration in sorted({SECONDS[t.duration] for t in machine.timers if t.name in running}):
            for around in (-1, 0, 1):
                wait = Wait(duration * TICKS_PER_SECOND + around)
                yield from (Story((*way, wait), thing) for thing in inputs(machine))


def every_minute(name: str) -> Iterator[Story]:
    """Every input in every minute, until the last timer has passed."""
    machine = MACHINES[name]
    longest = max(SECONDS[timer.duration] for timer in machine.timers) // 60
    for minute in range(1, longest + 2):
        for way, _ in _at_once(name):
            wait = Wait(minute * 60 * TICKS_PER_SECOND)
            yield from (Story((*way, wait), thing) for thing in inputs(machine))


def _at_once(name: str) -> list[tuple[Way, dict[str, int]]]:
    """The ways on which no time passes, with the timers that run at their ends."""
    return [(way, dict(place.ages)) for place, way in explored(name) if all(isinstance(one, Input) for one in way)]


def _tick(machine: Machine) -> int:
    """What the exploration takes for one second."""
    return gcd(*(SECONDS[timer.duration] for timer in machine.timers)) * TICKS_PER_SECOND


def _scaled(way: Way, tick: int) -> Way:
    return tuple(Wait(thing.ticks * tick) if isinstance(thing, Wait) else thing for thing in way)


# --- Replays ------------------------------------------------------------------------------------------------------------


class Played(NamedTuple):
    """How a story ended."""

    came_about: bool
    """Whether its last input happened as it was wanted."""
    never: tuple[Never, ...]
    """Why it cannot."""
    rows: frozenset[str]


def play(world: World, story: Story, *, awake: bool) -> Played:
    """Play a story on the real classes; every difference from the tables is an error."""
    for thing in story.way:
        came_about, _ = _do(world, thing, awake=awake)
        assert came_about, f"{thing} on the way"
    came_about, here = _do(world, story.thing, awake=awake)
    why = never(world.life.machine.machine, here, story.thing) if isinstance(story.thing, Input) else []
    return Played(came_about, tuple(why), frozenset(step.row.id for step in world.life.steps))


def _do(world: World, thing: Wait | Input, *, awake: bool) -> tuple[bool, Configuration]:
    """Let it happen; whether it has, and where."""
    if isinstance(thing, Wait):
        world.wait(thing.ticks, awake=awake)
        return True, world.life.at
    here, seen = world.life.at_moment(world.now.ticks), len(world.life.steps)
    world.attempt(thing.event, thing.facts)
    return any((step.event, step.facts) == thing for step in world.life.steps[seen:]), here
