"""A host, its guest, the wire between them, and a thief who holds the link: what can happen next, and what then is.

The wire keeps the order and loses only by being cut: then what is still under way arrives up to some point, and nothing
behind it. It may take any time. What a guest may have heard before a cut (a last system message) counts for nothing here.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from spec.compiler.explore import Place
from spec.compiler.hostside import ADMITTED, HostSide, Tables, Word

UNDER_WAY = 2
"""So many items may be under way before nobody says more of his own will."""

LINE, THIEF = "line", "thief"
"""The host's two connections: the honest guest's, and the thief's."""

TOLD = {
    "closed_by_host": "told_closed",
    "idle": "told_idle",
    "process_exit": "told_exit",
    "transport_lost": "told_transport",
    "dropped": "told_dropped",
}
"""The fact with which a guest's loss of its connection comes, by the cause that the host told."""

NEVER = ("missing_messages", "bad_host", "host_flood", "host_too_big", "refused_unasked")
"""What an honest host never makes its guest say."""


class Item(NamedTuple):
    """Something under way: a frame, the opened WebSocket, a close, or the point where the wire was cut."""

    name: str
    number: int = 0
    """Of a message: 1 is the one that the guest has to take next."""
    about: str = ""


class World(NamedTuple):
    """Everything at one moment."""

    session: Place
    line: Place | None = None
    thief: Place | None = None
    guest: Place | None = None
    to_guest: tuple[Item, ...] = ()
    to_host: tuple[Item, ...] = ()
    is_cut: bool = False
    untaken: int = 0
    """How many messages were numbered for the guest that it has not taken."""
    seat: str = ""
    """The connection that was ever admitted."""
    cause: str = ""
    """Why the session ended."""

    @property
    def is_over(self) -> bool:
        """Whether both ends have come to their end."""
        return self.session.state == "closed" and (self.guest is None or self.guest.state == "ended")


