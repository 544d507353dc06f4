"""Plays on the real host and the real guest what the exploration of the tables has found."""

from collections.abc import Iterator, Mapping
from functools import cache
from math import gcd
from typing import NamedTuple

from spec.compiler.explore import Ground, Input, Place, Wait, Way, explore, inputs, shortened
from tests.core.never import Never, never
from tests.core.witness import MACHINES
from tests.core.worlds import World
from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Configuration
from tunnel.spec.v1.constants import SECONDS


class Replay(NamedTuple):
    """The way to a place, and what happens there; time in ticks of the real clock."""

    way: Way
    thing: Wait | Input


@cache
def explored(name: str) -> Mapping[Place, Way]:
    """Every place that a table can reach, with a shortest way to it."""
    machine = MACHINES[name]
    found = explore(machine, shortened(machine, SECONDS))
    return {place: _scaled(way, _tick(machine)) for place, way in found.places.items()}


def replays(name: str, *, awake: bool) -> Iterator[Replay]:
    """All that is replayed. A session that is to see every minute go by has to look at the clock."""
    yield from every_edge(name)
    yield from around_every_deadline(name)
    if name == "session" and awake:
        yield from every_minute(name)


def every_edge(name: str) -> Iterator[Replay]:
    """Every input, and every span of time, from every place that the exploration has found."""
    machine = MACHINES[name]
    ground = Ground(machine, shortened(machine, SECONDS))
    for place, way in explored(name).items():
        yield from (Replay(way, thing) for thing in _scaled(tuple(ground.things(place)), _tick(machine)))


def around_every_deadline(name: str) -> Iterator[Replay]:
    """Every input a nanosecond before, at, and a nanosecond behind each deadline."""
    machine = MACHINES[name]
    for way, running in _at_once(name):
        for duration in sorted({SECONDS[t.duration] for t in machine.timers if t.name in running}):
            for around in (-1, 0, 1):
                wait = Wait(duration * TICKS_PER_SECOND + around)
                yield from (Replay((*way, wait), thing) for thing in inputs(machine))


def every_minute(name: str) -> Iterator[Replay]:
    """Every input in every minute, until the last timer has passed."""
    machine = MACHINES[name]
    longest = max(SECONDS[timer.duration] for timer in machine.timers) // 60
    for minute in range(1, longest + 2):
        for way, _ in _at_once(name):
            wait = Wait(minute * 60 * TICKS_PER_SECOND)
            yield from (Replay((*way, wait), thing) for thing in inputs(machine))


def _at_once(name: str) -> list[tuple[Way, dict[str, int]]]:
    """The ways on which no time passes, with the timers that run at their ends."""
    return [
        (way, dict(place.ages)) for place, way in explored(name).items() if all(isinstance(one, Input) for one in way)
    ]


def _tick(machine: Machine) -> int:
    """What the exploration takes for one second."""
    return gcd(*(SECONDS[timer.duration] for timer in machine.timers)) * TICKS_PER_SECOND


def _scaled(way: Way, tick: int) -> Way:
    return tuple(Wait(thing.ticks * tick) if isinstance(thing, Wait) else thing for thing in way)


# --- Replays ------------------------------------------------------------------------------------------------------------


class Played(NamedTuple):
    """How a replay ended."""

    came_about: bool
    """Whether its last input happened as it was wanted."""
    never: tuple[Never, ...]
    """Why it cannot."""
    rows: frozenset[str]


def play(world: World, replay: Replay, *, awake: bool, to_the_end: bool = True) -> Played:
    """Play a replay on the real classes; every difference from the tables is an error."""
    for thing in replay.way:
        came_about, _ = _do(world, thing, awake=awake)
        assert came_about, f"{thing} on the way"
    came_about, here = _do(world, replay.thing, awake=awake)
    rows = frozenset(step.row.id for step in world.life.steps)
    if to_the_end:
        world.try_more()
    why = never(world.life.machine.machine, here, replay.thing) if isinstance(replay.thing, Input) else []
    return Played(came_about, tuple(why), rows)


def _do(world: World, thing: Wait | Input, *, awake: bool) -> tuple[bool, Configuration]:
    """Let it happen; whether it has, and where."""
    if isinstance(thing, Wait):
        world.wait(thing.ticks, awake=awake)
        return True, world.life.at
    first = world.life.overdue(world.now.ticks)
    here, seen = first[-1].after if first else world.life.at, len(world.life.steps) + len(first)
    world.attempt(thing.event, thing.facts)
    return any((step.event, step.facts) == thing for step in world.life.steps[seen:]), here
