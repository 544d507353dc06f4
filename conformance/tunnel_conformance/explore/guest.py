"""Walks beside a guest under test: what the kit's host does to it, and what its table says must be seen then."""

from collections.abc import Mapping, Sequence
from typing import Final

from tunnel.spec.model import Role
from tunnel_conformance.explore import guest_offers
from tunnel_conformance.explore.lives import MARGINS, TICKS, Carrier, Life
from tunnel_conformance.explore.moves import Move
from tunnel_conformance.explore.walk import UNSEEN, Args, Offers, Sight, UnsureError, Walk
from tunnel_conformance.spec import spec

Facts = Mapping[str, bool]

MESSAGE: Final[Facts] = {"stale": False, "in_order": True, "overfull": False, "claims_ours": False, "echo": False}
TELLS: Final[Mapping[str, Facts]] = {
    "plain": MESSAGE,
    "system": MESSAGE,
    "forged": {**MESSAGE, "claims_ours": True},
    "stale": {**MESSAGE, "stale": True},
    "hole": {**MESSAGE, "in_order": False},
}
"""What a host can send as a message, and what that is to the table."""

TOLD: Final = {
    "closed_by_host": "told_closed",
    "idle": "told_idle",
    "process_exit": "told_exit",
    "transport_lost": "told_transport",
    "slow": "told_dropped",
}
"""What a host can say in its close frame, and which fact that is."""

SECOND: Final = '{"t":"auth_ok","goal":"second","peerName":"other","backlog":[]}'
REASON: Final = "bad key"
SUMMARY: Final = "all is said"
GONE: Final = ("gone",)
PROTOCOL_ERROR: Final = 1002
HEARS: Final = Carrier("what the guest takes", ("SEQ-4",))


