"""Ways through a machine that together take every step of its exploration, and come up to every deadline of its timers.

Where a step leads to a place from which there is a way back, one long walk takes it on its round; where none is, the step is
an end of its own behind a shortest way. So what is long is walked once, and nothing is walked again for the sake of an end.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from spec.compiler.explore import Edge, Ground, Input, Place, Wait, Way, inputs, shortened
from spec.compiler.reader import Spec, SpecError
from tunnel.spec import expressions
from tunnel.spec.model import Machine, Timer
from tunnel.spec.semantics import Interpreter, Step

MOMENTS: Final = 20
"""How many steps of time the longest timer of a machine may last. Each one more is one more for every timer in every place."""


class Walk(NamedTuple):
    """Things that happen one after the other, from the beginning on; time in seconds."""

    name: str
    way: Way
    ends: tuple[Way, ...] = ()
    """Each of them happens behind the way, and none behind another."""


def mapped(spec: Spec, machine: Machine) -> "Atlas":
    """The places of a machine; a moment of theirs is as long as `shortened` makes it.

    Raises:
        SpecError: the table does not say everywhere what happens, so there is nothing to walk through, or its moments are too
            many to be walked through.
    """
    for finding in _too_many(machine, spec.constants):
        raise SpecError(finding)
    return Atlas(Ground(machine, shortened(machine, spec.constants), _unasked))


def lint_durations(spec: Spec) -> list[str]:
    """Which machines have more moments than can be walked through. Of tables that have other faults, this cannot be asked."""
    return [finding for machine in spec.machines.values() for finding in _too_many(machine, spec.constants)]


def _too_many(machine: Machine, seconds: Mapping[str, int]) -> Iterator[str]:
    short = shortened(machine, seconds)
    most = max(short.values(), default=0)
    if most > MOMENTS:
        second = next(seconds[name] // ticks for name, ticks in short.items() if ticks)
        spans = ", ".join(f"{name} = {seconds[name]}" for name in short)
        yield (
            f"{machine.machine}.toml: the durations of its timers ({spans}) have the common divisor {second} s, and the longest lasts"
            f" {most:,} of them, of which at most {MOMENTS} can be walked through: choose numbers of protocol.toml with a larger one"
        )


def walks(spec: Spec, machine: Machine, atlas: "Atlas") -> list[Walk]:
    """All walks of a machine, in an order that is always the same."""
    short = shortened(machine, spec.constants)
    second = next((spec.constants[name] // ticks for name, ticks in short.items()), 1)
    return [
        *(_in_seconds(walk, second) for walk in (*atlas.rounds(), *atlas.partings())),
        *_Deadlines(spec, machine, atlas).walks(),
    ]


def _unasked(interpreter: Interpreter, step: Step) -> list[str]:  # noqa: ARG001 - whether an invariant breaks is asked elsewhere
    return []


def _in_seconds(one: Walk, second: int) -> Walk:
    def scaled(way: Way) -> Way:
        return tuple(Wait(thing.ticks * second) if isinstance(thing, Wait) else thing for thing in way)

    return Walk(one.name, scaled(one.way), tuple(scaled(end) for end in one.ends))


class Atlas:
    """All places of a machine, with the steps between them, and shortest ways.

    Args:
        ground: the machine.
    """

    def __init__(self, ground: Ground) -> None:
        self.edges: dict[Place, tuple[Edge, ...]] = {}
        self.ways: dict[Place, Way] = {ground.start(): ()}
        todo = deque(self.ways)
        while todo:
            place = todo.popleft()
            self.edges[place] = tuple(ground.edge(place, thing) for thing in ground.things(place))
            for edge in self.edges[place]:
                if edge.broken:
                    raise SpecError(
                        f"{ground.machine.machine}: {place.state!r} with {edge.thing}: no row says what happens"
                    )
                if edge.then not in self.ways:
                    self.ways[edge.then] = (*self.ways[place], edge.thing)
                    todo.append(edge.then)
        self._reach = {place: self._reached(place) for place in self.edges}
        self._open = {place: self._round(place) for place in self.edges}

    def rounds(self) -> Iterator[Walk]:
        """Long walks along every step from which there is a way back: always on to the nearest that was not taken yet."""
        count = 0
        for place in self.edges:
            if self._open[place]:
                count += 1
                yield Walk(f"round {count}, from {place.state} on", (*self.ways[place], *self._walked(place)))

    def partings(self) -> Iterator[Walk]:
        """For each place the steps from which there is no way back."""
        for count, (place, edges) in enumerate(self.edges.items(), 1):
            if ends := tuple((edge.thing,) for edge in edges if place not in self._reach[edge.then]):
                yield Walk(f"place {count}, {place.state}, and what leads away from it", self.ways[place], ends)

    def _walked(self, here: Place) -> Iterator[Wait | Input]:
        while (leg := self._leg(here)) is not None:
            for edge in leg:
                yield edge.thing
                here = edge.then

    def _leg(self, here: Place) -> tuple[Edge, ...] | None:
        """A shortest way to a step that was not taken yet, and this step, which counts as taken now."""
        legs: dict[Place, tuple[Edge, ...]] = {here: ()}
        todo = deque(legs)
        while todo:
            place = todo.popleft()
            if self._open[place]:
                return (*legs[place], self._open[place].popleft())
            for edge in self.edges[place]:
                if edge.then not in legs and place in self._reach[edge.then]:
                    legs[edge.then] = (*legs[place], edge)
                    todo.append(edge.then)
        return None

    def _round(self, place: Place) -> deque[Edge]:
        """The steps from which there is a way back; those that stay come first."""
        found = [edge for edge in self.edges[place] if place in self._reach[edge.then]]
        return deque(sorted(found, key=lambda edge: edge.then != place))

    def _reached(self, place: Place) -> frozenset[Place]:
        found = {place}
        todo = [place]
        while todo:
            new = {edge.then for edge in self.edges[todo.pop()]} - found
            found |= new
            todo += new
        return frozenset(found)


class _Deadlines:
    """A second before each deadline of a timer, at it, and a second behind it, with every input that asks the timer."""

    def __init__(self, spec: Spec, machine: Machine, atlas: Atlas) -> None:
        self._seconds: Mapping[str, int] = spec.constants
        self._machine = machine
        self._atlas = atlas

    def walks(self) -> Iterator[Walk]:
        """From every place that is reached without time passing."""
        for count, (place, way) in enumerate(self._atlas.ways.items(), 1):
            running = {name for name, _ in place.ages}
            timers = [timer for timer in self._machine.timers if timer.name in running]
            if timers and all(isinstance(thing, Input) for thing in way):
                ends = tuple(end for timer in timers for end in self._ends(timer))
                yield Walk(f"place {count}, {place.state}, around its deadlines", way, ends)

    def _ends(self, timer: Timer) -> Iterator[Way]:
        for around in (-1, 0, 1):
            wait = Wait(self._seconds[timer.duration] + around)
            yield (wait,)
            yield from ((wait, thing) for thing in inputs(self._machine) if thing.event in self._asking(timer))

    def _asking(self, timer: Timer) -> set[str]:
        return {row.on for row in self._machine.transitions if row.when and _asks(row.when, timer.name)}


def _asks(when: str, timer: str) -> bool:
    return any(
        isinstance(tree, expressions.Call) and timer in tree.words for tree in expressions.walk(expressions.parse(when))
    )
