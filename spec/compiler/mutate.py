"""Tests the spec by breaking it: is every small mistake noticed by reading the table, or by an invariant on a walk through it?

A mutant that nothing notices is let pass only if walking through it shows the very same machine: the same places, and in
each of them the same replies and the same next place for everything that can happen.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from spec.compiler.explore import Ground, Input, Place, Wait, Way, ranked, shortened, wander
from spec.compiler.lint_expressions import lint_expressions
from spec.compiler.lint_machine import lint_machine
from spec.compiler.mutants import Mutant
from spec.compiler.reader import Spec
from tunnel.spec.model import Machine, Row
from tunnel.spec.semantics import Interpreter, Step

READING = "reading"
WALKING = "walking"
EQUAL = "the same machine"
SURVIVES = "nothing"


class Verdict(NamedTuple):
    """What noticed a mutant."""

    machine: str
    kind: str
    where: str
    noticed: str
    by: tuple[str, ...] = ()
    """The findings, or the invariants that broke first."""

    @property
    def is_noticed(self) -> bool:
        """Whether anything did."""
        return self.noticed in (READING, WALKING)


def judge_all(spec: Spec, broken: Sequence[Mutant]) -> list[Verdict]:
    """A verdict on each mutant, in their order; all processors share the work."""
    workers = os.cpu_count() or 1
    share = -(-len(broken) // (workers * 4)) or 1
    parts = [(spec, broken[start : start + share]) for start in range(0, len(broken), share)]
    with ProcessPoolExecutor(workers) as pool:
        return [verdict for part in pool.map(_judge_part, parts) for verdict in part]


def _judge_part(part: tuple[Spec, Sequence[Mutant]]) -> list[Verdict]:
    return list(judge(*part))


def judge(spec: Spec, broken: Iterable[Mutant]) -> Iterator[Verdict]:
    """A verdict on each of these."""
    judges: dict[str, Judge] = {}
    for mutant in broken:
        if mutant.machine not in judges:
            judges[mutant.machine] = Judge(spec, mutant.machine)
        yield judges[mutant.machine].verdict(mutant)


class Judge:
    """Knows one machine as it should be, and what a step through it breaks."""

    def __init__(self, spec: Spec, name: str) -> None:
        self._spec = spec
        self._machine = spec.machines[name]
        self._seconds = shortened(self._machine, spec.constants)
        self._broken: dict[object, list[str]] = {}
        self._ground = Ground(self._machine, self._seconds, self._violated)
        self._places = wander(self._ground).places

    def verdict(self, mutant: Mutant) -> Verdict:
        """What notices it first: reading is cheaper than walking."""
        said = mutant.machine, mutant.kind, mutant.where
        if findings := read_only(self._spec, mutant):
            return Verdict(*said, READING, findings)
        seconds = _seconds(self._spec, self._machine, mutant.table)
        ground, sound = Ground(mutant.table, seconds), Ground(self._machine, seconds)
        if seconds == self._seconds:
            ground, sound = Ground(mutant.table, seconds, self._violated), self._ground
            if broken := self._near_the_change(ground, changed_pairs(self._machine, mutant.table)):
                return Verdict(*said, WALKING, broken)
        if broken := tuple(wander(ground, to_first_breach=True).violations):
            return Verdict(*said, WALKING, broken)
        return Verdict(*said, EQUAL if graph(ground) == graph(sound) else SURVIVES)

    def _near_the_change(self, ground: Ground, pairs: frozenset[tuple[str, str]]) -> tuple[str, ...]:
        """The invariants that break where the mutant first differs from the machine, if they do.

        A way that leads there in the machine is tried again, from the start, in the mutant.
        """
        fires = {timer.fires for timer in self._machine.timers} & {event for _, event in pairs}
        for place, way in self._places.items():
            for thing in ground.things(place):
                is_near = bool(fires) if isinstance(thing, Wait) else (place.state, thing.event) in pairs
                if is_near and ground.edge(place, thing).broken and (broken := first_breach(ground, (*way, thing))):
                    return broken
        return ()

    def _violated(self, interpreter: Interpreter, step: Step) -> list[str]:
        """What a step breaks depends on nothing but these, as long as durations are the machine's own."""
        key = (
            tuple(interpreter.passed(step.before, timer.name, step.now) for timer in self._machine.timers),
            (step.before.state, *step.before.since.items(), *step.before.counts.items()),
            (step.event, *step.facts.items(), step.now, step.row.do, step.started),
            (step.after.state, *step.after.since.items(), *step.after.counts.items()),
        )
        if key not in self._broken:
            self._broken[key] = interpreter.violated(step)
        return self._broken[key]


def read_only(spec: Spec, mutant: Mutant) -> tuple[str, ...]:
    """What reading a mutant finds; an expression that asks for what the mutant took away does not count."""
    unreadable = {*lint_expressions(mutant.table)}
    return tuple(f for f in lint_machine(spec, mutant.machine, mutant.table) if f not in unreadable)


def first_breach(ground: Ground, way: Way) -> tuple[str, ...]:
    """The invariants that break first on a way."""
    return next((edge.broken for edge in ground.follow(way) if edge.broken), ())


def changed_pairs(machine: Machine, mutant: Machine) -> frozenset[tuple[str, str]]:
    """The states and events whose rows are not the same."""
    rows, others = {*machine.transitions}, {*mutant.transitions}
    events = {row.on for row in rows ^ others}
    if rows == others:
        events = {a.on for a, b in zip(machine.transitions, mutant.transitions, strict=True) if a != b}
    return frozenset(
        (state.name, event.name)
        for event in machine.events
        if not events.isdisjoint((event.name, "*"))
        for state in machine.states
        if _tried(machine, state.name, event.name) != _tried(mutant, state.name, event.name)
    )


def _tried(machine: Machine, state: str, event: str) -> list[object]:
    rows: tuple[Row, ...] = machine.rows_for(state, event) or machine.rows_for(state, "*")
    return [(row.when, state if row.to == "=" else row.to, row.do) for row in rows]


def graph(ground: Ground) -> Mapping[Place, object]:
    """A machine as it can be seen: for every place and all that can happen there, the replies and the next place."""
    start = ground.start()
    places: dict[Place, object] = {}
    open_ends = [start]
    while open_ends:
        place = open_ends.pop()
        if place not in places:
            edges = [ground.edge(place, thing) for thing in ground.things(place)]
            places[place] = [
                (_key(e.thing), [(s.event, s.actions, s.after.state) for s in e.steps], e.then) for e in edges
            ]
            open_ends += [edge.then for edge in edges]
    return places


def _key(thing: Wait | Input) -> object:
    return thing if isinstance(thing, Wait) else (thing.event, *thing.facts.items())


def _seconds(spec: Spec, machine: Machine, mutant: Machine) -> dict[str, int]:
    """Durations for a mutant; where it borrowed a constant, in their order only: minutes make long walks of seconds."""
    names = {timer.duration for timer in (*machine.timers, *mutant.timers)}
    borrows = len(names) > len({timer.duration for timer in machine.timers})
    return ranked({name: spec.constants[name] for name in names}) if borrows else shortened(machine, spec.constants)
