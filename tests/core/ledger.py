"""What must hold of a host and a guest whatever their tables say, as far as it can be seen from outside."""

from tests.conversation import EPOCH_MS
from tunnel.core import effects
from tunnel.core.effects import Effect
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.spec.v1 import frames, session
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS
from tunnel.spec.v1.refusals import Cause

ADMITS_ONCE = "a link admits once"
ADMITS_IN_TIME = "a dead link admits nobody"
NOTHING_ELSE_IS_ACTIVITY = "nothing but a numbered message is activity"
EVERY_NUMBER_IN_ORDER = "a guest is sent every number, in order"
TAKES_WHAT_WAS_NUMBERED = "a guest has a prefix of what the host numbered"
SHOWS_WHAT_IT_SAID = "a guest shows as its own what it has said"
ONLY_ITS_ECHO = "nothing but its echo confirms a message"
ALL_IS_ANSWERED = "what is said is answered by the end"


class Ledger:
    """What can be seen of a host from outside, and what must hold of it."""

    def __init__(self) -> None:
        self.handed_out_at: int | None = None
        self.admissions = 0
        self.ended: Cause | None = None
        self.answers: dict[int, effects.Said | effects.NotSaid] = {}
        self.numbers = 0
        self.sent: int | None = None
        """The last number that went to the guest; None while it is not known where its backlog began."""
        self.idle_ends_at: int | None = None

    def note(self, did: list[Effect], host: Host, now: Instant) -> None:
        for effect in did:
            assert self.ended is None or isinstance(effect, effects.NotSaid | effects.HangUp), "closed stays closed"
            match effect:
                case effects.HandOutLink():
                    assert self.handed_out_at is None, "a link is handed out once"
                    self.handed_out_at = now.ticks
                case effects.Send(frame=frames.Msg(msg=message)):
                    self._sends(message.seq)
                case effects.Send(frame=frames.AuthOk(backlog=backlog)):
                    self.admissions, self.sent = self.admissions + 1, None
                    assert self.admissions == 1, ADMITS_ONCE
                    assert self.handed_out_at is not None
                    assert now.ticks <= self.handed_out_at + LINK_SECONDS * TICKS_PER_SECOND, ADMITS_IN_TIME
                    for message in backlog:
                        self._sends(message.seq)
                case effects.Said(ticket=ticket) | effects.NotSaid(ticket=ticket):
                    assert ticket not in self.answers, "what is said is answered once"
                    self.answers[ticket] = effect
                case effects.Ended(cause=cause):
                    self.ended = cause
                case _:
                    pass
        self._numbering(host)
        self._idle(host, now)

    def _sends(self, seq: int) -> None:
        assert self.sent is None or seq == self.sent + 1, EVERY_NUMBER_IN_ORDER
        self.sent = seq

    def _numbering(self, host: Host) -> None:
        new = list(host.transcript.after(self.numbers))
        assert [one.seq for one in new] == [*range(self.numbers + 1, self.numbers + len(new) + 1)]

    def _idle(self, host: Host, now: Instant) -> None:
        last = host.transcript.last
        idle_ends_at = host.idle_ends_at()
        if self.ended is None:
            assert idle_ends_at is not None
            assert now.ticks < idle_ends_at, "no session outlives its idle deadline"
            if last > self.numbers:
                told_at = host.transcript.at(last).ts
                assert abs(told_at - wall(idle_ends_at - IDLE_SECONDS * TICKS_PER_SECOND)) <= 1, (
                    "what is numbered is activity"
                )
            elif self.idle_ends_at is not None:
                assert idle_ends_at == self.idle_ends_at, NOTHING_ELSE_IS_ACTIVITY
        else:
            assert host.state is session.State.CLOSED
            assert idle_ends_at is None
        if self.ended is Cause.IDLE and last > self.numbers and last > 1:
            before, told = host.transcript.at(last - 1), host.transcript.at(last)
            assert abs(told.ts - before.ts - IDLE_SECONDS * 1000) <= 1, "idle ends in time, to the millisecond"
        self.numbers, self.idle_ends_at = last, idle_ends_at


def wall(ticks: int) -> int:
    """The wall time at these ticks; both clocks begin together."""
    return EPOCH_MS + ticks // 1_000_000
