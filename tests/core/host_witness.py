"""A host beside what its tables say: every input goes to both, and every difference is an error."""

import json
from collections import deque
from math import inf
from typing import NamedTuple

from tests.conversation import Dice
from tests.core.witness import GOAL, NOTHING, TOO_LONG, Facts, Life, Load, Scales, alike, plain, welcome
from tunnel import crypto
from tunnel.core import effects
from tunnel.core.connection import Connection
from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.spec.v1 import connection, frames, session
from tunnel.spec.v1.constants import CONTROL_FRAMES, GUEST_FRAME_BYTES, PING_SECONDS, STRANGER_CONNECTIONS
from tunnel.spec.v1.refusals import CAUSES, NOTICES, REFUSALS, Cause, Notice, Refusal


class Hand(NamedTuple):
    """What an input of the host is about."""

    asking: ConnectionId = 0
    sender: str = "host"
    name: str = ""
    since: int = 0
    said: str = ""
    ticket: int | None = None
    summary: str = ""


class HostWitness:
    """What the tables of the session and of its connections say together.

    What a row does in one machine is an event of another: `judge` asks the session, `refuse` answers the connection.
    """

    def __init__(self, now: int, name: str) -> None:
        self.name = name
        self.session = Life(session.MACHINE, now)
        self.connections: dict[ConnectionId, Life] = {}
        self.guest: ConnectionId | None = None
        self.guest_name = ""
        self.numbered: list[str] = []
        self.out: list[str] = []
        self._here: dict[ConnectionId, Life] = {}
        self.cause: str | None = None

    @property
    def here(self) -> list[ConnectionId]:
        """The connections whose sockets are not lost."""
        return list(self._here)

    @property
    def next_deadline(self) -> int | None:
        return min((life.due[0] for life in self._lives() if life.due), default=None)

    def accept(self, number: ConnectionId, now: int) -> None:
        self.expire(now)
        self.connections[number] = self._here[number] = Life(connection.MACHINE, now)
        if self.cause:
            self._on_connection(number, "end", now, told=self._closing(self.cause))
        strangers = [n for n, life in self._here.items() if life.state in ("opening", "challenged")]
        if len(strangers) > STRANGER_CONNECTIONS:
            self._on_connection(strangers[0], "evict", now)

    def on_connection(self, number: ConnectionId, event: str, now: int, facts: Facts, asks: Facts, hand: Hand) -> None:
        """An input of a connection.

        Args:
            number: which.
            event: what happens to it.
            now: ticks.
            facts: those of the event.
            asks: those of the event of the session that may follow from it.
            hand: what it is about.
        """
        self.expire(now)
        self._on_connection(number, event, now, facts, asks, hand._replace(asking=number))
        if self.connections[number].state == connection.State.GONE.value:
            self._here.pop(number, None)

    def in_session(self, event: str, now: int, facts: Facts, hand: Hand) -> None:
        """An input of the session."""
        self.expire(now)
        self._in_session(event, now, facts, hand)

    def expire(self, now: int) -> None:
        """What is due happens, in the order of the deadlines; in one moment the session is before its connections."""
        while (deadline := self.next_deadline) is not None and deadline <= now:
            if self.session.due and self.session.due[0] == deadline:
                self._in_session(self.session.due[1], deadline, NOTHING, Hand())
                continue
            number, due = next((n, c.due) for n, c in self._here.items() if c.due and c.due[0] == deadline)
            self._on_connection(number, due[1], deadline)

    def _lives(self) -> list[Life]:
        return [self.session, *self._here.values()]

    def _on_connection(
        self,
        number: ConnectionId,
        event: str,
        now: int,
        facts: Facts = NOTHING,
        asks: Facts = NOTHING,
        hand: Hand = Hand(),  # noqa: B008 - a tuple
        told: str = "",
    ) -> None:
        for action in self.connections[number].take(event, facts, now):
            match action:
                case ["challenge"]:
                    self.out.append(f"{number} challenge")
                case ["judge"]:
                    self._in_session("auth", now, asks, hand)
                case ["relay"]:
                    self._in_session("send", now, asks, hand)
                case ["welcome"]:
                    self.guest = number
                    behind = range(min(hand.since, len(self.numbered)) + 1, len(self.numbered) + 1)
                    self.out.append(f"{number} {welcome(GOAL, self.name, list(behind))}")
                case ["deny"]:
                    self.out.append(f"{number} auth_fail {told}")
                case ["hang_up", closing]:
                    self.out.append(f"{number} hang_up {closing}")
                case ["hang_up_told"]:
                    self.out.append(f"{number} hang_up {told}")
                case ["leave"]:
                    self.guest = None
                    self._in_session("left", now, NOTHING, Hand())
                    self.out.append("peer_left")
                case ["ping"]:
                    self.out.append(f"{number} ping")
                case _:
                    raise AssertionError(f"nobody has said what {action} of a connection leaves behind")

    def _in_session(self, event: str, now: int, facts: Facts, hand: Hand) -> None:
        for action in self.session.take(event, facts, now):
            match action:
                case ["hand_out_link"]:
                    self.out.append("hand_out_link")
                case ["refuse", refusal]:
                    self._on_connection(hand.asking, "refuse", now, told=REFUSALS[Refusal(refusal)].text)
                case ["admit"]:
                    self.guest_name = hand.name
                    self._on_connection(hand.asking, "admit", now, hand=hand)
                case ["number", notice]:
                    text = NOTICES[Notice(notice)].text
                    self._number(
                        f"host system {text.format(goal=GOAL, name=self.guest_name, summary=hand.summary)}",
                    )
                case ["number_chat"]:
                    self._number(f"{hand.sender} chat {hand.said}")
                    if hand.ticket is not None:
                        self.out.append(f"said {hand.ticket}: {len(self.numbered)}")
                case ["drop", closing]:
                    self._on_connection(hand.asking, "drop", now, told=closing)
                case ["fail", failure]:
                    self.out.append(f"not_said {hand.ticket}: {failure}")
                case ["end", cause]:
                    self._end(cause, now)
                case _:
                    raise AssertionError(f"nobody has said what {action} of a session leaves behind")

    def _number(self, what: str) -> None:
        self.numbered.append(what)
        if self.guest is not None:
            self.out.append(f"{self.guest} msg {len(self.numbered)} {what}")
        self.out.append("arrived")

    def _end(self, cause: str, now: int) -> None:
        self.cause = cause
        self.guest = None
        for number in self.here:
            self._on_connection(number, "end", now, told=self._closing(cause))
        self.out.append(f"ended {cause}")

    def _closing(self, cause: str) -> str:
        return CAUSES[Cause(cause)].closings[0]


