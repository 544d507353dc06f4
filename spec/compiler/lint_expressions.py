"""What can be wrong with a condition or an invariant: a word that means nothing there, or a comparison of unlike things."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from tunnel.spec.expressions import All, Call, Compare, ExpressionError, Name, Not, Number, Some, Symbol, Tree, parse
from tunnel.spec.model import Machine

Kind = Literal["truth", "number", "state", "event", "unknown"]
"""What an expression is worth; `unknown` was complained about already."""


class Scope(NamedTuple):
    """What the words of an expression may be."""

    names: Mapping[str, Kind]
    symbols: Mapping[Kind, set[str]]
    calls: Mapping[str, tuple[Kind, Callable[[tuple[str, ...]], Iterable[str]]]]
    """What each function is worth, and what is wrong with its words."""
    known: str
    """What names there are, for whoever used another."""


def lint_expressions(machine: Machine) -> Iterator[str]:
    """Every finding about the conditions and invariants of one machine."""
    timers = {timer.name for timer in machine.timers}
    verbs = {action.name for action in machine.actions}
    done = {action for row in machine.transitions for action in row.do}

    def timer(words: tuple[str, ...]) -> Iterator[str]:
        yield from (f"{word!r} is no timer" for word in words if word not in timers)

    def verb(words: tuple[str, ...]) -> Iterator[str]:
        yield from (f"{word!r} is no action" for word in words if word not in verbs)

    def deed(words: tuple[str, ...]) -> Iterator[str]:
        yield from verb(words[:1])
        if len(words) > 1 and " ".join(words) not in done:
            yield f"no row does {' '.join(words)!r}"

    symbols: dict[Kind, set[str]] = {
        "state": {s.name for s in machine.states},
        "event": {e.name for e in machine.events},
    }
    facts: dict[str, dict[str, Kind]] = {event.name: dict.fromkeys(event.facts, "truth") for event in machine.events}
    for row in machine.transitions:
        if row.when:
            names: dict[str, Kind] = {**facts.get(row.on, {}), "state": "state"}
            scope = Scope(names, symbols, {"passed": ("truth", timer)}, "fact of this event")
            yield from _expression(f"row {row.id!r} of transitions, when", row.when, scope)
    names = {"state": "state", "old_state": "state", "event": "event"}
    for every in facts.values():
        names |= every
    names |= dict.fromkeys((t.duration for t in machine.timers), "number")
    ages: dict[str, tuple[Kind, Callable[[tuple[str, ...]], Iterable[str]]]] = {
        "passed": ("truth", timer),
        "elapsed": ("number", timer),
        "started": ("truth", timer),
        "running": ("truth", timer),
        "did": ("truth", deed),
        "before": ("truth", verb),
        "count": ("number", verb),
    }
    scope = Scope(names, symbols, ages, "fact of an event and no duration of a timer")
    for invariant in machine.invariants:
        yield from _expression(f"row {invariant.id!r} of invariants, holds", invariant.holds, scope)


def _expression(where: str, text: str, scope: Scope) -> Iterator[str]:
    findings: list[str] = []
    try:
        _want("truth", parse(text), scope, findings)
    except ExpressionError as error:
        findings = [str(error)]
    yield from (f"{where}: {finding}" for finding in findings)


def _want(kind: Kind, tree: Tree, scope: Scope, findings: list[str]) -> None:
    found = _kind(tree, scope, findings)
    if "unknown" not in (found, kind) and found != kind:
        findings.append(f"{_spelt(tree)} is a {found}, where a {kind} belongs")


def _kind(tree: Tree, scope: Scope, findings: list[str]) -> Kind:
    """What a tree is worth; what is wrong inside it is noted."""
    match tree:
        case Name(name):
            if name not in scope.names:
                findings.append(f"{name!r} is no {scope.known}")
            return scope.names.get(name, "unknown")
        case Symbol(_):
            return "unknown"
        case Number(_):
            return "number"
        case Call(function, words) if function in scope.calls:
            kind, check = scope.calls[function]
            findings += check(words)
            return kind
        case Call(function, _):
            findings.append(f"{function!r} has no meaning here")
            return "unknown"
        case Not(inner):
            _want("truth", inner, scope, findings)
        case All(parts) | Some(parts):
            for part in parts:
                _want("truth", part, scope, findings)
        case Compare(op, left, right):
            _comparison(op, left, right, scope, findings)
    return "truth"


def _comparison(op: str, left: Tree, right: Tree, scope: Scope, findings: list[str]) -> None:
    if op not in ("==", "!="):
        _want("number", left, scope, findings)
        _want("number", right, scope, findings)
        return
    kind = _kind(left, scope, findings)
    _want(kind, right, scope, findings)
    if isinstance(right, Symbol) and kind in scope.symbols and right.name not in scope.symbols[kind]:
        findings.append(f"{right.name!r} is no {kind}")


def _spelt(tree: Tree) -> str:
    match tree:
        case Name(name) | Symbol(name):
            return repr(name)
        case Number(value):
            return str(value)
        case Call(function, words):
            return f"{function}({', '.join(words)})"
        case _:
            return "a comparison"
