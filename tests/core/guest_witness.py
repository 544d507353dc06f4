"""A guest beside what its table says: every input goes to both, and every difference is an error."""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple, assert_never

from tests.conversation import Dice
from tests.core.witness import NOTHING, TOO_LONG, Facts, Life, Load, Scales, alike, plain
from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.effects import Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import Instant
from tunnel.core.link import JoinLink
from tunnel.spec.v1 import frames, guest
from tunnel.spec.v1.refusals import CAUSES, CLOSINGS, NOTICES, Closing, Notice


class Pending(NamedTuple):
    """What was said and has no number yet."""

    ticket: int
    body: str


class About(NamedTuple):
    """What an input of the guest is about."""

    nonce: str = ""
    backlog: tuple[frames.Message, ...] = ()
    message: frames.Message | None = None
    welcome: tuple[str, str] = ("", "")
    """The goal and the host's name."""
    said: str = ""
    ticket: int | None = None
    reason: str = ""


class GuestWitness:
    """What the table of the guest says."""

    def __init__(self, now: int, key: bytes, name: str) -> None:
        self.life = Life(guest.MACHINE, now)
        self.key = key
        self.name = name
        self.taken: list[frames.Message] = []
        self.concealed: list[int] = []
        """The numbers of those that are not shown."""
        self.pending: dict[str, Pending] = {}
        self.welcome = ("", "")
        self.cause: str | None = None
        self.refused_because = ""
        self.out: list[str] = []

    def input(self, event: str, now: int, facts: Facts, about: About) -> None:
        self.expire(now)
        self._take(event, now, facts, about)

    def expire(self, now: int) -> None:
        while (due := self.life.due) and due[0] <= now:
            self._take(due[1], due[0], NOTHING, About())

    def told(self, closing: Closing | None) -> Facts:
        """What the host has told about its end: in the close frame, or else in its last system message."""
        last = self.taken[-1] if self.taken else None
        body = last.body if last and last.kind == "system" else ""
        fact = _TOLD.get(closing) if closing else None
        if fact is None and body == NOTICES[Notice.IDLE].text:
            fact = "told_idle"
        elif fact is None and body.startswith("closed \u2014 "):
            fact = "told_exit" if body == "closed \u2014 process exit" else "told_closed"
        return {told: told == fact for told in TOLD}

    def facts_of(self, message: frames.Message) -> Facts:
        """What the table asks about a message, apart from the room for it."""
        pending = self.pending.get(message.id)
        ours = message.sender == "guest"
        return {
            "stale": message.seq <= len(self.taken),
            "in_order": message.seq == len(self.taken) + 1,
            "claims_ours": ours,
            "echo": ours and message.kind == "chat" and pending is not None and pending.body == message.body,
        }

    def _take(self, event: str, now: int, facts: Facts, about: About) -> None:
        for action in self.life.take(event, facts, now):
            match action:
                case ["answer"]:
                    self.out.append(f"0 auth {self.name} {crypto.prove(self.key, about.nonce)}")
                case ["enter"]:
                    self.taken += about.backlog
                    self.concealed += [message.seq for message in about.backlog if message.sender == "guest"]
                    self.welcome = about.welcome
                    self.out.append("joined")
                case ["take"]:
                    self.taken.append(_given(about.message))
                    self.out.append("arrived")
                case ["confirm"]:
                    message = _given(about.message)
                    self.out.append(f"said {self.pending.pop(message.id).ticket}: {message.seq}")
                case ["conceal"]:
                    self.taken.append(_given(about.message))
                    self.concealed.append(len(self.taken))
                case ["send"] | ["send_summary"]:
                    self.out.append(f"0 send {about.said}")
                case ["fail", failure]:
                    self.out.append(f"not_said {about.ticket}: {failure}")
                case ["hang_up", closing]:
                    self.out.append(f"0 hang_up {closing}")
                case ["ping"]:
                    self.out.append("0 ping")
                case ["end", cause]:
                    self.cause, self.refused_because = cause, about.reason
                    self.out += [f"not_said {said.ticket}: unconfirmed" for said in self.pending.values()]
                    self.pending.clear()
                    self.out.append(f"ended {cause}")
                case _:
                    raise AssertionError(f"nobody has said what {action} of a guest leaves behind")


def _given(message: frames.Message | None) -> frames.Message:
    assert message is not None
    return message


def _same_cause(closing: Closing) -> list[Closing]:
    """The close frames from which a guest learns the same as from this one."""
    told = next(row.closings for row in CAUSES.values() if closing.value in row.closings)
    return [Closing(one) for one in told]


TOLD: Mapping[str, Closing] = {
    "told_closed": Closing.CLOSED_BY_HOST,
    "told_idle": Closing.IDLE,
    "told_exit": Closing.PROCESS_EXIT,
    "told_transport": Closing.TRANSPORT_LOST,
    "told_dropped": Closing.SILENT,
}
"""The facts about a lost connection, each with a close frame from which it follows."""

_TOLD: Mapping[Closing, str] = {closing: fact for fact, first in TOLD.items() for closing in _same_cause(first)}


