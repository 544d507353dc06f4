"""What can be wrong with tables that are well-formed: findings, one sentence each, that name file and row."""

from collections import Counter
from collections.abc import Iterable, Iterator

from spec.compiler.reader import Spec
from tunnel.spec.expressions import SPECIAL, Call, ExpressionError, Name, Symbol, parse, walk
from tunnel.spec.model import Level, Machine, Observable

PARTS = frozenset({"rows", "codec", "crypto", "link", "text", "core", "listener", "dialer", "driver", "app"})
"""What may carry out a rule."""


def lint(spec: Spec) -> list[str]:
    """Every finding; an empty list means that the spec is sound as far as reading it can tell."""
    findings = [*_twice(spec), *_frames(spec), *_rules(spec), *_refusals(spec), *_cases(spec)]
    for name, machine in spec.machines.items():
        findings += [f"{name}.toml: {finding}" for finding in _machine(spec, machine)]
    return findings


def _twice(spec: Spec) -> Iterator[str]:
    tables: dict[str, Iterable[str]] = {
        "protocol.toml": (row.name for row in spec.protocol.constants),
        "frames.toml": (row.name for row in (*spec.frames.records, *spec.frames.frames)),
        "rules.toml": (row.id for row in spec.rules.rules),
        "cases.toml": (row.id for row in spec.cases.cases),
    }
    for kind in ("refusals", "closings", "causes", "failures", "notices"):
        tables[f"refusals.toml, {kind}"] = (row.id for row in getattr(spec.refusals, kind))
    for name, machine in spec.machines.items():
        for kind in ("states", "events", "timers", "actions"):
            tables[f"{name}.toml, {kind}"] = (row.name for row in getattr(machine, kind))
        tables[f"{name}.toml, transitions"] = (row.id for row in machine.transitions)
        tables[f"{name}.toml, invariants"] = (row.id for row in machine.invariants)
    for table, ids in tables.items():
        for found, times in Counter(ids).items():
            if times > 1:
                yield f"{table}: {found!r} stands there {times} times"


def _known_rules(spec: Spec, where: str, rules: Iterable[str]) -> Iterator[str]:
    known = {rule.id for rule in spec.rules.rules}
    yield from (f"{where}: rule {rule!r} is not in rules.toml" for rule in rules if rule not in known)


def _frames(spec: Spec) -> Iterator[str]:
    records = {record.name for record in spec.frames.records}
    simple = {"string", "integer", "number", "any", "const"}
    for shape in (*spec.frames.records, *spec.frames.frames):
        where = f"frames.toml: {shape.name!r}"
        yield from _known_rules(spec, where, shape.rules)
        for field in shape.fields:
            words = field.type.split()
            if not (field.type in simple or words[:2] == ["one", "of"] or (words[0] in records and words[1:] in ([], ["list"]))):
                yield f"{where}, field {field.name!r}: {field.type!r} is no type"
            if field.max and field.max not in spec.constants:
                yield f"{where}, field {field.name!r}: {field.max!r} is no constant of protocol.toml"
            if field.type == "integer" and (field.min is None or not field.max):
                yield f"{where}, field {field.name!r}: an integer has a least and a greatest value"


def _rules(spec: Spec) -> Iterator[str]:
    carried = {rule for machine in spec.machines.values() for row in (*machine.transitions, *machine.timers) for rule in row.rules}
    proved = {rule for case in spec.cases.cases for rule in case.rules}
    for rule in spec.rules.rules:
        where = f"rules.toml: {rule.id}"
        if rule.carried_by not in PARTS:
            yield f"{where}: nothing is called {rule.carried_by!r}; it is one of {', '.join(sorted(PARTS))}"
        if rule.carried_by == "rows" and rule.id not in carried:
            yield f"{where}: no row and no timer carries it out"
        if rule.observable is Observable.NONE and not rule.why:
            yield f"{where}: it cannot be observed, and does not say why"
        binding = rule.level in (Level.MUST, Level.MUST_NOT)
        if binding and rule.observable is Observable.WIRE and rule.id not in proved:
            yield f"{where}: a {rule.level.value} that can be seen on the wire, and no case proves it"


