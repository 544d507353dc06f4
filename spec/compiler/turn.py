"""What one thing that happens makes of a world, and which claims it breaks.

What a guest heard before a cut (a last system message) counts for nothing here, and a connection that was told to go is gone
at once: its own machine ignores all that may come in between.
"""

from spec.compiler.hostside import ADMITTED, HostSide, Tables, Word
from spec.compiler.world import LINE, THIEF, TOLD, Item, World
from tunnel.spec.semantics import EndlessTimerError

NEVER = ("missing_messages", "bad_host", "host_flood", "host_too_big")
"""What an honest host never makes its guest say."""


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
            fired: set[str] = set()
            while event := self._tables.guest.due(self._guest):
                if event in fired:
                    raise EndlessTimerError(f"guest: {event!r} stays due")
                fired.add(event)
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
        host = self._host
        for who in [who for who, place in host.connections.items() if place.state == "finished"]:
            host.on_connection(who, "lost")
        for word in host.words:
            self._hear(word)
        self.rows += [(taken.machine, taken.row) for taken in host.taken]
        self._check_host()
        line, thief = host.connections.get(LINE), host.connections.get(THIEF)
        if self._guest is not None and self._guest.state == "ended":
            self._to_guest, self._untaken, self._is_cut = [], 0, self._is_cut and bool(self._to_host)
        if line is not None and line.state == "gone":
            self._to_host = []
        world = World(
            session=host.at,
            line=line,
            thief=None if thief is None or thief.state == "gone" else thief,
            guest=self._guest,
            to_guest=tuple(self._to_guest),
            to_host=tuple(self._to_host),
            is_cut=self._is_cut,
            untaken=self._untaken,
            seat=self._seat,
            cause=self._cause,
        )
        self._check_guest(world)
        return world

    def _hear(self, word: Word) -> None:
        if word.name == "end":
            self._cause = word.about
        if word.to != LINE or self._is_cut or word.name == "ping":
            return
        number = 0
        if word.name == "msg":
            number = self._untaken = self._untaken + 1
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

    def _check_host(self) -> None:
        for taken in self._host.taken:
            if "welcome" in taken.actions:
                if self._seat:
                    self.breaches.append("one-guest-ever")
                self._seat = self._seat or (LINE if self._host.guest == LINE else THIEF)
            if "admit" in taken.actions and ("proof_ok", True) not in taken.facts:
                self.breaches.append("proof-admits")
        words = [word.name for word in self._host.words if word.to == LINE or word.name in ("numbered", "end")]
        had_guest = self._before.line is not None and self._before.line.state == ADMITTED
        if had_guest and "end" in words and words.count("numbered") != words.count("msg"):
            self.breaches.append("all-is-told-before-the-end")

    def _check_guest(self, world: World) -> None:
        if world.guest is None or world.guest.state == "ended":
            return
        if world.guest.state == "joined" and world.seat != LINE:
            self.breaches.append("joined-was-locked")
        is_hung_up_on = world.line is not None and world.line.state == "gone"
        if is_hung_up_on and not world.is_cut and all(item.name != "close" for item in world.to_guest):
            self.breaches.append("no-end-without-a-word")

    def _check_end(self, cause: str, item: Item | None) -> None:
        if cause in NEVER:
            self.breaches.append("honest-host-is-believed")
        if cause == "host_gone" and not self._is_cut:
            self.breaches.append("no-end-without-a-word")
        was_joined = self._before.guest is not None and self._before.guest.state == "joined"
        if was_joined and item is not None and item.name == "close":
            told = self._tables.cause_of[item.about]
            if cause != told or (told != "dropped" and told != self._before.cause):
                self.breaches.append("same-cause")