class Turn:
    """One thing happens in a world.

    Args:
        tables: what both ends run on.
        world: before it.
    """

    def __init__(self, tables: Tables, world: World) -> None:
        self.breaches: list[str] = []
        """The claims that it broke."""
        self.rows: list[tuple[str, str]] = []
        """The rows that were taken, each behind its machine."""
        self._tables = tables
        self._before = world
        places = {LINE: world.line, THIEF: world.thief}
        self._host = HostSide(tables, world.session, {who: place for who, place in places.items() if place})
        self._guest = world.guest
        self._to_guest, self._to_host = list(world.to_guest), list(world.to_host)
        self._is_cut, self._untaken, self._seat, self._cause = world.is_cut, world.untaken, world.seat, world.cause

    # --- What happens of itself --------------------------------------------------------------------------------------

    def pass_time(self) -> None:
        """A tick passes."""
        self._host.pass_time()
        if self._guest:
            self._guest = self._tables.guest.older(self._guest)
            while event := self._tables.guest.due(self._guest):
                self.guest(event)

    def reach_guest(self) -> None:
        """What is first on the way to the guest arrives."""
        item = self._to_guest.pop(0)
        match item.name:
            case "open":
                self.guest("connected")
            case "auth_ok":
                self.guest("auth_ok", in_order=True, overfull=False)
            case "msg":
                own = item.about == "own"
                order = {"stale": item.number < 1, "in_order": item.number == 1, "overfull": False}
                self.guest("msg", item, **order, claims_ours=own, echo=own)
            case "close" | "cut":
                told = self._tables.cause_of.get(item.about, "")
                if item.name == "cut" and self._guest and self._guest.state == "dialing":
                    self.guest("unreachable")
                else:
                    self.guest("lost", item, **{fact: cause == told for cause, fact in TOLD.items()})
            case frame:
                self.guest(frame)

    def reach_host(self) -> None:
        """What is first on the way to the host arrives."""
        item = self._to_host.pop(0)
        match item.name:
            case "request":
                self._to_guest.append(Item("open"))
                self._host.on_connection(LINE, "upgraded")
            case "auth":
                self._host.on_connection(LINE, "auth", {"well_formed": True, "proof_ok": True})
            case "send":
                self._host.on_connection(LINE, "send", {"has_room": True})
            case _:
                self._host.on_connection(LINE, "lost")

    # --- What somebody wants -----------------------------------------------------------------------------------------

    def dial(self) -> None:
        """The guest dials."""
        self._guest = self._tables.guest.start()
        if self._host.at.state != "closed":
            self._host.accept(LINE)
            self._to_host.append(Item("request"))
        else:
            self.guest("unreachable")

    def break_in(self) -> None:
        """The thief dials."""
        self._host.accept(THIEF)
        self._host.on_connection(THIEF, "upgraded")

    def cut(self, to_guest: int, to_host: int) -> None:
        """The wire is cut; so many items in each direction still arrive."""
        self._is_cut = True
        self._to_guest[to_guest:] = [Item("cut")]
        self._to_host[to_host:] = [Item("cut")]

    def session(self, event: str, **facts: bool) -> None:
        """Something happens to the session."""
        self._host.in_session(event, **facts)

    def connection(self, who: str, event: str, **asked: bool) -> None:
        """Something happens on one of the two connections."""
        self._host.on_connection(who, event, asked)

    def guest(self, event: str, item: Item | None = None, **facts: bool) -> None:
        """Something happens to the guest; `item` is what arrived."""
        assert self._guest is not None
        taken = self._tables.guest.take(self._guest, event, facts)
        self.rows.append((taken.machine, taken.row))
        self._guest = taken.then
        for action in taken.actions:
            match action.split():
                case ["answer"]:
                    self._send("auth")
                case ["send"] | ["send_summary"]:
                    self._send("send")
                case ["hang_up", closing]:
                    self._send("close", closing)
                case ["take"] | ["conceal"]:
                    self._take(item or Item("msg"))
                case ["end", cause]:
                    self._check_end(cause, item)
                case _:
                    pass

    # --- What follows ------------------------------------------------------------------------------------------------

    def result(self) -> World:
        """The world behind it, without what nobody can notice any more."""
        for word in self._host.words:
            self._hear(word)
        self.rows += [(taken.machine, taken.row) for taken in self._host.taken]
        self._check_admissions()
        places = self._host.connections
        if THIEF in places and places[THIEF].state in ("finished", "gone"):
            del places[THIEF]
        line, has_ended = places.get(LINE), self._guest is not None and self._guest.state == "ended"
        if has_ended:
            self._to_guest, self._untaken = [], 0
        if line is not None and line.state in ("finished", "gone"):
            self._to_host = []
        is_cut = self._is_cut and not (has_ended and not self._to_host)
        world = World(
            session=self._host.at,
            line=line,
            thief=places.get(THIEF),
            guest=self._guest,
            to_guest=tuple(self._to_guest),
            to_host=tuple(self._to_host),
            is_cut=is_cut,
            untaken=self._untaken,
            seat=self._seat,
            cause=self._cause,
        )
        self._check(world)
        return world

    def _hear(self, word: Word) -> None:
        if word.name == "end":
            self._cause = word.about
        if word.to != LINE or self._guest is None or word.name == "ping":
            return
        number = 0
        if word.name == "msg":
            number = self._untaken = self._untaken + 1
        if not self._is_cut:
            self._to_guest.append(Item(word.name, number, word.about))

    def _send(self, frame: str, about: str = "") -> None:
        if not self._is_cut and LINE in self._host.connections:
            self._to_host.append(Item(frame, 0, about))

    def _take(self, item: Item) -> None:
        if item.number != 1 or self._untaken < 1:
            self.breaches.append("numbered-before-taken")
        self._untaken -= 1
        self._to_guest = [i._replace(number=i.number - 1) if i.name == "msg" else i for i in self._to_guest]

    # --- Claims ------------------------------------------------------------------------------------------------------

    def _check_admissions(self) -> None:
        for taken in self._host.taken:
            if taken.machine == "connection" and ADMITTED == taken.then.state != taken.place.state:
                if self._seat:
                    self.breaches.append("one-guest-ever")
                self._seat = self._seat or (LINE if self._host.guest == LINE else THIEF)
            if taken.machine == "session" and "admit" in taken.actions and ("proof_ok", True) not in taken.facts:
                self.breaches.append("proof-admits")

    def _check_end(self, cause: str, item: Item | None) -> None:
        if cause in NEVER:
            self.breaches.append("honest-host-is-believed")
        told = self._tables.cause_of.get(item.about, "") if item and item.name == "close" else ""
        was_joined = self._before.guest is not None and self._before.guest.state == "joined"
        if told and was_joined and cause != told:
            self.breaches.append("same-cause")
        if told in self._tables.closing_of and told != "dropped" and was_joined and not self._is_cut:
            if told != self._before.cause:
                self.breaches.append("same-cause")
            if self._untaken:
                self.breaches.append("all-is-heard-before-the-end")
        if cause == "host_gone" and not self._is_cut:
            self.breaches.append("no-end-without-a-word")

    def _check(self, world: World) -> None:
        if world.guest is None or world.guest.state == "ended":
            return
        if world.guest.state == "joined" and world.seat != LINE:
            self.breaches.append("joined-was-locked")
        is_hung_up_on = world.line is not None and world.line.state in ("finished", "gone")
        if is_hung_up_on and not world.is_cut and all(item.name != "close" for item in world.to_guest):
            self.breaches.append("no-end-without-a-word")


