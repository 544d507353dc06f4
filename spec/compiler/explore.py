"""Walks through everything that a machine can do, breadth first: every state, every age of its timers, every input.

It ends because ages are cut off just behind the longest duration, and counts at two ("more than once"): nothing in a table
can tell larger ones apart. Durations keep their proportions, and are made as short as that allows.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import product
from math import gcd
from typing import NamedTuple

from tunnel.spec.expressions import Call, parse, walk
from tunnel.spec.model import Event, Machine
from tunnel.spec.semantics import Configuration, Interpreter, Step

MORE_THAN_ONCE = 2


class Wait(NamedTuple):
    """Time passes before anybody looks again."""

    ticks: int


class Input(NamedTuple):
    """Something happens, in the moment of the input before it."""

    event: str
    facts: Mapping[str, bool]


Way = tuple[Wait | Input, ...]


class Place(NamedTuple):
    """A configuration that can be told from others by what may follow."""

    state: str
    ages: tuple[tuple[str, int], ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def configuration(self) -> Configuration:
        """The same, as the interpreter wants it, with the moment at zero."""
        return Configuration(self.state, {timer: -age for timer, age in self.ages}, dict(self.counts))


class Exploration(NamedTuple):
    """What was found."""

    places: Mapping[Place, Way]
    """Every place that can be reached, with a shortest way to it."""
    rows: frozenset[str]
    """The rows that were taken."""
    violations: Mapping[str, Way]
    """Invariants that do not hold, with a shortest way to a breach."""


def explore(machine: Machine, seconds: Mapping[str, int], *, to_first_breach: bool = False) -> Exploration:
    """Take every step that the machine can take.

    Args:
        machine: the table.
        seconds: the constants that its timers and invariants name; `shortened` ones make the walk short.
        to_first_breach: go no further than the first step that breaks an invariant.
    """
    interpreter = Interpreter(machine, seconds)
    longest = max((seconds[timer.duration] for timer in machine.timers), default=0)
    counted = _counted(machine)
    first = _place(interpreter.start(0), 0, longest, counted)
    places: dict[Place, Way] = {first: ()}
    rows: set[str] = set()
    violations: dict[str, Way] = {}
    open_ends = deque([first])
    while open_ends and not (to_first_breach and violations):
        place = open_ends.popleft()
        for thing, steps, now in _onward(interpreter, place, longest):
            way = (*places[place], thing)
            for step in steps:
                rows.add(step.row.id)
                for invariant in interpreter.violated(step):
                    violations.setdefault(invariant, way)
            then = _place(steps[-1].after if steps else place.configuration, now, longest, counted)
            if then not in places:
                places[then] = way
                open_ends.append(then)
    return Exploration(places, frozenset(rows), violations)


def shortened(machine: Machine, seconds: Mapping[str, int]) -> dict[str, int]:
    """The durations of a machine's timers in the same proportions, as small as whole numbers can be."""
    own = {timer.duration: seconds[timer.duration] for timer in machine.timers}
    return {name: value // gcd(*own.values()) for name, value in own.items()}


def inputs(machine: Machine, running: frozenset[str] = frozenset()) -> Iterator[Input]:
    """Every event with every combination of its facts.

    The event of a running timer happens in its time and not before; one that was stopped may still be on its way.
    """
    awaited = {timer.fires for timer in machine.timers if timer.name in running}
    for event in machine.events:
        if event.name not in awaited:
            yield from (Input(event.name, facts) for facts in combinations(event))


def combinations(event: Event) -> Iterator[dict[str, bool]]:
    """Every combination of the facts of an event, also those that contradict each other."""
    for values in product((False, True), repeat=len(event.facts)):
        yield dict(zip(event.facts, values, strict=True))


def _onward(interpreter: Interpreter, place: Place, longest: int) -> Iterator[tuple[Wait | Input, list[Step], int]]:
    start = place.configuration
    for ticks in range(1, longest + 2):
        yield Wait(ticks), interpreter.expire(start, ticks), ticks
    for thing in inputs(interpreter.machine, frozenset(start.since)):
        yield thing, [interpreter.step(start, thing.event, thing.facts, 0)], 0


def _place(configuration: Configuration, now: int, longest: int, counted: frozenset[str]) -> Place:
    ages = tuple((timer, min(now - since, longest + 1)) for timer, since in configuration.since.items())
    counts = tuple(
        (verb, min(times, MORE_THAN_ONCE)) for verb, times in sorted(configuration.counts.items()) if verb in counted
    )
    return Place(configuration.state, ages, counts)


def _counted(machine: Machine) -> frozenset[str]:
    calls = [tree for invariant in machine.invariants for tree in walk(parse(invariant.holds))]
    return frozenset(tree.words[0] for tree in calls if isinstance(tree, Call) and tree.function == "count")
