"""What can be wrong with tables that are well-formed: findings, one sentence each, that name file, row and field."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from spec.compiler.lint_cases import lint_cases
from spec.compiler.lint_machine import lint_machine
from spec.compiler.lint_tools import lint_tools
from spec.compiler.reader import FILES, Spec
from tunnel.spec.model import Field, Observable, Role, Shape

PARTS = frozenset({"rows", "codec", "crypto", "link", "text", "core", "listener", "dialer", "driver", "app"})
"""What may carry out a rule."""

VISIBLE = ("operator", "ends", "kind")
"""Who can read a field."""


def lint(spec: Spec) -> list[str]:
    """Every finding; an empty list means that the spec is sound as far as reading it can tell."""
    findings = [
        *_files(spec),
        *_twice(spec),
        *_constants(spec),
        *_known_rules(spec),
        *_frames(spec),
        *_rules(spec),
        *_refusals(spec),
        *lint_tools(spec),
        *lint_cases(spec),
    ]
    for name, machine in spec.machines.items():
        findings += [f"{name}.toml: {finding}" for finding in lint_machine(spec, name, machine)]
    return findings


def _twice(spec: Spec) -> Iterator[str]:
    tables: dict[str, Iterable[str]] = {
        "protocol.toml, constants": (row.name for row in spec.protocol.constants),
        "frames.toml": (row.name for row in (*spec.frames.records, *spec.frames.frames)),
        "rules.toml, rules": (row.id for row in spec.rules.rules),
        "tools.toml, records": (row.name for row in spec.tools.records),
        "tools.toml, tools": (row.name for row in spec.tools.tools),
        "cases.toml, verbs": (row.name for row in spec.cases.verbs),
        "cases.toml, outcomes": (row.name for row in spec.cases.outcomes),
        "cases.toml, cases": (row.id for row in spec.cases.cases),
    }
    for kind in ("refusals", "closings", "causes", "failures", "notices"):
        tables[f"refusals.toml, {kind}"] = (row.id for row in getattr(spec.refusals, kind))
    for shape in (*spec.frames.records, *spec.frames.frames):
        tables[f"frames.toml, row {shape.name!r}, fields"] = (field.name for field in shape.fields)
    for record in spec.tools.records:
        tables[f"tools.toml, row {record.name!r}, fields"] = (field.name for field in record.fields)
    for tool in spec.tools.tools:
        tables[f"tools.toml, row {tool.name!r}, arguments"] = (field.name for field in tool.arguments)
    for name, machine in spec.machines.items():
        for kind in ("states", "events", "timers", "actions"):
            tables[f"{name}.toml, {kind}"] = (row.name for row in getattr(machine, kind))
        tables[f"{name}.toml, transitions"] = (row.id for row in machine.transitions)
        tables[f"{name}.toml, invariants"] = (row.id for row in machine.invariants)
    for table, ids in tables.items():
        for found, times in Counter(ids).items():
            if times > 1:
                yield f"{table}: {found!r} stands there {times} times"


def _files(spec: Spec) -> Iterator[str]:
    if spec.protocol.files != FILES:
        yield f"protocol.toml: files: they are {', '.join(FILES)}"


def _constants(spec: Spec) -> Iterator[str]:
    """A constant that a text names is in `protocol.toml`; so a bound that is renamed is renamed everywhere."""
    texts = {f"protocol.toml: row {row.name!r} of constants, doc": row.doc for row in spec.protocol.constants}
    texts |= {f"rules.toml: row {rule.id!r} of rules, text": rule.text for rule in spec.rules.rules}
    for shape in (*spec.frames.records, *spec.frames.frames):
        for field in shape.fields:
            texts[f"frames.toml: row {shape.name!r}, row {field.name!r} of fields, encoding"] = field.encoding
    for case in spec.cases.cases:
        for number, step in enumerate(case.steps, 1):
            for name, value in {"by": step.by, **step.args, **step.expects}.items():
                texts[f"cases.toml: row {case.id!r}, step {number}, {name}"] = str(value)
    for where, text in texts.items():
        for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text):
            if name not in spec.constants:
                yield f"{where}: {name!r} is no constant of protocol.toml"


def _known_rules(spec: Spec) -> Iterator[str]:
    named = {f"frames.toml: row {shape.name!r}": shape.rules for shape in (*spec.frames.records, *spec.frames.frames)}
    named |= {f"cases.toml: row {case.id!r} of cases": case.rules for case in spec.cases.cases}
    for name, machine in spec.machines.items():
        named |= {f"{name}.toml: row {row.id!r} of transitions": row.rules for row in machine.transitions}
        named |= {f"{name}.toml: row {timer.name!r} of timers": timer.rules for timer in machine.timers}
        named |= {
            f"{name}.toml: row {invariant.id!r} of invariants": invariant.rules for invariant in machine.invariants
        }
    known = {rule.id for rule in spec.rules.rules}
    for where, rules in named.items():
        yield from (f"{where}, rules: {rule!r} is not in rules.toml" for rule in rules if rule not in known)


def _frames(spec: Spec) -> Iterator[str]:
    records = {record.name for record in spec.frames.records}
    for record in spec.frames.records:
        if record.sender is not None:
            yield f"frames.toml: row {record.name!r} of records, sender: a record is in frames, and has no sender of its own"
    for frame in spec.frames.frames:
        if frame.sender not in (Role.HOST, Role.GUEST):
            yield f"frames.toml: row {frame.name!r} of frames, sender: a frame comes from host or guest"
    for shape in (*spec.frames.records, *spec.frames.frames):
        for field in shape.fields:
            yield from _field(spec, records, shape, field)


def _field(spec: Spec, records: set[str], shape: Shape, field: Field) -> Iterator[str]:
    where = f"frames.toml: row {shape.name!r}, row {field.name!r} of fields"
    match field.type.split():
        case ["string" | "integer" | "number" | "any" | "const"] | ["one", "of", _, *_]:
            pass
        case [record] | [record, "list"] if record in records:
            pass
        case _:
            yield f"{where}, type: {field.type!r} is no type"
    if field.max and field.max not in spec.constants:
        yield f"{where}, max: {field.max!r} is no constant of protocol.toml"
    if field.type == "integer" and (field.min is None or not field.max):
        yield f"{where}, min and max: an integer has a least and a greatest value"
    if field.type == "const" and field.value is None:
        yield f"{where}, value: a const says what the sender writes"
    yield from _visible(where, shape, field)


def _visible(where: str, shape: Shape, field: Field) -> Iterator[str]:
    if field.visible not in VISIBLE:
        yield f"{where}, visible: {field.visible!r} is none of {', '.join(VISIBLE)}"
    if field.visible != "operator" and not field.visible_note:
        yield f"{where}, visible_note: where the operator does not read all of it, it says who does, and what the operator sees"
    if field.visible == "kind" and all(other.name != "kind" for other in shape.fields):
        yield f"{where}, visible: {shape.name!r} has no field 'kind' that it could depend on"


def _rules(spec: Spec) -> Iterator[str]:
    carried = {
        rule
        for machine in spec.machines.values()
        for row in (*machine.transitions, *machine.timers)
        for rule in row.rules
    }
    known = {rule.id for rule in spec.rules.rules}
    for rule in spec.rules.rules:
        where = f"rules.toml: row {rule.id!r} of rules"
        if rule.carried_by not in PARTS:
            yield f"{where}, carried_by: nothing is called {rule.carried_by!r}; it is one of {', '.join(sorted(PARTS))}"
        if rule.carried_by == "rows" and rule.id not in carried:
            yield f"{where}, carried_by: no row and no timer carries it out"
        if rule.observable in (Observable.MODEL, Observable.NONE) and not rule.why:
            yield f"{where}, why: it cannot be observed from outside, and does not say why"
        for other in re.findall(r"\b[A-Z]+-\d+\b", rule.text):
            # Names of ciphers and the like have the same look; only families of rules are ours.
            if other not in known and any(other.split("-")[0] == name.split("-")[0] for name in known):
                yield f"{where}, text: {other!r} is not in rules.toml"


def _refusals(spec: Spec) -> Iterator[str]:
    closings = {closing.id for closing in spec.refusals.closings}
    claimed: Counter[str] = Counter()
    for cause in spec.refusals.causes:
        claimed.update(cause.closings)
        for closing in cause.closings:
            if closing not in closings:
                yield f"refusals.toml: row {cause.id!r} of causes, closings: {closing!r} is no closing"
    for closing, times in claimed.items():
        if times > 1:
            yield f"refusals.toml: row {closing!r} of closings: it means {times} causes"
