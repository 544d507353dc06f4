"""Walks through everything that a machine can do, breadth first: every state, every age of its timers, every input.

It ends because ages are cut off just behind the longest duration, and counts at two ("more than once"): nothing in a table
can tell larger ones apart. Durations keep their proportions, and are made as short as that allows.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import gcd
from typing import NamedTuple

from tunnel.spec.expressions import Call, parse, walk
from tunnel.spec.model import Event, Machine
from tunnel.spec.semantics import Configuration, EndlessTimerError, Interpreter, NoRowError, Step

MORE_THAN_ONCE = 2

TOTAL = "total"
"""What breaks, beside the invariants of a machine, where a table does not say what happens."""

ENDS = "ends"
"""What breaks, beside the invariants of a machine, where nothing that can happen any more leads to a final state."""


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


class Edge(NamedTuple):
    """What one thing does in one place."""

    thing: Wait | Input
    steps: tuple[Step, ...]
    then: Place
    broken: tuple[str, ...]
    """The invariants that do not hold after one of the steps, or `TOTAL`."""


class Exploration(NamedTuple):
    """What was found."""

    places: Mapping[Place, Way]
    """Every place that can be reached, with a shortest way to it."""
    edges: int
    """How many edges were gone along."""
    rows: frozenset[str]
    """The rows that were taken."""
    violations: Mapping[str, Way]
    """Invariants that do not hold, with a shortest way to a breach."""


class Ground:
    """One machine as a graph of places.

    Args:
        machine: the table.
        seconds: the constants that its timers and invariants name; `shortened` ones make the walk short.
        violated: asks which invariants a step breaks, where somebody remembers the answers.
    """

    def __init__(
        self,
        machine: Machine,
        seconds: Mapping[str, int],
        violated: Callable[[Interpreter, Step], list[str]] = Interpreter.violated,
    ) -> None:
        self.machine = machine
        self._interpreter = Interpreter(machine, seconds)
        self._violated = violated
        self._longest = max((seconds[timer.duration] for timer in machine.timers), default=0)
        self._counted = _counted(machine)
        self._inputs: dict[frozenset[str], tuple[Input, ...]] = {}

    def start(self) -> Place:
        """Where it begins."""
        return self._place(self._interpreter.start(0), 0)

    def things(self, place: Place) -> Iterator[Wait | Input]:
        """All that can happen there."""
        yield from (Wait(ticks) for ticks in range(1, self._longest + 2))
        running = frozenset(timer for timer, _ in place.ages)
        if running not in self._inputs:
            self._inputs[running] = tuple(inputs(self.machine, running))
        yield from self._inputs[running]

    def edge(self, place: Place, thing: Wait | Input) -> Edge:
        """What it does there."""
        start = place.configuration
        try:
            match thing:
                case Wait(now):
                    steps = tuple(self._interpreter.expire(start, now))
                case Input(event, facts):
                    now, steps = 0, (self._interpreter.step(start, event, facts, 0),)
        except (NoRowError, EndlessTimerError):
            return Edge(thing, (), place, (TOTAL,))
        broken = tuple(invariant for step in steps for invariant in self._violated(self._interpreter, step))
        return Edge(thing, steps, self._place(steps[-1].after if steps else start, now), broken)

    def follow(self, way: Way) -> list[Edge]:
        """The edges of a way, from the start."""
        place, edges = self.start(), list[Edge]()
        for thing in way:
            edges.append(self.edge(place, thing))
            place = edges[-1].then
        return edges

    def _place(self, configuration: Configuration, now: int) -> Place:
        ages = tuple((timer, min(now - since, self._longest + 1)) for timer, since in configuration.since.items())
        counts = tuple(
            (verb, min(times, MORE_THAN_ONCE))
            for verb, times in sorted(configuration.counts.items())
            if verb in self._counted
        )
        return Place(configuration.state, ages, counts)


def explore(machine: Machine, seconds: Mapping[str, int], *, to_first_breach: bool = False) -> Exploration:
    """Take every step that the machine can take.

    Args:
        machine: the table.
        seconds: the constants that its timers and invariants name; `shortened` ones make the walk short.
        to_first_breach: go no further than the first step that breaks an invariant.
    """
    return wander(Ground(machine, seconds), to_first_breach=to_first_breach)


def wander(ground: Ground, *, to_first_breach: bool = False) -> Exploration:
    """Take every step that there is on a ground."""
    first = ground.start()
    places: dict[Place, Way] = {first: ()}
    rows: set[str] = set()
    violations: dict[str, Way] = {}
    before: dict[Place, set[Place]] = {first: set()}
    edges = 0
    open_ends = deque([first])
    while open_ends and not (to_first_breach and violations):
        place = open_ends.popleft()
        for thing in ground.things(place):
            edge = ground.edge(place, thing)
            edges += 1
            rows.update(step.row.id for step in edge.steps)
            for invariant in edge.broken:
                violations.setdefault(invariant, (*places[place], thing))
            if edge.then not in places:
                places[edge.then] = (*places[place], thing)
                open_ends.append(edge.then)
            before.setdefault(edge.then, set()).add(place)
    if not open_ends and (lost := _endless(ground.machine, before)) is not None:
        violations.setdefault(ENDS, places[lost])
    return Exploration(places, edges, frozenset(rows), violations)


def _endless(machine: Machine, before: Mapping[Place, set[Place]]) -> Place | None:
    """The first place from which no way leads to a final state, of a machine that has one."""
    final = {state.name for state in machine.states if state.final}
    open_ends = [place for place in before if place.state in final]
    home = set(open_ends)
    while open_ends:
        new = before[open_ends.pop()] - home
        home |= new
        open_ends += new
    return next((place for place in before if place not in home), None) if final else None


def shortened(machine: Machine, seconds: Mapping[str, int]) -> dict[str, int]:
    """The durations of a machine's timers in the same proportions, as small as whole numbers can be."""
    own = {timer.duration: seconds[timer.duration] for timer in machine.timers}
    return {name: value // gcd(*own.values()) for name, value in own.items()}


def ranked(seconds: Mapping[str, int]) -> dict[str, int]:
    """The smallest durations that are in the same order."""
    order = sorted(set(seconds.values()))
    return {name: order.index(value) + 1 for name, value in seconds.items()}


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


def _counted(machine: Machine) -> frozenset[str]:
    calls = [tree for invariant in machine.invariants for tree in walk(parse(invariant.holds))]
    return frozenset(tree.words[0] for tree in calls if isinstance(tree, Call) and tree.function == "count")
