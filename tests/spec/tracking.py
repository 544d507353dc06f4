"""Finds out which steps of the exploration a trace takes, from the lines of the trace alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from spec.compiler.explore import MORE_THAN_ONCE, Ground, Input, Place, Wait, explore, shortened
from spec.compiler.reader import Spec
from tests.spec.replaying import Line, Traces
from tunnel.spec.expressions import Call, parse, walk

Taken = tuple[Place, str, frozenset[str] | int]
"""From where, and what: an event with the facts that hold, or a span of time."""


def steps_to_take(spec: Spec, name: str) -> frozenset[Taken]:
    """Every step of the exploration of a machine."""
    machine = spec.machines[name]
    short = shortened(machine, spec.constants)
    ground = Ground(machine, short)
    return frozenset(_key(place, thing) for place in explore(machine, short).places for thing in ground.things(place))


def _key(place: Place, thing: Wait | Input) -> Taken:
    match thing:
        case Wait(ticks):
            return place, "", ticks
        case Input(event, facts):
            return place, event, frozenset(fact for fact, holds in facts.items() if holds)


def steps_of(traces: Traces, spec: Spec) -> list[frozenset[Taken]]:
    """What each trace takes."""
    land, start = _Map(spec, traces["machine"]), traces["start"]
    begin = _Hike(land, start["timers"], Counter(), ((0, land.place(start["state"], start["timers"], Counter(), 0)),))
    found: list[frozenset[Taken]] = []
    for trace in traces["traces"]:
        hike, taken = _hiked(begin, trace["steps"])
        found.append(frozenset(taken).union(*(_hiked(hike, end)[1] for end in trace.get("ends", []))))
    return found


class _Map:
    """Knows the places of the exploration by what the lines of a trace say of them."""

    def __init__(self, spec: Spec, name: str) -> None:
        machine = spec.machines[name]
        short = shortened(machine, spec.constants)
        self.second = next(spec.constants[name] // ticks for name, ticks in short.items())
        self._durations = {timer.name: spec.constants[timer.duration] for timer in machine.timers}
        self._longest = max(short.values())
        calls = [tree for one in machine.invariants for tree in walk(parse(one.holds))]
        self._counted = {tree.words[0] for tree in calls if isinstance(tree, Call) and tree.function == "count"}

    def place(self, state: str, timers: Mapping[str, int], counts: Counter[str], now: int) -> Place | None:
        """Where that is; nowhere, where the exploration does not come to."""
        ages = {name: now - timers[name] + length for name, length in self._durations.items() if name in timers}
        if any(age % self.second for age in ages.values()):
            return None
        return Place(
            state,
            tuple((name, min(age // self.second, self._longest + 1)) for name, age in ages.items()),
            tuple((verb, min(n, MORE_THAN_ONCE)) for verb, n in sorted(counts.items()) if verb in self._counted),
        )


class _Hike(NamedTuple):
    """Where a life has come to on the map, and when somebody looked since something happened last."""

    map: _Map
    timers: Mapping[str, int]
    counts: Counter[str]
    looks: tuple[tuple[int, Place | None], ...]

    def on(self, line: Line) -> tuple["_Hike", list[Taken]]:
        """A line further, and the steps that it is: a wait in which somebody looks twice is two waits, and also one."""
        timers = line.get("timers", self.timers)
        counts = self.counts + Counter(action.split()[0] for action in line.get("do", []))
        then = (line["at"], self.map.place(line["state"], timers, counts, line["at"]))
        if "event" in line:
            at, here = self.looks[-1]
            taken = [(here, line["event"], frozenset[str](line.get("facts", [])))] if here and at == line["at"] else []
            return _Hike(self.map, timers, counts, (then,)), list[Taken](taken)
        looks = [(at, place) for at, place in self.looks if at < line["at"]]
        spans = [(place, line["at"] - at) for at, place in looks if place]
        waits: list[Taken] = [
            (place, "", span // self.map.second) for place, span in spans if span % self.map.second == 0
        ]
        return _Hike(self.map, timers, counts, (*looks, then)), waits


def _hiked(hike: _Hike, lines: Iterable[Line]) -> tuple[_Hike, list[Taken]]:
    found: list[Taken] = []
    for line in lines:
        hike, taken = hike.on(line)
        found += taken
    return hike, found