class WitnessedHost:
    """A host and its witness.

    Args:
        now: when the relay starts.
        dice: chance.
        key: the key of its link.
        kind: a host, or one that is broken on purpose.
    """

    def __init__(self, now: Instant, dice: Dice, key: bytes, kind: type[Host] = Host) -> None:
        self.key = key
        self.core = kind(key=key, goal=GOAL, name="Alice", entropy=dice, now=now)
        self.witness = HostWitness(now.ticks, "Alice")
        self.scales = Scales(self.core.transcript)
        self.challenges: dict[ConnectionId, str] = {}
        """What each connection was asked."""
        self.compares = True
        """Whether a difference is an error; without it only the facts are kept."""
        self._controls: dict[ConnectionId, deque[int]] = {}
        self._same([], now)

    @property
    def state(self) -> session.State:
        return self.core.state

    # --- From the transport and the host's agent ---

    def reachable(self, now: Instant) -> list[Effect]:
        return self._session("reachable", self.core.reachable(now), now)

    def unreachable(self, now: Instant) -> list[Effect]:
        return self._session("unreachable", self.core.unreachable(now), now)

    def say(self, ticket: int, text: str, now: Instant) -> list[Effect]:
        facts = {"fits": text is not TOO_LONG, "has_room": self.scales.load is Load.LIGHT}
        return self._session("say", self.core.say(ticket, text, now), now, facts, Hand(said=text, ticket=ticket))

    def close(self, summary: str, now: Instant) -> list[Effect]:
        facts = {"has_summary": summary != ""}
        return self._session("close", self.core.close(summary, now), now, facts, Hand(summary=summary))

    def exit(self, now: Instant) -> list[Effect]:
        return self._session("exit", self.core.exit(now), now, hand=Hand(summary="process exit"))

    # --- From connections ---

    def accept(self, now: Instant) -> tuple[ConnectionId, list[Effect]]:
        number, out = self.core.accept(now)
        assert number not in self.witness.connections
        self.witness.accept(number, now.ticks)
        return number, self._same(out, now)

    def upgraded(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "upgraded", self.core.upgraded(number, now), now)

    def auth(
        self, number: ConnectionId, key: bytes, now: Instant, name: object = "Eve", since: int = 0, text: str = ""
    ) -> list[Effect]:
        """Somebody who has this key answers the challenge.

        Args:
            number: the connection.
            key: proves, when it is the link's.
            now: the moment.
            name: anything but a text makes it malformed.
            since: the number behind which the backlog begins.
            text: the whole frame, when somebody else has written it.
        """
        text = text or self.auth_text(number, key, name, since)
        well_formed = isinstance(name, str)
        asks = {"well_formed": well_formed, "proof_ok": well_formed and key == self.key}
        out = self.core.receive(number, text, now)
        return self._connection(number, "auth", out, now, asks=asks, hand=Hand(name=str(name), since=since))

    def auth_text(self, number: ConnectionId, key: bytes, name: object = "Eve", since: int = 0) -> str:
        """The frame with which somebody who has this key answers the challenge of this connection."""
        response = crypto.prove(key, self.challenges.get(number, "never asked"))
        return json.dumps({"t": "auth", "response": response, "name": name, "sinceSeq": since})

    def chat(self, number: ConnectionId, id: str, body: str, now: Instant) -> list[Effect]:
        """A well-formed `send`."""
        text = json.dumps({"t": "send", "msg": {"id": id, "kind": "chat", "body": body}})
        asks = {"has_room": self.scales.load is Load.LIGHT}
        hand = Hand(sender="guest", said=f"{id} {body}")
        return self._connection(number, "send", self.core.receive(number, text, now), now, asks=asks, hand=hand)

    def other(self, number: ConnectionId, text: str, now: Instant) -> list[Effect]:
        """A text that is no frame, or nothing at all for a binary message."""
        out = self.core.receive(number, text, now) if text else self.core.noise(number, now)
        return self._connection(number, "other", out, now)

    def heard(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "heard", self.core.heard(number, now), now)

    def control(self, number: ConnectionId, now: Instant) -> list[Effect]:
        """A WebSocket ping or pong."""
        flooding = self._floods(number, now)
        self._controls[number].append(now.ticks)
        return self._connection(number, "control", self.core.control(number, now), now, {"flooding": flooding})

    def flood(self, number: ConnectionId, now: Instant) -> list[Effect]:
        """One ping more than is allowed. The witness need not see those before: nothing comes of them."""
        out = self.expire(now)
        while not self._floods(number, now):
            assert self.core.control(number, now) == []
            self._controls[number].append(now.ticks)
        return [*out, *self.control(number, now)]

    def _floods(self, number: ConnectionId, now: Instant) -> bool:
        last = self._controls.setdefault(number, deque(maxlen=CONTROL_FRAMES))
        return len(last) == CONTROL_FRAMES and now.ticks - last[0] < PING_SECONDS * TICKS_PER_SECOND

    def oversize(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "oversize", self.core.oversize(number, now), now)

    def not_text(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "not_text", self.core.not_text(number, now), now)

    def overflow(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "overflow", self.core.overflow(number, now), now)

    def lost(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self._connection(number, "lost", self.core.lost(number, now), now)

    def drained(self, number: ConnectionId, now: Instant) -> list[Effect]:
        """All that is said here is short, so no guest is ever behind: nothing goes on."""
        return self._timed(self.core.drained(number, now), now)

    # --- Time ---

    def expire(self, now: Instant) -> list[Effect]:
        return self._timed(self.core.expire(now), now)

    def next_deadline(self) -> int | None:
        return self.core.next_deadline()

    def _timed(self, out: list[Effect], now: Instant) -> list[Effect]:
        self.witness.expire(now.ticks)
        return self._same(out, now)

    def _session(
        self,
        event: str,
        out: list[Effect],
        now: Instant,
        facts: Facts = NOTHING,
        hand: Hand = Hand(),  # noqa: B008 - a tuple
    ) -> list[Effect]:
        self.witness.in_session(event, now.ticks, facts, hand)
        return self._same(out, now)

    def _connection(
        self,
        number: ConnectionId,
        event: str,
        out: list[Effect],
        now: Instant,
        facts: Facts = NOTHING,
        asks: Facts = NOTHING,
        hand: Hand = Hand(),  # noqa: B008 - a tuple
    ) -> list[Effect]:
        self.witness.on_connection(number, event, now.ticks, facts, asks, hand)
        return self._same(out, now)

    def _same(self, out: list[Effect], now: Instant) -> list[Effect]:
        """Both did the same, and are in the same place."""
        meant, self.witness.out = self.witness.out, []
        if self.compares:
            assert [plain(effect, self.key) for effect in out] == meant
            self._same_place(now)
        for effect in out:
            if isinstance(effect, effects.Send) and isinstance(effect.frame, frames.Challenge):
                assert effect.frame.nonce not in self.challenges.values()
                self.challenges[effect.to] = effect.frame.nonce
        return out

    def _same_place(self, now: Instant) -> None:
        alike(self.core._session, self.witness.session)
        assert self.core.state.value == self.witness.session.state
        assert (self.core.cause and self.core.cause.value) == self.witness.cause
        known: dict[ConnectionId, Connection] = self.core._connections
        assert list(known) == self.witness.here
        for number, on in known.items():
            alike(on.machine, self.witness.connections[number])
        deadlines = self.witness.session.deadlines
        assert self.core.link_expires_at() == deadlines.get("link")
        assert self.core.idle_ends_at() == deadlines.get("idle")
        assert self.core.next_deadline() == self.witness.next_deadline
        assert (self.core.guest, self.core.guest_name) == (self.witness.guest, self.witness.guest_name)
        assert not self.core.is_behind
        for number in known:
            larger = self.core.largest_frame(number) == GUEST_FRAME_BYTES
            assert larger == (number == self.witness.guest)
        assert self.core.transcript.last == len(self.witness.numbered)
        deadline = self.core.next_deadline()
        assert deadline is None or deadline > now.ticks
        # Whoever looks no earlier than that misses nothing.
        assert self.core.quiet_until() <= (inf if deadline is None else deadline)
