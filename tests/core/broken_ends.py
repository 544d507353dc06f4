"""Hosts and guests that are broken on purpose: replays and stories have to find them out."""

import re
from collections.abc import Callable

from msgspec.structs import replace

from tunnel.core.connection import Connection
from tunnel.core.effects import ConnectionId, Effect, HangUp, PeerLeft, Said, Send
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink
from tunnel.core.machine import Machine
from tunnel.spec import model
from tunnel.spec.v1 import frames, guest, session
from tunnel.spec.v1.constants import LINK_SECONDS, SECONDS

# --- By what they do ----------------------------------------------------------------------------------------------------


class ForgetfulHost(Host):
    """The link comes back when the guest leaves in minute 5."""

    def lost(self, number: ConnectionId, now: Instant) -> list[Effect]:
        leaves = number == self.guest
        out = super().lost(number, now)
        link_age = now.ticks - (self.link_expires_at() or 0) + LINK_SECONDS * TICKS_PER_SECOND
        if leaves and link_age // (60 * TICKS_PER_SECOND) == 5:
            self._session = Machine(session.MACHINE, session.State, session.ACTIONS, SECONDS, now.ticks)
            self._session.fire(session.Event.REACHABLE, now.ticks)
        return out


class SleepyHost(Host):
    """Every timer is a nanosecond late."""

    def expire(self, now: Instant) -> list[Effect]:
        return super().expire(now.back_to(now.ticks - 1))


class SilentHost(Host):
    """Its agent is not told that the guest has left."""

    def lost(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return [effect for effect in super().lost(number, now) if not isinstance(effect, PeerLeft)]


class BluntHost(Host):
    """It hangs up before it says why."""

    def receive(self, number: ConnectionId, text: str, now: Instant) -> list[Effect]:
        out = super().receive(number, text, now)
        return sorted(out, key=lambda effect: not isinstance(effect, HangUp))


class ForgivingHost(Host):
    """Nobody is hung up on for pinging too much."""

    def control(self, number: ConnectionId, now: Instant) -> list[Effect]:
        return self.expire(now)


class CredulousGuest(Guest):
    """It takes any message that has its number for its own."""

    def receive(self, text: str, now: Instant) -> list[Effect]:
        for pending in self._pending.values():
            text = re.sub(r'"body":"[^"]*"', f'"body":"{pending.body}"', text)
        return super().receive(text, now)


class CarelessGuest(Guest):
    """What was said and is not confirmed at the end is forgotten."""

    def close(self, summary: str, now: Instant) -> list[Effect]:
        self._pending.clear()
        return super().close(summary, now)


class SkippingHost(Host):
    """No guest gets a message with the number 4."""

    def _send_message(self, guest: Connection, message: frames.Message, out: list[Effect]) -> None:
        super()._send_message(guest, replace(message, seq=message.seq + (message.seq >= 4)), out)


class HastyGuest(Guest):
    """What it says is confirmed as soon as it is sent."""

    def say(self, ticket: int, text: str, now: Instant) -> list[Effect]:
        out = super().say(ticket, text, now)
        if any(isinstance(effect, Send) for effect in out):
            self._pending.popitem()
            out.append(Said(ticket, self.transcript.last + 1))
        return out


# --- By a row of their table --------------------------------------------------------------------------------------------


def with_table(table: model.Machine) -> type[Host]:
    """A host that goes by another table."""

    class BrokenHost(Host):
        def __init__(self, *, key: bytes, goal: str, name: str, entropy: Callable[[int], bytes], now: Instant) -> None:
            super().__init__(key=key, goal=goal, name=name, entropy=entropy, now=now)
            self._session = Machine(table, session.State, session.ACTIONS, SECONDS, now.ticks)

    return BrokenHost


def with_row(id: str, **changes: str | tuple[str, ...]) -> type[Host]:
    """A host in whose table one row says something else."""
    return with_table(_changed(session.MACHINE, id, changes))


def guest_with_row(id: str, **changes: str | tuple[str, ...]) -> type[Guest]:
    """A guest in whose table one row says something else."""
    table = _changed(guest.MACHINE, id, changes)

    class BrokenGuest(Guest):
        def __init__(self, *, link: JoinLink, name: str, entropy: Callable[[int], bytes], now: Instant) -> None:
            super().__init__(link=link, name=name, entropy=entropy, now=now)
            self._machine = Machine(table, guest.State, guest.ACTIONS, SECONDS, now.ticks)

    return BrokenGuest


def active_when_refusing() -> type[Host]:
    """A host to which a refused join is activity."""
    link, idle = session.MACHINE.timers
    generous = replace(idle, restarts_on=(*idle.restarts_on, "refuse"))
    return with_table(replace(session.MACHINE, timers=(link, generous)))


def _changed(table: model.Machine, id: str, changes: dict[str, str | tuple[str, ...]]) -> model.Machine:
    assert any(row.id == id for row in table.transitions)
    return replace(
        table, transitions=tuple(replace(row, **changes) if row.id == id else row for row in table.transitions)
    )
