"""Walks through everything that a host, its guest and a thief can do together over a wire that delays and breaks.

Durations are as small as they can be while they keep their order: a tick is less than the shortest of them.
"""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from spec.compiler.explore import TOTAL, ranked
from spec.compiler.happenings import Thing, by_itself, by_will
from spec.compiler.hostside import Tables
from spec.compiler.reader import Spec
from spec.compiler.turn import Turn
from spec.compiler.world import World
from tunnel.spec.semantics import EndlessTimerError, NoRowError

CLAIMS = {
    TOTAL: "Every event has a row.",
    "one-guest-ever": "At most one guest is ever admitted.",
    "proof-admits": "Nobody is admitted without the link's key.",
    "joined-was-locked": "A guest that is in was let in by the session.",
    "numbered-before-taken": "A guest takes what the host numbered, in its order.",
    "honest-host-is-believed": "An honest host is never taken for a liar.",
    "same-cause": "The guest says the cause that the host had.",
    "all-is-told-before-the-end": "What is numbered when a session ends is told to the guest that is there.",
    "no-end-without-a-word": "Only a wire that was cut ends a tunnel without a word.",
    "ends-by-itself": "When nobody wants anything any more, both ends come to their end, whatever the wire does.",
    "joins": "A guest can get in, say something and be confirmed.",
}
"""What must hold of both together."""


class Together(NamedTuple):
    """What was found."""

    worlds: int
    edges: int
    rows: frozenset[tuple[str, str]]
    """The rows that were taken, each behind its machine."""
    violations: Mapping[str, tuple[str, ...]]
    """Claims that do not hold, with a shortest way to a breach."""


def durations(spec: Spec) -> dict[str, int]:
    """The duration of every timer, by its constant."""
    return {timer.duration: spec.constants[timer.duration] for m in spec.machines.values() for timer in m.timers}


def walk_together(spec: Spec, *, to_first_breach: bool = False) -> Together:
    """Take every step that host, guest and thief can take.

    Args:
        spec: the tables.
        to_first_breach: go no further than the first step that breaks a claim.
    """
    return _Walk(Tables.of(spec, ranked(durations(spec))), to_first_breach=to_first_breach).result()


class _Walk:
    """One walk, breadth first, from a host that has not opened yet."""

    def __init__(self, tables: Tables, *, to_first_breach: bool) -> None:
        self._tables = tables
        first = World(tables.session.start())
        self._from: dict[World, tuple[World, str] | None] = {first: None}
        self._itself: dict[World, list[World]] = {}
        self._edges = 0
        self._rows: set[tuple[str, str]] = set()
        self._violations: dict[str, tuple[str, ...]] = {}
        open_ends = deque([first])
        while open_ends and not (to_first_breach and self._violations):
            world = open_ends.popleft()
            onward = [self._go(world, thing, open_ends) for thing in by_itself(world)]
            self._itself[world] = [] if world.is_over else onward
            for thing in by_will(world):
                self._go(world, thing, open_ends)

    def result(self) -> Together:
        """What was found, the ends included."""
        if self._violations:
            return Together(len(self._from), self._edges, frozenset(self._rows), self._violations)
        if all(world.guest is None or world.guest.state != "joined" for world in self._from):
            self._violations["joins"] = ()
        if (lost := self._endless()) is not None:
            self._violations["ends-by-itself"] = self._way(lost)
        return Together(len(self._from), self._edges, frozenset(self._rows), self._violations)

    def _go(self, world: World, thing: Thing, open_ends: deque[World]) -> World:
        text, does = thing
        turn = Turn(self._tables, world)
        self._edges += 1
        try:
            does(turn)
            then = turn.result()
        except (NoRowError, EndlessTimerError):
            self._violations.setdefault(TOTAL, (*self._way(world), text))
            return world
        self._rows.update(turn.rows)
        for claim in turn.breaches:
            if claim not in self._violations:
                self._violations[claim] = (*self._way(world), text)
        if then not in self._from:
            self._from[then] = (world, text)
            open_ends.append(then)
        return then

    def _endless(self) -> World | None:
        """A world from which what happens by itself need not lead to the end: time passes and nothing else, or a circle."""
        waits = {world: len(onward) for world, onward in self._itself.items()}
        back: dict[World, list[World]] = {world: [] for world in self._itself}
        for world, onward in self._itself.items():
            for then in onward:
                back[then].append(world)
        ends = [world for world in self._itself if world.is_over]
        while ends:
            for before in back[ends.pop()]:
                waits[before] -= 1
                if not waits[before]:
                    ends.append(before)
        return next((world for world, count in waits.items() if count), None)

    def _way(self, world: World) -> tuple[str, ...]:
        way: list[str] = []
        while (step := self._from[world]) is not None:
            world, text = step
            way.append(text)
        return tuple(reversed(way))
