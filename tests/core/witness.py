"""What witnesses have in common: a machine on the reference interpreter, and effects in plain words.

A witness walks beside a real host or guest. It is made of reference interpreters alone, is told the facts of an input by
whoever brings them about, writes down what must follow, and never asks the core.
"""

from collections.abc import Mapping
from enum import Enum
from typing import assert_never

from tunnel import crypto
from tunnel.core import effects
from tunnel.core.effects import Effect
from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.core.machine import Machine as CoreMachine
from tunnel.core.transcript import Transcript
from tunnel.errors import Unreadable
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Interpreter, Step
from tunnel.spec.v1 import connection, frames, guest, session
from tunnel.spec.v1.constants import (
    KEY_BYTES,
    SECONDS,
    SYSTEM_MESSAGES,
    TEXT_BYTES,
    TRANSCRIPT_BYTES,
)

MACHINES: Mapping[str, Machine] = {
    machine.machine: machine for machine in (session.MACHINE, connection.MACHINE, guest.MACHINE)
}
GOAL = "pair on checkout"
TOO_LONG = "x" * (TEXT_BYTES + 1)
WRONG_KEY = bytes(KEY_BYTES)

Facts = Mapping[str, bool]
NOTHING: Facts = {}


class Load(Enum):
    """What a transcript weighs beyond its messages, as if earlier ones had been long: filling it takes too long."""

    LIGHT = 0
    FULL = TRANSCRIPT_BYTES + 1
    """Nothing more can be said."""
    OVERFULL = TRANSCRIPT_BYTES + SYSTEM_MESSAGES * TEXT_BYTES
    """A host has sent all that a session may hold, its last system messages included."""


class Scales:
    """Says how heavy a transcript is."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.load = Load.LIGHT

    def put(self, load: Load) -> None:
        self._transcript._bytes += load.value - self.load.value
        self.load = load


# --- In plain words -----------------------------------------------------------------------------------------------------


def plain(effect: Effect, key: bytes) -> str:
    """An effect in plain words; what is sealed is opened, and what chance chose is left out."""
    match effect:
        case effects.Send(to=to, frame=frame):
            return f"{to} {_frame(frame, key)}"
        case effects.Ping(to=to):
            return f"{to} ping"
        case effects.HangUp(to=to, closing=closing):
            return f"{to} hang_up {closing.value}"
        case effects.HandOutLink():
            return "hand_out_link"
        case effects.Joined():
            return "joined"
        case effects.Arrived():
            return "arrived"
        case effects.PeerLeft():
            return "peer_left"
        case effects.Said(ticket=ticket, seq=seq):
            return f"said {ticket}: {seq}"
        case effects.NotSaid(ticket=ticket, failure=failure):
            return f"not_said {ticket}: {failure.value}"
        case effects.Ended(cause=cause):
            return f"ended {cause.value}"
        case _:
            assert_never(effect)


def _frame(frame: frames.HostFrame | frames.GuestFrame, key: bytes) -> str:
    match frame:
        case frames.Challenge():
            return "challenge"
        case frames.Auth(response=response, name=name):
            return f"auth {name} {response}"
        case frames.AuthOk(goal=goal, peer_name=name, backlog=backlog):
            return welcome(goal, name, [message.seq for message in backlog])
        case frames.AuthFail(reason=reason):
            return f"auth_fail {reason}"
        case frames.Send(msg=draft):
            return f"send {_opened(draft.body, key)}"
        case frames.Msg(msg=message):
            return f"msg {message.seq} {line(message, key)}"
        case _:
            assert_never(frame)


def welcome(goal: str, name: str, numbers: list[int]) -> str:
    return f"auth_ok {goal}, {name}: {numbers}"


def line(message: frames.Message, key: bytes) -> str:
    """A message without its number. The host passes on what the guest wrote to the last character (SEQ-2)."""
    if message.sender == "guest":
        return f"guest {message.kind} {message.id} {message.body}"
    return f"host {message.kind} {_opened(message.body, key) if message.kind == 'chat' else message.body}"


def _opened(body: str, key: bytes) -> str:
    try:
        return crypto.open_body(key, body)
    except Unreadable:
        return body


# --- One machine --------------------------------------------------------------------------------------------------------


class Life:
    """One machine of the tables, alive on the reference interpreter."""

    def __init__(self, machine: Machine, now: int) -> None:
        self.machine = machine
        self.steps: list[Step] = []
        self._interpreter = Interpreter(machine, SECONDS, TICKS_PER_SECOND)
        self.at = self._interpreter.start(now)
        self.deadlines: dict[str, int] = {}
        """When each timer that runs reaches its duration."""
        self.due: tuple[int, str] | None = None
        """Deadline and event of the timer that fires next."""
        self._look()

    @property
    def state(self) -> str:
        return self.at.state

    def overdue(self, now: int) -> list[Step]:
        """The steps that come before any input at this moment (TIME-1)."""
        return self._interpreter.expire(self.at, now)

    def take(self, event: str, facts: Facts, now: int) -> list[list[str]]:
        """Take a step; its actions, word by word."""
        step = self._interpreter.step(self.at, event, facts, now)
        self.steps.append(step)
        self.at = step.after
        self._look()
        return [action.split() for action in step.actions]

    def _look(self) -> None:
        running = [timer for timer in self.machine.timers if timer.name in self.at.since]
        self.deadlines = {t.name: self.at.since[t.name] + SECONDS[t.duration] * TICKS_PER_SECOND for t in running}
        firing = [(self.deadlines[timer.name], timer.fires) for timer in running if timer.fires]
        self.due = min(firing, key=lambda pair: pair[0], default=None)


def alike(core: CoreMachine[session.State, session.Event, session.Action] | CoreMachine[connection.State, connection.Event, connection.Action] | CoreMachine[guest.State, guest.Event, guest.Action], life: Life) -> None:  # fmt: skip
    """Both are in the same state, and their timers run from the same moments."""
    found = {timer.name: core.timers.deadline_of(timer.name) for timer in life.machine.timers}
    assert core.state.value == life.state
    assert {name: deadline for name, deadline in found.items() if deadline is not None} == life.deadlines
