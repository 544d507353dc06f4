"""What can be wrong with the table of one machine: words that mean nothing, gaps, rows behind other rows, timers without end."""

from collections.abc import Iterator

from spec.compiler.lint_expressions import lint_expressions
from spec.compiler.reader import Spec
from tunnel.spec.expressions import SPECIAL
from tunnel.spec.model import Machine, Row, Timer

OBJECTS = {"refusal": "refusals", "closing": "closings", "cause": "causes", "failure": "failures", "notice": "notices"}
"""What an action may take, and the table of `refusals.toml` in which it stands."""

BOUNDARIES = ("elapsed > duration", "elapsed >= duration")


def lint_machine(spec: Spec, file: str, machine: Machine) -> Iterator[str]:
    """Every finding about one machine."""
    if machine.machine != file:
        yield f"machine: {machine.machine!r} stands in {file}.toml"
    yield from _states(machine)
    yield from _rows(machine)
    yield from _actions(spec, machine)
    yield from _timers(spec, machine)
    yield from _endless(machine)
    yield from _totality(machine)
    yield from _reach(machine)
    yield from _facts(machine)
    yield from lint_expressions(machine)


def _states(machine: Machine) -> Iterator[str]:
    states = _state_names(machine)
    if machine.initial not in states:
        yield f"initial: {machine.initial!r} is no state"
    for group, names in machine.groups.items():
        if group in states | {"live", "*"}:
            yield f"groups: {group!r} already means something else"
        yield from (f"groups, {group}: {name!r} is no state" for name in names if name not in states)


def _rows(machine: Machine) -> Iterator[str]:
    states, events = _state_names(machine), _event_names(machine)
    for row in machine.transitions:
        where = f"row {row.id!r} of transitions"
        if row.id != row.id.lower() or not row.id.replace("-", "").isalnum():
            yield f"{where}, id: it is made of lower-case words with hyphens"
        if row.on != "*" and row.on not in events:
            yield f"{where}, on: {row.on!r} is no event"
        if row.to != "=" and row.to not in states:
            yield f"{where}, to: {row.to!r} is no state"
        yield from _no_states(machine, f"{where}, from", row.leaves)


def _no_states(machine: Machine, where: str, names: tuple[str, ...]) -> Iterator[str]:
    states = _state_names(machine)
    yield from (
        f"{where}: {name!r} is no state and no group" for name in machine.states_of(names) if name not in states
    )


def _actions(spec: Spec, machine: Machine) -> Iterator[str]:
    takes = {action.name: action.takes for action in machine.actions}
    for action in machine.actions:
        if action.takes and action.takes not in OBJECTS:
            yield f"row {action.name!r} of actions, takes: {action.takes!r} is none of {', '.join(OBJECTS)}"
    objects = {kind: {row.id for row in getattr(spec.refusals, table)} for kind, table in OBJECTS.items()}
    used: set[str] = set()
    for row in machine.transitions:
        verbs = [action.split()[0] for action in row.do if action.split()]
        for verb in dict.fromkeys(verb for verb in verbs if verbs.count(verb) > 1):
            yield f"row {row.id!r} of transitions, do: it does {verb!r} more than once"
        for action in row.do:
            where = f"row {row.id!r} of transitions, do"
            match action.split():
                case [verb, *_] if verb not in takes:
                    yield f"{where}: {verb!r} is no action"
                case [verb, *words]:
                    used.add(verb)
                    kind = takes[verb]
                    if not kind and words:
                        yield f"{where}: {verb!r} takes nothing, so not {' '.join(words)!r}"
                    if kind and (len(words) != 1 or words[0] not in objects.get(kind, ())):
                        yield f"{where}: {action!r} does not name a {kind} of refusals.toml"
                case _:
                    yield f"{where}: an action has a name"
    yield from (f"row {name!r} of actions: no row does it" for name in takes if name not in used)


def _timers(spec: Spec, machine: Machine) -> Iterator[str]:
    events = {event.name: event for event in machine.events}
    happenings = {*events, *(action.name for action in machine.actions)}
    for timer in machine.timers:
        where = f"row {timer.name!r} of timers"
        if timer.duration not in spec.constants:
            yield f"{where}, duration: {timer.duration!r} is no constant of protocol.toml"
        elif spec.constants[timer.duration] < 1:
            yield f"{where}, duration: {timer.duration} is no time at all"
        if timer.passed_when not in BOUNDARIES:
            yield f"{where}, passed_when: {timer.passed_when!r} is neither {BOUNDARIES[0]!r} nor {BOUNDARIES[1]!r}"
        if timer.fires and timer.fires not in events:
            yield f"{where}, fires: {timer.fires!r} is no event"
        elif timer.fires and (events[timer.fires].source != "timer" or events[timer.fires].facts):
            yield f"{where}, fires: {timer.fires!r} has another source or facts, and a timer knows of none"
        if timer.fires and timer.passed_when == BOUNDARIES[0]:
            yield f"{where}, passed_when: a timer that fires does so at its time, so it has passed when {BOUNDARIES[1]}"
        yield from _no_states(machine, f"{where}, runs_in", timer.runs_in)
        for name in timer.restarts_on:
            if name not in happenings:
                yield f"{where}, restarts_on: {name!r} is no event and no action"
            elif not _restarts(machine, timer, name):
                yield f"{where}, restarts_on: {name!r} never happens while it runs on"
    fired = {timer.fires for timer in machine.timers}
    for event in machine.events:
        if event.source == "timer" and event.name not in fired:
            yield f"row {event.name!r} of events, source: no timer fires it"


