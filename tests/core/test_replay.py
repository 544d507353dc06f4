"""The real host and the real guest do what the tables say: every input, in every place, is replayed on them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from time import perf_counter
from typing import NamedTuple

import pytest

from spec.compiler.explore import explore, shortened
from tests.core.never import NEVER, ROWS_NEVER_TAKEN, Never
from tests.core.replay import Replay, every_edge, explored, play, replays
from tests.core.witness import MACHINES
from tests.core.worlds import WORLDS, ConnectionWorld, GuestWorld, SessionWorld, World
from tunnel.core.effects import ConnectionId, Effect, HangUp, PeerLeft
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.machine import Machine
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import LINK_SECONDS, SECONDS

pytestmark = pytest.mark.timeout(300)
every_machine = pytest.mark.parametrize("name", MACHINES)


class Tally(NamedTuple):
    """What was replayed."""

    places: int
    edges: int
    replays: int
    seconds: float
    rows: frozenset[str]
    kept_back: Counter[Never]
    """How many inputs each reason has kept from coming about."""
    wrong: tuple[tuple[Replay, str], ...]
    """Inputs that came about although they cannot, or did not although they can."""


@cache
def tally(name: str, *, awake: bool) -> Tally:
    """Replay everything on the real classes; a difference from the tables is an error at once."""
    began, played_so_far = perf_counter(), 0
    rows: set[str] = set()
    kept_back: Counter[Never] = Counter()
    wrong: list[tuple[Replay, str]] = []
    for replay in replays(name, awake=awake):
        played = play(WORLDS[name](), replay, awake=awake)
        played_so_far += 1
        rows |= played.rows
        kept_back.update(played.never)
        if played.came_about and played.never:
            wrong.append((replay, f"it came about, and is listed as {played.never[0].because!r}"))
        elif not (played.came_about or played.never):
            wrong.append((replay, "it did not come about, and no reason is listed"))
    edges = sum(1 for _ in every_edge(name))
    return Tally(
        len(explored(name)), edges, played_so_far, perf_counter() - began, frozenset(rows), kept_back, tuple(wrong)
    )


# --- The replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("awake", [True, False], ids=["looking at the clock", "looking only when something happens"])
@every_machine
def test_every_input_in_every_place_does_on_the_real_classes_what_the_tables_say(name: str, *, awake: bool) -> None:
    """TIME-1."""
    found = tally(name, awake=awake)

    assert found.wrong == ()
    assert found.replays > found.edges > len(MACHINES[name].transitions)


@every_machine
def test_no_edge_of_the_exploration_is_left_out(name: str) -> None:
    found = explore(MACHINES[name], shortened(MACHINES[name], SECONDS))

    assert (tally(name, awake=True).places, tally(name, awake=True).edges) == (len(found.places), found.edges)


@every_machine
def test_every_way_leads_to_its_place(name: str) -> None:
    for place, way in explored(name).items():
        world = WORLDS[name]()
        if way:
            play(world, Replay(way[:-1], way[-1]), awake=True, to_the_end=False)
        counts = {verb: min(world.life.at.counts[verb], 2) for verb, _ in place.counts}
        assert (world.life.state, counts) == (place.state, dict(place.counts))


@every_machine
def test_every_row_is_taken_but_for_those_of_what_cannot_come_about(name: str) -> None:
    rows = {row.id for row in MACHINES[name].transitions}

    assert rows - tally(name, awake=True).rows == ROWS_NEVER_TAKEN[name]


@pytest.mark.parametrize("one", NEVER, ids=lambda one: f"{one.machine} {one.events}: {one.because}")
def test_every_reason_why_something_cannot_come_about_is_needed(one: Never) -> None:
    assert tally(one.machine, awake=True).kept_back[one] > 0


# --- The replay can fail ------------------------------------------------------------------------------------------------


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


BROKEN: Mapping[str, tuple[str, Callable[[], World]]] = {
    "a link that comes back": ("session", lambda: SessionWorld(ForgetfulHost)),
    "a host that ends late": ("session", lambda: SessionWorld(SleepyHost)),
    "a host that does not tell of a leave": ("session", lambda: SessionWorld(SilentHost)),
    "a host that hangs up before it says why": ("connection", lambda: ConnectionWorld(BluntHost)),
    "a host that bears a flood": ("connection", lambda: ConnectionWorld(ForgivingHost)),
    "a guest that believes in an echo": ("guest", lambda: GuestWorld(CredulousGuest)),
    "a guest that forgets what it said": ("guest", lambda: GuestWorld(CarelessGuest)),
}


def replays_until_noticed(name: str, world: Callable[[], World]) -> int | None:
    """How many replays are played until one differs from the tables."""
    for count, replay in enumerate(replays(name, awake=True), 1):
        try:
            play(world(), replay, awake=True)
        except AssertionError:
            return count
    return None


@pytest.mark.parametrize(("name", "world"), BROKEN.values(), ids=BROKEN)
def test_an_end_that_is_broken_is_noticed(name: str, world: Callable[[], World]) -> None:
    count = replays_until_noticed(name, world)

    assert count is not None
    assert 0 < count <= tally(name, awake=True).replays