def _refusals(spec: Spec) -> Iterator[str]:
    closings = {closing.id for closing in spec.refusals.closings}
    claimed = Counter(closing for cause in spec.refusals.causes for closing in cause.closings)
    for closing, times in claimed.items():
        if closing not in closings:
            yield f"refusals.toml: cause with closing {closing!r}, which does not exist"
        if times > 1:
            yield f"refusals.toml: closing {closing!r} means {times} causes"


def _cases(spec: Spec) -> Iterator[str]:
    verbs = {verb.name: verb.args for verb in spec.cases.verbs}
    outcomes = {outcome.name: outcome.args for outcome in spec.cases.outcomes}
    for case in spec.cases.cases:
        where = f"cases.toml: {case.id!r}"
        yield from _known_rules(spec, where, case.rules)
        if not case.rules:
            yield f"{where}: it proves no rule"
        if not any(step.expect for step in case.steps):
            yield f"{where}: it expects nothing"
        for number, step in enumerate(case.steps, 1):
            if step.do not in verbs:
                yield f"{where}, step {number}: {step.do!r} is no verb"
            elif unknown := set(step.args) - set(verbs[step.do]):
                yield f"{where}, step {number}: {step.do!r} takes no {', '.join(sorted(unknown))}"
            for expected in (step.expect, *step.tolerate):
                if expected and expected not in outcomes:
                    yield f"{where}, step {number}: {expected!r} is no outcome"
            if step.expect in outcomes and (unknown := set(step.expects) - set(outcomes[step.expect])):
                yield f"{where}, step {number}: {step.expect!r} has no {', '.join(sorted(unknown))}"


def _machine(spec: Spec, machine: Machine) -> Iterator[str]:
    states = {state.name for state in machine.states}
    events = {event.name for event in machine.events}
    yield from _words(spec, machine, states, events)
    yield from _timers(spec, machine, states, events)
    yield from _totality(machine)
    yield from _reach(machine, states)
    yield from _expressions(machine, states, events)


def _words(spec: Spec, machine: Machine, states: set[str], events: set[str]) -> Iterator[str]:
    if machine.initial not in states:
        yield f"initial {machine.initial!r} is no state"
    for group, names in machine.groups.items():
        yield from (f"group {group!r}: {name!r} is no state" for name in names if name not in states)
    objects = {kind: {row.id for row in getattr(spec.refusals, f"{kind}s")} for kind in ("refusal", "closing", "cause", "failure", "notice")}
    kinds = {action.name: action.takes for action in machine.actions}
    used: set[str] = set()
    for row in machine.transitions:
        where = f"row {row.id!r}"
        yield from _known_rules(spec, where, row.rules)
        if row.id != row.id.lower() or not row.id.replace("-", "").isalnum():
            yield f"{where}: an id is made of lower-case words with hyphens"
        if row.on != "*" and row.on not in events:
            yield f"{where}: {row.on!r} is no event"
        if row.to != "=" and row.to not in states:
            yield f"{where}: {row.to!r} is no state"
        yield from (f"{where}: {name!r} is no state and no group" for name in machine.states_of(row.leaves) if name not in states)
        for action in row.do:
            verb, *rest = action.split()
            used.add(verb)
            if verb not in kinds:
                yield f"{where}: {verb!r} is no action"
            elif (kinds[verb] == "" and rest) or (kinds[verb] and (len(rest) != 1 or rest[0] not in objects[kinds[verb]])):
                yield f"{where}: {action!r} does not name a {kinds[verb] or 'bare action'} of refusals.toml"
    yield from (f"action {name!r}: no row does it" for name in kinds if name not in used)
    for invariant in machine.invariants:
        yield from _known_rules(spec, f"invariant {invariant.id!r}", invariant.rules)