def _restarts(machine: Machine, timer: Timer, name: str) -> bool:
    runs_in = machine.states_of(timer.runs_in)
    return any(
        (state if row.to == "=" else row.to) in runs_in and name in _happens(event.name, row)
        for state in runs_in
        for event in machine.events
        for row in _tried(machine, state, event.name)
    )


def _happens(event: str, row: Row) -> set[str]:
    return {event, *(action.split()[0] for action in row.do if action.split())}


def _endless(machine: Machine) -> Iterator[str]:
    """A timer that fires has to stop or to begin anew: else it stays due, and fires for ever in one moment."""
    for timer in machine.timers:
        for state in machine.states_of(timer.runs_in) if timer.fires else ():
            for row in _tried(machine, state, timer.fires):
                if not _ends(machine, timer, state, row):
                    yield f"row {row.id!r} of transitions: it leaves timer {timer.name!r} due in {state!r}, to fire for ever"


def _ends(machine: Machine, timer: Timer, state: str, row: Row) -> bool:
    stops = (state if row.to == "=" else row.to) not in machine.states_of(timer.runs_in)
    return stops or not _happens(timer.fires, row).isdisjoint(timer.restarts_on)


def _totality(machine: Machine) -> Iterator[str]:
    reached: set[str] = set()
    for state in machine.states:
        for event in machine.events:
            rows = _tried(machine, state.name, event.name)
            where = f"transitions, ({state.name}, {event.name})"
            if not rows:
                yield f"{where}: no row says what happens"
                continue
            if rows[-1].when:
                yield f"{where}: the last row, {rows[-1].id!r}, has a condition (`when`)"
            sure = next((index for index, row in enumerate(rows) if not row.when), len(rows))
            yield from (f"{where}: row {row.id!r} is never tried behind {rows[sure].id!r}" for row in rows[sure + 1 :])
            reached.update(row.id for row in rows[: sure + 1])
    yield from (
        f"row {row.id!r} of transitions: no state and event leads to it"
        for row in machine.transitions
        if row.id not in reached
    )


def _reach(machine: Machine) -> Iterator[str]:
    states = _state_names(machine)
    edges = {(s, s if row.to == "=" else row.to) for row in machine.transitions for s in machine.states_of(row.leaves)}
    found = _closure({machine.initial}, edges)
    yield from (f"row {state!r} of states: it cannot be reached" for state in sorted(states - found))
    final = {state.name for state in machine.states if state.final}
    home = _closure(final, {(target, source) for source, target in edges})
    yield from (f"row {state!r} of states: it never ends" for state in sorted(states - home))
    yield from (f"row {s!r} of states, final: it leads to {t!r}" for s, t in sorted(edges) if s in final and t != s)


def _closure(start: set[str], edges: set[tuple[str, str]]) -> set[str]:
    found, more = set(start), True
    while more:
        new = {target for source, target in edges if source in found} - found
        found |= new
        more = bool(new)
    return found


def _facts(machine: Machine) -> Iterator[str]:
    asked = {name for text in (row.when for row in machine.transitions) for name in _words(text)}
    for event in machine.events:
        yield from (
            f"row {event.name!r} of events, facts: no row asks for {fact!r}"
            for fact in event.facts
            if fact not in asked
        )
        for fact in event.facts:
            if f"`{fact}`" not in event.doc:
                yield f"row {event.name!r} of events, doc: it does not say when {fact!r} holds"
            if fact in SPECIAL | _state_names(machine) | _event_names(machine):
                yield f"row {event.name!r} of events, facts: {fact!r} already means something else"


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split()


def _tried(machine: Machine, state: str, event: str) -> tuple[Row, ...]:
    return machine.rows_for(state, event) or machine.rows_for(state, "*")


def _state_names(machine: Machine) -> set[str]:
    return {state.name for state in machine.states}


def _event_names(machine: Machine) -> set[str]:
    return {event.name for event in machine.events}
