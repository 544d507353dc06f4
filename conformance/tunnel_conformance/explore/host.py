"""Walks beside a host under test: what is done to it, and what its tables say must be seen then."""

from collections.abc import Sequence
from typing import Final

from tunnel.spec.model import Role
from tunnel_conformance.explore import host_offers
from tunnel_conformance.explore.hostside import HostSide
from tunnel_conformance.explore.lives import Carrier
from tunnel_conformance.explore.moves import Move
from tunnel_conformance.explore.walk import UNSEEN, Args, Offers, Sight, UnsureError, Walk, listed
from tunnel_conformance.spec import spec

PROOFS: Final = {
    "right": {"well_formed": True, "proof_ok": True},
    "wrong": {"well_formed": True, "proof_ok": False},
    "missing": {"well_formed": False, "proof_ok": False},
    "padded": {"well_formed": True, "proof_ok": False},
    "hex": {"well_formed": True, "proof_ok": False},
    "replayed": {"well_formed": True, "proof_ok": False},
    "wrong then right": {"well_formed": True, "proof_ok": False},
}
"""How a challenge can be answered, and what that is to the tables."""

CHATS: Final[dict[str, Args]] = {
    "plain": {},
    "forged": {"from": "host", "seq": 999, "ts": 1},
    "unknown": {"extra": "junk"},
    "system": {"kind": "system"},
}
BAD: Final = {"not text": ("not_text", 1007), "too big": ("oversize", 1009)}
BOUNDS: Final = {True: "{GUEST_FRAME_BYTES} + 1", False: "{STRANGER_FRAME_BYTES} + 1"}
SUMMARY: Final = "all is said"
GONE: Final = ("gone",)
"""What a released host does instead of sending a close frame breaks nothing: the cases see it so, too."""

NUMBERS: Final = Carrier("what the host numbers", ("SEQ-1",))
RELAYS: Final = Carrier("what the host sets itself", ("SEQ-2",))
LINKS: Final = Carrier("the link", ("LINK-6",))