def _timers(spec: Spec, machine: Machine, states: set[str], events: set[str]) -> Iterator[str]:
    actions = {action.name for action in machine.actions}
    for timer in machine.timers:
        where = f"timer {timer.name!r}"
        yield from _known_rules(spec, where, timer.rules)
        if timer.duration not in spec.constants:
            yield f"{where}: {timer.duration!r} is no constant of protocol.toml"
        if timer.passed_when not in ("elapsed > duration", "elapsed >= duration"):
            yield f"{where}: {timer.passed_when!r} is neither 'elapsed > duration' nor 'elapsed >= duration'"
        if timer.fires and timer.fires not in events:
            yield f"{where}: it fires {timer.fires!r}, which is no event"
        if timer.fires and timer.passed_when != "elapsed >= duration":
            yield f"{where}: a timer that fires does so at its time, so it has passed when elapsed >= duration"
        yield from (f"{where}: {name!r} is no state and no group" for name in machine.states_of(timer.runs_in) if name not in states)
        yield from (f"{where}: {name!r} is no event and no action" for name in timer.restarts_on if name not in events | actions)
    fired = {timer.fires for timer in machine.timers}
    yield from (f"event {e.name!r}: it comes from a timer, and no timer fires it" for e in machine.events if e.source == "timer" and e.name not in fired)


def _totality(machine: Machine) -> Iterator[str]:
    reached: set[str] = set()
    for state in machine.states:
        for event in machine.events:
            rows = machine.rows_for(state.name, event.name) or machine.rows_for(state.name, "*")
            where = f"({state.name}, {event.name})"
            if not rows:
                yield f"{where}: no row says what happens"
                continue
            if rows[-1].when:
                yield f"{where}: the last row, {rows[-1].id!r}, has a condition"
            for index, row in enumerate(rows[:-1]):
                if not row.when:
                    yield f"{where}: rows behind {row.id!r} are never tried"
                    rows = rows[: index + 1]
                    break
            reached.update(row.id for row in rows)
    yield from (f"row {row.id!r}: no state and event leads to it" for row in machine.transitions if row.id not in reached)


def _reach(machine: Machine, states: set[str]) -> Iterator[str]:
    edges = {(s, s if row.to == "=" else row.to) for row in machine.transitions for s in machine.states_of(row.leaves)}
    found = _closure({machine.initial}, edges)
    yield from (f"state {state!r} cannot be reached" for state in sorted(states - found))
    final = {state.name for state in machine.states if state.final}
    home = _closure(final, {(target, source) for source, target in edges})
    yield from (f"state {state!r} never ends" for state in sorted(states - home))
    yield from (f"state {s!r} is final and leads to {t!r}" for s, t in sorted(edges) if s in final and t != s)


def _closure(start: set[str], edges: set[tuple[str, str]]) -> set[str]:
    found, more = set(start), True
    while more:
        new = {target for source, target in edges if source in found} - found
        found |= new
        more = bool(new)
    return found


def _expressions(machine: Machine, states: set[str], events: set[str]) -> Iterator[str]:
    facts = {event.name: set(event.facts) for event in machine.events}
    every = set[str]().union(*facts.values())
    for row in machine.transitions:
        if row.when:
            names = facts.get(row.on, every)
            yield from _expression(machine, f"row {row.id!r}", row.when, names | {"state"}, {"passed"}, states | events)
    for invariant in machine.invariants:
        where = f"invariant {invariant.id!r}"
        yield from _expression(machine, where, invariant.holds, every | SPECIAL, {"passed", "did", "count"}, states | events)


def _expression(machine: Machine, where: str, text: str, names: set[str], calls: set[str], symbols: set[str]) -> Iterator[str]:
    timers = {timer.name for timer in machine.timers}
    actions = {action.name for action in machine.actions}
    done = {action for row in machine.transitions for action in row.do}
    try:
        nodes = walk(parse(text))
    except ExpressionError as error:
        yield f"{where}: {error}"
        return
    for node in nodes:
        match node:
            case Name(name) if name not in names:
                yield f"{where}: {name!r} is no fact of this event"
            case Symbol(name) if name not in symbols:
                yield f"{where}: {name!r} is no state and no event"
            case Call(function, _) if function not in calls:
                yield f"{where}: {function!r} has no meaning here"
            case Call("passed", (timer,)) if timer not in timers:
                yield f"{where}: {timer!r} is no timer"
            case Call("did" | "count", (verb,)) if verb not in actions:
                yield f"{where}: {verb!r} is no action"
            case Call("did", (verb, what)) if f"{verb} {what}" not in done:
                yield f"{where}: no row does {verb} {what!r}"
            case _:
                pass