# --- What can happen ------------------------------------------------------------------------------------------------

Thing = tuple[str, Callable[[Turn], None]]
"""A sentence, and what it does."""


def by_itself(world: World) -> Iterator[Thing]:
    """What happens when nobody wants anything."""
    guest, line = world.guest, world.line
    yield "time passes", Turn.pass_time
    if world.to_guest:
        yield f"the guest gets {_said(world.to_guest[0])}", Turn.reach_guest
    # While much is on its way to the guest, the host takes its time: what it numbers has to go there too.
    if world.to_host and len(world.to_guest) < UNDER_WAY:
        yield f"the host gets {_said(world.to_host[0])}", Turn.reach_host
    if line is not None and line.state == "finished":
        yield "the guest's socket closes at the host", lambda turn: turn.connection(LINE, "lost")
    if guest is not None and line is not None and guest.state == "joined" and line.state == ADMITTED:
        if not world.is_cut and not world.to_guest and dict(guest.ages)["silence"]:
            yield "the guest hears a ping", lambda turn: turn.guest("heard")
        if not world.is_cut and not world.to_host and dict(line.ages)["silence"]:
            yield "the host hears a ping", lambda turn: turn.connection(LINE, "heard")


def by_will(world: World) -> Iterator[Thing]:
    """What somebody may want, or what may go wrong."""
    yield from _of_the_host(world)
    yield from _of_the_guest(world)
    yield from _of_the_thief(world)


def _of_the_host(world: World) -> Iterator[Thing]:
    if world.session.state == "closed":
        return
    if world.session.state == "opening":
        yield "the host becomes reachable", lambda turn: turn.session("reachable")
    if len(world.to_guest) < UNDER_WAY:
        yield "the host says something", lambda turn: turn.session("say", fits=True, has_room=True)
    yield "the host closes", lambda turn: turn.session("close", has_summary=False)
    yield "the host closes with a summary", lambda turn: turn.session("close", has_summary=True)
    yield "the host's process ends", lambda turn: turn.session("exit")
    yield "the host's transport is lost", lambda turn: turn.session("unreachable")
    if world.line is not None and world.line.state not in ("finished", "gone"):
        yield "too much waits for the guest", lambda turn: turn.connection(LINE, "overflow")
        yield "too many strangers wait", lambda turn: turn.connection(LINE, "evict")


def _of_the_guest(world: World) -> Iterator[Thing]:
    guest, line = world.guest, world.line
    if guest is None:
        if world.session.state != "opening":
            yield "the guest dials", Turn.dial
        return
    if guest.state == "ended":
        return
    if guest.state == "joined" and len(world.to_host) < UNDER_WAY:
        yield "the guest says something", lambda turn: turn.guest("say", fits=True, has_room=True)
    yield "the guest closes", lambda turn: turn.guest("close", has_summary=False)
    yield "the guest closes with a summary", lambda turn: turn.guest("close", has_summary=True)
    yield "the guest's process ends", lambda turn: turn.guest("exit")
    yield "too much waits for the host", lambda turn: turn.guest("overflow")
    if line is not None and not world.is_cut:
        for ahead in range(len(world.to_guest) + 1):
            for back in range(len(world.to_host) + 1):
                text = f"the wire is cut behind {ahead} items to the guest and {back} to the host"
                yield text, lambda turn, ahead=ahead, back=back: turn.cut(ahead, back)


def _of_the_thief(world: World) -> Iterator[Thing]:
    if world.thief is None:
        if world.session.state != "closed":
            yield "a thief connects", Turn.break_in
        return
    # Nobody holds a link before there is one.
    holds_link = world.session.state != "opening"
    for word, proof in (("wrong", False), ("right", True)):
        if proof <= holds_link:
            yield (
                f"the thief answers with the {word} proof",
                lambda turn, proof=proof: turn.connection(THIEF, "auth", well_formed=True, proof_ok=proof),
            )
    yield "the thief sends something", lambda turn: turn.connection(THIEF, "send", has_room=True)
    yield "the thief sends more than there is room for", lambda turn: turn.connection(THIEF, "send", has_room=False)
    yield "the thief goes", lambda turn: turn.connection(THIEF, "lost")
    if world.thief.state == ADMITTED:
        yield "the host hears the thief", lambda turn: turn.connection(THIEF, "heard")


def _said(item: Item) -> str:
    return f"`{item.name}{' ' if item.about else ''}{item.about}`"