class HostWalk(Walk):
    """A conversation with a host under test. It begins with an open tunnel.

    Args:
        moments: when the effect of each step came about.
    """

    def __init__(self, moments: Sequence[int] = ()) -> None:
        super().__init__(Role.HOST, moments)
        self.known: list[str] = []
        """Every peer so far."""
        self.plain: set[str] = set()
        """Those that speak no WebSocket."""
        self.hidden: set[str] = set()
        """Those that came in a race: nobody knows who of them won."""
        self.last = ""
        """What was said last."""
        self.first = ""
        """Whose right response a replay repeats."""
        self._said = 0
        self.verbs = {
            "auth": self._auth,
            "bad": self._bad,
            "chat": self._chat,
            "close": self._close,
            "connect": self._connect,
            "count": self._count,
            "dial": self._dial,
            "freeze": self._freeze,
            "hear": self._hear,
            "join": self._join,
            "leave": self._goes,
            "listen": self._asks,
            "noise": self._noise,
            "open": self._open_again,
            "ping": self._ping,
            "race": self._race,
            "say": self._say,
            "status": self._asks,
            "vanish": self._goes,
            "wait": self._wait,
        }
        self.aims = host_offers.AIMS
        self.side = HostSide(self._moment(0))
        self._open(UNSEEN)

    def offers(self, *, timed: bool) -> Offers:
        """What can be done next."""
        return host_offers.offers(self, timed=timed)

    def probe(self) -> None:
        """Somebody connects."""
        self._connect(Move("connect", next(name for name in host_offers.PROBES if name not in self.known)))

    def challenged(self) -> list[str]:
        """Who has a challenge to answer."""
        lives = self.side.connections
        return [who for who, life in lives.items() if life.state == "challenged"]

    def guest(self) -> str:
        """The guest, if it is known who that is, and it reads."""
        who = self.side.guest
        return "" if who in self.hidden or who in self.side.frozen else who

    # --- The host and its agent ---

    def _open_again(self, _: Move) -> bool:
        if self.side.is_open():
            return False
        self.side = HostSide(self._moment(self.side.now))
        self._open(Sight("", "linked"))
        return True

    def _open(self, seen: Sight) -> None:
        self.side.in_session("reachable")
        self.in_play |= {float(spec().constants[name]) for name in ("LINK_SECONDS", "IDLE_SECONDS")}
        self.last = ""
        self._step("open", seen=seen, because=[LINKS])

    def _say(self, _: Move) -> bool:
        self._tick()
        self.side.in_session("say", {"fits": True, "has_room": True})
        text = self._text()
        if any(word.name == "fail" for word in self.side.words):
            seen = Sight("", "failed")
        elif who := self.guest():
            expects: Args = {"kind": "chat", "from": "host", "text": text, "seq": self.side.numbered}
            seen = Sight(who, "message", expects)
        else:
            seen = Sight("", "said")
        self.last = text if seen.expect != "failed" else self.last
        self._step("say", {"text": text}, seen)
        return True

    def _asks(self, move: Move) -> bool:
        self._tick()
        self._step(move.do)
        return True

    def _hear(self, _: Move) -> bool:
        if not self.last:
            return False
        self._tick()
        self._step("look", seen=Sight("", "heard", {"text": self.last}), because=[NUMBERS])
        return True

    def _close(self, move: Move) -> bool:
        if not self.side.is_open():
            return False
        self._tick()
        guest, others = self.guest(), self._others()
        has_summary = move.how != "plain"
        self.side.in_session("close", {"has_summary": has_summary})
        text = self._notice("summary").format(summary=SUMMARY) if has_summary else ""
        self._ends(
            "close", self._end(guest, others, text, "closed_by_host"), {"summary": SUMMARY} if has_summary else {}
        )
        return True

    def _ends(self, verb: str, sights: list[Sight], args: Args, because: Sequence[Carrier] = ()) -> None:
        """Write down a step with which the session ends; where there is nobody to see it, somebody connects."""
        self._sees(verb, sights, args, because)
        if not sights:
            self.probe()

    def _end(self, guest: str, others: list[str], text: str, closing: str) -> list[Sight]:
        """What is seen of the end of a session."""
        how = next(one for one in spec().refusals.closings if one.id == closing)
        sights: list[Sight] = []
        if guest and text:
            sights.append(Sight(guest, "message", {"kind": "system", "text": text, "last": True}))
        if guest:
            sights.append(Sight(guest, "hung_up", {"code": how.code, "reason": how.reason}, GONE))
        if others:
            sights.append(Sight(listed(others), "gone"))
        return sights

    def _others(self) -> list[str]:
        """Whoever has a connection and is not the guest that is looked at; of a race, all that took part."""
        guest = self.guest()
        there = [who for who in self.side.connections if who != guest]
        return list(dict.fromkeys([*there, *(sorted(self.hidden) if self.hidden & set(there) else [])]))

    # --- Peers that come ---

    def _connect(self, move: Move) -> bool:
        if move.who in self.known:
            return False
        self._tick()
        self.known.append(move.who)
        if self.side.is_open():
            self._arrives(move.who)
            self._step("connect", seen=Sight(move.who, "challenged"))
        else:
            self._step("connect", seen=Sight(move.who, "gone"), because=self.side.ending)
        return True

    def _join(self, move: Move) -> bool:
        if move.who in self.known or (move.how == "replayed" and not self.first):
            return False
        if not self.side.is_open():
            return self._connect(move)
        self._tick()
        self.known.append(move.who)
        self._arrives(move.who)
        self._answers("join", move)
        return True

    def _dial(self, move: Move) -> bool:
        if move.who in self.known or not self.side.is_open():
            return False
        self._tick()
        self.known.append(move.who)
        self.plain.add(move.who)
        self.side.accept(move.who)
        self.in_play.add(float(spec().constants["AUTH_SECONDS"]))
        self._step("dial", by=move.who)
        return True

    def _race(self, move: Move) -> bool:
        names = move.who.split(", ")
        if set(names) & set(self.known) or not self.side.is_open():
            return False
        self._tick()
        self.known += names
        for who in names:
            self._arrives(who)
        self._step("connect", seen=Sight(move.who, "challenged"))
        self._tick()
        for who in names:
            self.side.on_connection(who, "auth", asked=PROOFS["right"])
        denied = [word.about for word in self.side.words if word.name == "deny"]
        is_won = len(denied) < len(names)
        self.hidden |= set(names) if is_won else set()
        seen = Sight(move.who, "one_admitted" if is_won else "refused", {"reason": self._refusal(denied[0])})
        self._step("auth", seen=seen)
        return True

    def _arrives(self, who: str) -> None:
        self.first = self.first or who
        self.in_play.add(float(spec().constants["AUTH_SECONDS"]))
        self.side.accept(who)
        self.side.on_connection(who, "upgraded")

    # --- Peers that are there ---

    def _auth(self, move: Move) -> bool:
        if not self._reads(move.who) or (move.how == "replayed" and move.who == self.first):
            return False
        self._tick()
        self._answers("auth", move)
        return True

    def _answers(self, verb: str, move: Move) -> None:
        self.side.on_connection(move.who, "auth", asked=PROOFS[move.how])
        denied = next((word.about for word in self.side.words if word.name == "deny"), "")
        if denied:
            seen = Sight(move.who, "refused", {"reason": self._refusal(denied)})
        else:
            self.in_play.add(float(spec().constants["SILENCE_SECONDS"]))
            seen = Sight(move.who, "admitted", {"seq": self.side.numbered})
        self._step(verb, {} if move.how == "right" else {"proof": move.how}, seen)

    def _chat(self, move: Move) -> bool:
        if not self._reads(move.who):
            return False
        self._tick()
        text = self._text()
        if move.how == "system":
            self.side.on_connection(move.who, "other")
        else:
            self.side.on_connection(move.who, "send", asked={"has_room": True})
        is_numbered = any(word.name == "msg" for word in self.side.words)
        self.last = text if is_numbered else self.last
        bare: Args = {"bare": True} if move.how == "unknown" else {}
        seen = Sight(move.who, "echoed", bare) if is_numbered else Sight(move.who, "nothing")
        self._step("chat", {"text": text, **CHATS[move.how]}, seen, because=[RELAYS] if is_numbered else [])
        return True

    def _noise(self, move: Move) -> bool:
        return self._is_free(move, "raw", {"text": move.how}, "other", {})

    def _ping(self, move: Move) -> bool:
        return self._is_free(move, "ping", {"times": 3}, "control", {"flooding": False})

    def _is_free(self, move: Move, verb: str, args: Args, event: str, facts: dict[str, bool]) -> bool:
        if not self._reads(move.who):
            return False
        self._tick()
        self.side.on_connection(move.who, event, facts)
        self._step(verb, args, Sight(move.who, "nothing"))
        return True

    def _bad(self, move: Move) -> bool:
        if not self._reads(move.who):
            return False
        self._tick()
        event, code = BAD[move.how]
        args: Args = {"hex": "ff"} if event == "not_text" else {"bytes": BOUNDS[move.who == self.side.guest]}
        self.side.on_connection(move.who, event)
        self._step("raw", args, Sight(move.who, "hung_up", {"code": code}))
        return True

    def _goes(self, move: Move) -> bool:
        if not self._reads(move.who):
            return False
        self._tick()
        is_guest = move.who == self.side.guest
        self.side.on_connection(move.who, "lost")
        # The host must have noticed before anything else is asked of it.
        self._step(move.do, seen=Sight(move.who, "parted") if is_guest else UNSEEN, by=move.who)
        return True

    def _freeze(self, move: Move) -> bool:
        if move.who != self.guest() or not move.who:
            return False
        self._tick()
        self.side.frozen.add(move.who)
        self._step("freeze", by=move.who)
        return True

    def _count(self, move: Move) -> bool:
        if move.who != self.guest() or not move.who:
            return False
        self._tick()
        self._step("look", seen=Sight(move.who, "numbered", {"upto": self.side.numbered}), because=[NUMBERS])
        return True

    def _reads(self, who: str) -> bool:
        """Whether something can be done at this connection, and looked at."""
        return who == (self.guest() or None) or (who in self.challenged() and who not in self.hidden)

    # --- Time ---

    def _wait(self, move: Move) -> bool:
        guest, others, pending = self.guest(), self._others(), self.challenged()
        because = [*self.side.session.timers()]
        if self.side.guest:
            because += [one for one in self.side.connections[self.side.guest].timers() if "ping" not in one.name]
        was_open = self.side.is_open()
        self._tick(move.seconds)
        if was_open and not self.side.is_open():
            self._ends(
                "wait", self._end(guest, others, self._notice("idle"), "idle"), {"seconds": move.seconds}, because
            )
        else:
            sights = [*self._alive(guest, pending), *self._lost(others)]
            self._sees("wait", sights, {"seconds": move.seconds}, because)
        return True

    def _alive(self, guest: str, pending: list[str]) -> list[Sight]:
        there = [who for who in (guest, *pending) if who in self.side.connections and who not in self.hidden]
        return [Sight(listed(there), "nothing")] if there else []

    def _lost(self, others: list[str]) -> list[Sight]:
        told = {word.to: word.about for word in self.side.words if word.name == "hang_up_told"}
        late = [who for who in others if told.get(who) == "auth_timeout" and who not in self.plain]
        cut = [who for who in others if who in told and who in self.plain]
        silent = [who for who in others if told.get(who) == "silent"]
        sights = [Sight(listed(late), "hung_up", {"code": 1008})] if late else []
        sights += [Sight(listed(cut), "gone")] if cut else []
        # Whoever is frozen sees nothing: first the host's agent is asked.
        return sights + [Sight(who, expect) for who in silent for expect in ("parted", "gone")]

    # --- Helpers ---

    def _tick(self, seconds: int = 0) -> None:
        """Go to the moment of the next step."""
        self.side.words = []
        self.side.advance(self._moment(self.side.now, seconds))
        is_near = not self._moments and self.side.is_near(self.side.now)
        if is_near if seconds else self.side.words:
            raise UnsureError

    def _taken(self) -> tuple[Carrier, ...]:
        taken, self.side.taken = tuple(self.side.taken), []
        return taken

    def _text(self) -> str:
        self._said += 1
        return f"word {self._said}"

    def _notice(self, id: str) -> str:
        return next(notice.text for notice in spec().refusals.notices if notice.id == id)

    def _refusal(self, id: str) -> str:
        return next(refusal.text for refusal in spec().refusals.refusals if refusal.id == id)