class WitnessedGuest:
    """A guest and its witness.

    Args:
        link: the checked join link.
        name: the guest's.
        dice: chance.
        now: when it dials.
        kind: a guest, or one that is broken on purpose.
    """

    def __init__(self, link: JoinLink, name: str, dice: Dice, now: Instant, kind: type[Guest] = Guest) -> None:
        self.key = link.key
        self.core = kind(link=link, name=name, entropy=dice, now=now)
        self.witness = GuestWitness(now.ticks, link.key, name)
        self.compares = True
        """Whether a difference from the tables is an error."""
        self.scales = Scales(self.core.transcript)
        self._same([], now)

    @property
    def state(self) -> guest.State:
        return self.core.state

    # --- From the dialer ---

    def connected(self, now: Instant) -> list[Effect]:
        return self._input("connected", self.core.connected(now), now)

    def unreachable(self, now: Instant) -> list[Effect]:
        return self._input("unreachable", self.core.unreachable(now), now)

    def receive(self, frame: frames.HostFrame, now: Instant) -> list[Effect]:
        """A frame comes in, as text."""
        out = self.core.receive(codec.encode(frame).decode(), now)
        self.witness.expire(now.ticks)
        over = {"overfull": self.scales.load is Load.OVERFULL}
        match frame:
            case frames.Challenge(nonce=nonce):
                return self._input("challenge", out, now, about=About(nonce=nonce))
            case frames.AuthOk(goal=goal, peer_name=name, backlog=backlog):
                in_order = [message.seq for message in backlog] == [*range(1, len(backlog) + 1)]
                about = About(welcome=(goal, name), backlog=backlog)
                return self._input("auth_ok", out, now, {"in_order": in_order, **over}, about)
            case frames.AuthFail(reason=reason):
                return self._input("auth_fail", out, now, about=About(reason=reason))
            case frames.Msg(msg=message):
                facts = {**self.witness.facts_of(message), **over}
                return self._input("msg", out, now, facts, About(message=message))
            case _:
                assert_never(frame)

    def malformed(self, text: str, now: Instant) -> list[Effect]:
        """A `challenge`, `auth_ok` or `auth_fail` with a missing or wrong field."""
        return self._input("malformed", self.core.receive(text, now), now)

    def other(self, text: str, now: Instant) -> list[Effect]:
        """A text that is no frame, or nothing at all for a binary message."""
        return self._input("other", self.core.receive(text, now) if text else self.core.noise(now), now)

    def heard(self, now: Instant) -> list[Effect]:
        return self._input("heard", self.core.heard(now), now)

    def oversize(self, now: Instant) -> list[Effect]:
        return self._input("oversize", self.core.oversize(now), now)

    def not_text(self, now: Instant) -> list[Effect]:
        return self._input("not_text", self.core.not_text(now), now)

    def overflow(self, now: Instant) -> list[Effect]:
        return self._input("overflow", self.core.overflow(now), now)

    def lost(self, closing: Closing | None, now: Instant) -> list[Effect]:
        """The socket is closed, with this in the close frame, or without one."""
        out = self.core.lost(CLOSINGS[closing].reason if closing else "", now)
        self.witness.expire(now.ticks)
        return self._input("lost", out, now, self.witness.told(closing))

    # --- From the guest's agent ---

    def say(self, ticket: int, text: str, now: Instant) -> list[Effect]:
        facts = {"fits": text is not TOO_LONG, "has_room": self.scales.load is Load.LIGHT}
        out = self._input("say", self.core.say(ticket, text, now), now, facts, About(said=text, ticket=ticket))
        for effect in out:
            if isinstance(effect, effects.Send) and isinstance(effect.frame, frames.Send):
                self.witness.pending[effect.frame.msg.id] = Pending(ticket, effect.frame.msg.body)
        return out

    def close(self, summary: str, now: Instant) -> list[Effect]:
        facts = {"has_summary": summary != ""}
        return self._input("close", self.core.close(summary, now), now, facts, About(said=summary))

    def exit(self, now: Instant) -> list[Effect]:
        return self._input("exit", self.core.exit(now), now)

    # --- Time ---

    def expire(self, now: Instant) -> list[Effect]:
        out = self.core.expire(now)
        self.witness.expire(now.ticks)
        return self._same(out, now)

    def next_deadline(self) -> int | None:
        return self.core.next_deadline()

    def _input(
        self,
        event: str,
        out: list[Effect],
        now: Instant,
        facts: Facts = NOTHING,
        about: About = About(),  # noqa: B008 - a tuple
    ) -> list[Effect]:
        self.witness.input(event, now.ticks, facts, about)
        return self._same(out, now)

    def _same(self, out: list[Effect], now: Instant) -> list[Effect]:
        """Both did the same, and are in the same place."""
        meant, self.witness.out = self.witness.out, []
        if self.compares:
            self._same_place(out, meant, now)
        return out

    def _same_place(self, out: list[Effect], meant: list[str], now: Instant) -> None:
        assert [plain(effect, self.key) for effect in out] == meant
        alike(self.core._machine, self.witness.life)
        assert self.core.state.value == self.witness.life.state
        assert (self.core.cause and self.core.cause.value) == self.witness.cause
        assert (self.core.goal, self.core.host_name) == self.witness.welcome
        assert self.core.refused_because == self.witness.refused_because
        due = self.witness.life.due
        assert self.core.next_deadline() == (due and due[0])
        assert due is None or due[0] > now.ticks
        assert self.core.quiet_until() == (due[0] if due else inf)
        transcript = self.core.transcript
        assert list(transcript.after(0)) == self.witness.taken
        assert [m.seq for m in self.witness.taken if not transcript.is_shown(m)] == self.witness.concealed
