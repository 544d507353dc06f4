"""What can be wrong with the table of one machine: words that mean nothing, gaps, rows behind other rows, timers without end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from spec.compiler.reader import Spec
from tunnel.spec.expressions import SPECIAL, All, Call, Compare, ExpressionError, Name, Not, Number, Some, Symbol, Tree, parse
from tunnel.spec.model import Machine, Row, Timer

OBJECTS = {"refusal": "refusals", "closing": "closings", "cause": "causes", "failure": "failures", "notice": "notices"}
"""What an action may take, and the table of `refusals.toml` in which it stands."""

BOUNDARIES = ("elapsed > duration", "elapsed >= duration")


def lint_machine(spec: Spec, file: str, machine: Machine) -> Iterator[str]:
    """Every finding about one machine."""
    if machine.machine != file:
        yield f"machine: {machine.machine!r} stands in {file}.toml"
    yield from _rules(spec, machine)
    yield from _states(machine)
    yield from _rows(machine)
    yield from _actions(spec, machine)
    yield from _timers(spec, machine)
    yield from _endless(machine)
    yield from _totality(machine)
    yield from _reach(machine)
    yield from _facts(machine)
    yield from _expressions(spec, machine)


def _rules(spec: Spec, machine: Machine) -> Iterator[str]:
    known = {rule.id for rule in spec.rules.rules}
    rows = [(f"row {row.id!r} of transitions", row.rules) for row in machine.transitions]
    rows += [(f"row {timer.name!r} of timers", timer.rules) for timer in machine.timers]
    rows += [(f"row {invariant.id!r} of invariants", invariant.rules) for invariant in machine.invariants]
    for where, rules in rows:
        yield from (f"{where}, rules: {rule!r} is not in rules.toml" for rule in rules if rule not in known)


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
    yield from (f"{where}: {name!r} is no state and no group" for name in machine.states_of(names) if name not in states)


def _actions(spec: Spec, machine: Machine) -> Iterator[str]:
    takes = {action.name: action.takes for action in machine.actions}
    for action in machine.actions:
        if action.takes and action.takes not in OBJECTS:
            yield f"row {action.name!r} of actions, takes: {action.takes!r} is none of {', '.join(OBJECTS)}"
    objects = {kind: {row.id for row in getattr(spec.refusals, table)} for kind, table in OBJECTS.items()}
    used: set[str] = set()
    for row in machine.transitions:
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
        yield from (f"{where}, restarts_on: {name!r} is no event and no action" for name in timer.restarts_on if name not in happenings)
    fired = {timer.fires for timer in machine.timers}
    for event in machine.events:
        if event.source == "timer" and event.name not in fired:
            yield f"row {event.name!r} of events, source: no timer fires it"


def _endless(machine: Machine) -> Iterator[str]:
    """A timer that fires has to stop or to begin anew: else it stays due, and fires for ever in one moment."""
    for timer in machine.timers:
        for state in machine.states_of(timer.runs_in) if timer.fires else ():
            for row in _tried(machine, state, timer.fires):
                if not _ends(machine, timer, state, row):
                    yield f"row {row.id!r} of transitions: it leaves timer {timer.name!r} due in {state!r}, to fire for ever"


def _ends(machine: Machine, timer: Timer, state: str, row: Row) -> bool:
    happens = {timer.fires, *(action.split()[0] for action in row.do if action)}
    stops = (state if row.to == "=" else row.to) not in machine.states_of(timer.runs_in)
    return stops or not happens.isdisjoint(timer.restarts_on)


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
    yield from (f"row {row.id!r} of transitions: no state and event leads to it" for row in machine.transitions if row.id not in reached)


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
        yield from (f"row {event.name!r} of events, facts: no row asks for {fact!r}" for fact in event.facts if fact not in asked)
        for fact in event.facts:
            if fact in SPECIAL | _state_names(machine) | _event_names(machine):
                yield f"row {event.name!r} of events, facts: {fact!r} already means something else"


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split()


class _Scope(NamedTuple):
    """What the words of an expression may be: the kind of each name, and for each function its kind and its words."""

    names: Mapping[str, str]
    symbols: Mapping[str, set[str]]
    calls: Mapping[str, tuple[str, Callable[[tuple[str, ...]], Iterable[str]]]]


def _expressions(spec: Spec, machine: Machine) -> Iterator[str]:
    states, events = _state_names(machine), _event_names(machine)
    timers = {timer.name for timer in machine.timers}
    verbs = {action.name for action in machine.actions}
    done = {action for row in machine.transitions for action in row.do}
    symbols = {"state": states, "old_state": states, "event": events}

    def timer(words: tuple[str, ...]) -> Iterator[str]:
        yield from (f"{word!r} is no timer" for word in words if word not in timers)

    def verb(words: tuple[str, ...]) -> Iterator[str]:
        yield from (f"{word!r} is no action" for word in words if word not in verbs)

    def deed(words: tuple[str, ...]) -> Iterator[str]:
        yield from verb(words[:1])
        if len(words) > 1 and " ".join(words) not in done:
            yield f"no row does {' '.join(words)!r}"

    asks = {"passed": ("bool", timer)}
    claims = {"did": ("bool", deed), "before": ("bool", verb), "count": ("number", verb)}
    ages = {"elapsed": ("number", timer), "started": ("bool", timer), "running": ("bool", timer)}
    facts = {event.name: dict.fromkeys(event.facts, "bool") for event in machine.events}
    for row in machine.transitions:
        if row.when:
            scope = _Scope({**facts.get(row.on, {}), "state": "state"}, symbols, asks)
            yield from _expression(f"row {row.id!r} of transitions, when", row.when, scope)
    every = {name: kind for names in facts.values() for name, kind in names.items()}
    constants = dict.fromkeys((timer.duration for timer in machine.timers if timer.duration in spec.constants), "number")
    scope = _Scope({**every, **constants, **dict(zip(SPECIAL, SPECIAL, strict=True))}, symbols, asks | claims | ages)
    for invariant in machine.invariants:
        yield from _expression(f"row {invariant.id!r} of invariants, holds", invariant.holds, scope)


def _expression(where: str, text: str, scope: _Scope) -> Iterator[str]:
    findings: list[str] = []
    try:
        _want("bool", parse(text), scope, findings)
    except ExpressionError as error:
        findings = [str(error)]
    yield from (f"{where}: {finding}" for finding in findings)


def _want(kind: str, tree: Tree, scope: _Scope, findings: list[str]) -> None:
    found = _kind(tree, scope, findings)
    if found not in (kind, "unknown"):
        findings.append(f"{_spelt(tree)} is a {found}, where a {kind} belongs")


def _kind(tree: Tree, scope: _Scope, findings: list[str]) -> str:
    """What a tree is worth: `bool`, `number`, `state`, `event`; what is not known is noted, once."""
    match tree:
        case Name(name):
            if name not in scope.names:
                findings.append(f"{name!r} is no fact of this event")
            return {"old_state": "state"}.get(scope.names.get(name, "unknown"), scope.names.get(name, "unknown"))
        case Symbol(_):
            return "unknown"
        case Number(_):
            return "number"
        case Call(function, words):
            if function not in scope.calls:
                findings.append(f"{function!r} has no meaning here")
                return "unknown"
            kind, check = scope.calls[function]
            findings += check(words)
            return kind
        case Not(inner):
            _want("bool", inner, scope, findings)
        case All(parts) | Some(parts):
            for part in parts:
                _want("bool", part, scope, findings)
        case Compare(_, Name(special), Symbol(word)) if special in scope.names:
            if word not in scope.symbols[special]:
                findings.append(f"{word!r} is no {_kind(Name(special), scope, findings)}")
        case Compare(op, left, right):
            kind = _kind(left, scope, findings)
            _want(kind if op in ("==", "!=") else "number", right, scope, findings)
            if op not in ("==", "!="):
                _want("number", left, scope, [])
    return "bool"


def _spelt(tree: Tree) -> str:
    match tree:
        case Name(name) | Symbol(name):
            return repr(name)
        case Number(value):
            return str(value)
        case Call(function, words):
            return f"{function}({', '.join(words)})"
        case _:
            return "an expression"


def _tried(machine: Machine, state: str, event: str) -> tuple[Row, ...]:
    return machine.rows_for(state, event) or machine.rows_for(state, "*")


def _state_names(machine: Machine) -> set[str]:
    return {state.name for state in machine.states}


def _event_names(machine: Machine) -> set[str]:
    return {event.name for event in machine.events}