class GuestWalk(Walk):
    """A conversation with a guest under test. It begins with a guest that has connected.

    Args:
        moments: when the effect of each step came about.
    """

    def __init__(self, moments: Sequence[int] = ()) -> None:
        super().__init__(Role.GUEST, moments)
        self.now = self._moment(0)
        self.is_frozen = False
        self.is_unconfirmed = False
        """Whether something that the guest has said was not echoed."""
        self.last = ""
        """What was told last."""
        self._seq = 0
        self._said = 0
        self._asked = ""
        """What its agent was asked to do last, of what can fail."""
        self._has_noticed = True
        """Whether its agent is known to know of the end: only then it can join again."""
        self._words: list[list[str]] = []
        self._carriers: list[Carrier] = []
        self.aims = guest_offers.AIMS
        self.verbs = {
            "accept": self._accept,
            "admit": self._admit,
            "bad": self._bad,
            "challenge": self._challenge,
            "close": self._close,
            "deny": self._deny,
            "echo": self._echo,
            "fall silent": self._fall_silent,
            "freeze": self._freeze,
            "hear": self._hear,
            "leave": self._leave,
            "let in": self._let_in,
            "listen": self._asks,
            "noise": self._noise,
            "ping": self._ping,
            "say": self._say,
            "status": self._asks,
            "tell": self._tell,
            "vanish": self._vanish,
            "wait": self._wait,
        }
        self.life = Life("guest", self.now)
        self._step("serve")
        self._connect()

    @property
    def state(self) -> str:
        """Where the guest is."""
        return self.life.state

    def offers(self, *, timed: bool) -> Offers:
        """What can be done next."""
        return guest_offers.offers(self, timed=timed)

    def probe(self) -> None:
        """Its agent listens: something that was never said it does not hear."""
        self._step("listen", seen=Sight("", "unheard", {"text": "never said"}), because=[HEARS])

    # --- Joining -----------------------------------------------------------------------------------------------------

    def _accept(self, _: Move) -> bool:
        if self.state != "ended" or not self._has_noticed:
            return False
        self._tick()
        self.life = Life("guest", self.now)
        self._connect()
        return True

    def _connect(self) -> None:
        self.is_frozen = self.is_unconfirmed = False
        self.last, self._seq, self._asked = "", 0, "join"
        self.in_play.add(float(spec().constants["JOIN_SECONDS"]))
        self._take("connected")
        self._step("accept", seen=Sight("", "dialled"))

    def _let_in(self, move: Move) -> bool:
        return self.state == "greeting" and self._challenge(move) and self._admit(Move("admit", how="plain"))

    def _fall_silent(self, move: Move) -> bool:
        return self._let_in(move) and self._freeze(move)

    def _challenge(self, _: Move) -> bool:
        return self._is_done("challenge", "challenge", Sight("", "authenticated", {"times": 1}))

    def _admit(self, move: Move) -> bool:
        if not self._reads():
            return False
        self._tick()
        was_joined, in_order = self.state == "joined", move.how == "plain"
        self._take("auth_ok", {"in_order": in_order, "overfull": False})
        args: Args = {"raw": SECOND} if was_joined else {} if in_order else {"backlog": 4, "hole": 3}
        if was_joined:
            sights = [Sight("", "nothing")]
        elif self.state == "joined":
            self.in_play.add(float(spec().constants["SILENCE_SECONDS"]))
            self._seq = 1
            sights = [Sight("", "joined")]
        else:
            sights = self._given_up()
        self._sees("admit", sights, args)
        return True

    def _deny(self, _: Move) -> bool:
        if not self._reads():
            return False
        self._tick()
        self._take("auth_fail")
        sights = [Sight("", "nothing")] if self.state == "joined" else self._given_up(REASON)
        self._sees("deny", sights, {"reason": REASON})
        return True

    def _given_up(self, because: str = "") -> list[Sight]:
        """What is seen of a join that has failed."""
        if self._asked != "join":
            self._has_noticed = False
            return [Sight("", "gone")]
        return [Sight("", "failed", {"because": because} if because else {})]

    # --- Messages ----------------------------------------------------------------------------------------------------

    def _tell(self, move: Move) -> bool:
        if not self._reads() or (self.state != "joined" and move.how != "plain"):
            return False
        self._tick()
        text, was_joined = self._text(), self.state == "joined"
        self._take("msg", TELLS[move.how])
        args: dict[str, str | int | bool] = {"text": text}
        if not was_joined or move.how == "stale":
            args["seq"] = 1
        elif move.how == "hole":
            args["seq"] = self._seq + 2
        else:
            self._seq += 1
        if move.how == "forged":
            args["from"] = "guest"
        if move.how == "system":
            args["kind"] = "system"
        self._sees("tell", self._told(move.how, text, was_joined=was_joined), args)
        return True

    def _told(self, how: str, text: str, *, was_joined: bool) -> list[Sight]:
        if not was_joined:
            return [Sight("", "nothing")]
        if self.state == "ended":
            cause = self._cause()
            return [Sight("", "ended", {"because": cause}), Sight("", "hung_up", {"code": PROTOCOL_ERROR})]
        if how in ("forged", "stale"):
            return [Sight("", "unheard", {"text": text})]
        self.last = text
        return [Sight("", "heard", {"text": text, "kind": "system" if how == "system" else "chat"})]

    def _say(self, _: Move) -> bool:
        if self.is_unconfirmed or self.is_frozen:
            return False
        self._tick()
        text = self._text()
        self._take("say", {"fits": True, "has_room": True})
        self._asked = "say"
        self.is_unconfirmed = ["send"] in self._words
        seen = Sight("", "chatted", {"text": text}) if self.is_unconfirmed else Sight("", "failed")
        self._step("say", {"text": text}, seen)
        return True

    def _echo(self, _: Move) -> bool:
        if not self.is_unconfirmed or not self._reads():
            return False
        self.is_unconfirmed = False
        self._seq += 1
        return self._is_done("echo", "msg", Sight("", "said"), facts={**MESSAGE, "echo": True, "claims_ours": True})

    def _hear(self, _: Move) -> bool:
        if not self.last:
            return False
        self._tick()
        self._step("look", seen=Sight("", "heard", {"text": self.last}), because=[HEARS])
        return True

    def _asks(self, move: Move) -> bool:
        self._tick()
        self._step(move.do)
        return True

    # --- What costs nothing, and what costs everything ----------------------------------------------------------------

    def _noise(self, move: Move) -> bool:
        return self._is_done("raw", "other", Sight("", "nothing"), {"text": move.how})

    def _ping(self, _: Move) -> bool:
        return self._is_done("ping", "heard", Sight("", "nothing"), {"times": 3})

    def _bad(self, _: Move) -> bool:
        if not self._reads():
            return False
        self._tick()
        was_joined = self.state == "joined"
        self._take("not_text")
        sights = [Sight("", "hung_up", {"code": 1007})]
        sights += [Sight("", "ended", {"because": self._cause()})] if was_joined else self._given_up()
        self._sees("raw", sights, {"hex": "ff"})
        return True

    def _leave(self, move: Move) -> bool:
        if move.how == "plain":
            return self._loses("leave", {}, "")
        how = next(one for one in spec().refusals.closings if one.id == move.how)
        return self._loses("leave", {"code": how.code, "reason": how.reason}, TOLD[move.how])

    def _vanish(self, _: Move) -> bool:
        return self._loses("vanish", {}, "")

    def _loses(self, verb: str, args: Args, told: str) -> bool:
        if not self._reads():
            return False
        self._tick()
        was_joined = self.state == "joined"
        self._take("lost", {fact: fact == told for fact in TOLD.values()})
        self._sees(verb, [Sight("", "ended", {"because": self._cause()})] if was_joined else self._given_up(), args)
        return True

    def _close(self, move: Move) -> bool:
        if not self._reads():
            return False
        self._tick()
        was_joined, has_summary = self.state == "joined", move.how != "plain"
        self._take("close", {"has_summary": has_summary})
        self._asked = "close"
        sights = [Sight("", "gone")]
        if was_joined and has_summary:
            sights = [Sight("", "chatted", {"text": SUMMARY}), Sight("", "gone")]
        elif was_joined:
            how = next(one for one in spec().refusals.closings if one.id == "left")
            sights = [Sight("", "hung_up", {"code": how.code, "reason": how.reason}, GONE)]
        self._sees("close", sights, {"summary": SUMMARY} if has_summary else {})
        return True

    def _freeze(self, _: Move) -> bool:
        if self.state != "joined" or not self._reads():
            return False
        self._tick()
        self.is_frozen = True
        self._step("freeze")
        return True

    # --- Time --------------------------------------------------------------------------------------------------------

    def _wait(self, move: Move) -> bool:
        if self.state == "ended":
            return False
        was_joined, because = self.state == "joined", [one for one in self.life.timers() if "ping" not in one.name]
        self._tick(move.seconds)
        if self.state != "ended":
            sights = [] if self.is_frozen else [Sight("", "nothing")]
        elif was_joined:
            sights = [Sight("", "ended", {"because": self._cause()}), Sight("", "gone")]
        else:
            sights = [*self._given_up(), Sight("", "hung_up", {"code": 1001}, GONE)]
        self._sees("wait", sights, {"seconds": move.seconds}, because)
        return True

    def _tick(self, seconds: int = 0) -> None:
        """Go to the moment of the next step."""
        before, self._words = self.state, []
        until, fired = self._moment(self.now, seconds), list[tuple[str, int]]()
        while (due := self.life.due) is not None and due[0] <= until:
            self.now = max(self.now, due[0])
            fired.append((due[1], due[0]))
            self._take(due[1])
        self.now = max(self.now, until)
        deadlines = [*fired, *self.life.deadlines.items()]
        is_near = any(abs(self.now - at) < MARGINS.get(name, 0) * TICKS for name, at in deadlines)
        if (is_near and not self._moments) if seconds else before != self.state:
            raise UnsureError

    # --- Helpers -----------------------------------------------------------------------------------------------------

    def _reads(self) -> bool:
        """Whether something can be done on its connection, and looked at."""
        return self.state != "ended" and not self.is_frozen

    def _is_done(
        self, verb: str, event: str, seen: Sight = UNSEEN, args: Args | None = None, facts: Facts | None = None
    ) -> bool:
        if not self._reads():
            return False
        self._tick()
        self._take(event, facts or {})
        self._step(verb, args, seen)
        return True

    def _take(self, event: str, facts: Facts | None = None) -> None:
        carrier, actions = self.life.take(event, facts or {}, self.now)
        self._words += actions
        self._carriers.append(carrier)
        # A host of the kit that reads answers every ping.
        if ["ping"] in actions and not self.is_frozen:
            self._take("heard")

    def _taken(self) -> tuple[Carrier, ...]:
        taken, self._carriers = tuple(self._carriers), []
        return taken

    def _cause(self) -> str:
        return next(words[1] for words in reversed(self._words) if words[0] == "end")

    def _text(self) -> str:
        self._said += 1
        return f"word {self._said}"
