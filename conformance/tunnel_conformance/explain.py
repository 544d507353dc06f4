"""What stands behind a rule or a case: its sentence, what carries it out, and how a breach of it is seen."""

from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import wrap
from typing import Final

from tunnel.spec.model import Bundle, Case, Observable, Role, Rule
from tunnel_conformance.report.words import step_in_words
from tunnel_conformance.spec import rules, spec

SEEN: Final = {
    Observable.WIRE: "On the wire: by what a peer receives, or fails to receive.",
    Observable.TOOL: "By the agent of the same side: in a result, an error or a status.",
    Observable.MODEL: "Only where the clock is an argument: no program can be judged by it from outside.",
    Observable.NONE: "Not from outside.",
}

_WIDTH: Final = 100


class UnknownName(Exception):
    """No rule and no case has this name; the text says which are near."""


def explain(name: str) -> Iterator[str]:
    """The lines about a rule or a case.

    Raises:
        UnknownName: there is none of this name.
    """
    cases = {case.id: case for case in spec().cases.cases}
    if name.upper() in rules():
        return _rule(rules()[name.upper()], spec())
    if name.lower() in cases:
        return _case(cases[name.lower()])
    near = [*get_close_matches(name.upper(), rules(), n=3), *get_close_matches(name.lower(), cases, n=3)]
    hint = f"Near are: {', '.join(near)}." if near else "`tunnel-conformance list` names all cases and their rules."
    raise UnknownName(f"No rule and no case is called {name!r}. {hint}")


def listed(role: Role | None, rule: str) -> list[Case]:
    """The cases of a role that prove a rule; of both roles, and of all rules, where none is named."""
    return [
        case
        for case in spec().cases.cases
        if (role is None or case.judges is role) and (not rule or rule.upper() in case.rules)
    ]


def _rule(rule: Rule, bundle: Bundle) -> Iterator[str]:
    both = "host and guest" if rule.role is Role.BOTH else rule.role.value
    yield f"{rule.id}  {rule.level.value}, binds {both}"
    yield from _paragraph(rule.text)
    if rule.why:
        yield from _paragraph(f"Why: {rule.why}")
    yield "Seen"
    yield from _paragraph(SEEN[rule.observable])
    yield "Carried out by"
    yield from _items(_carriers(rule, bundle))
    yield "Must hold after every step"
    yield from _items(
        f"{name}/{invariant.id}: {invariant.doc}"
        for name, machine in bundle.machines.items()
        for invariant in machine.invariants
        if rule.id in invariant.rules
    )
    yield "Cases"
    yield from _items(f"{case.id} ({case.judges.value}): {case.title}" for case in listed(None, rule.id))


def _carriers(rule: Rule, bundle: Bundle) -> Iterator[str]:
    if rule.carried_by != "rows":
        yield f"the {rule.carried_by} of an implementation"
    for name, machine in bundle.machines.items():
        for row in machine.transitions:
            if rule.id in row.rules:
                when = f" when {row.when}" if row.when else ""
                does = f": {', '.join(row.do)}" if row.do else ""
                yield f"{name}/{row.id}: on {row.on} from {' or '.join(row.leaves)}{when} -> {row.to}{does}"
        for timer in machine.timers:
            if rule.id in timer.rules:
                yield f"{name}/timer {timer.name}: {timer.duration} = {bundle.constants[timer.duration]} s. {timer.doc}"


def _case(case: Case) -> Iterator[str]:
    yield f"{case.id}  judges a {case.judges.value}"
    yield from _paragraph(case.title)
    if case.needs:
        yield from _paragraph(f"Needs: {', '.join(case.needs)}")
    yield "Rules"
    yield from _items(f"{rule} {rules()[rule].level.value}: {rules()[rule].text}" for rule in case.rules)
    yield "Steps"
    yield from _items(f"{number}. {step_in_words(step)}" for number, step in enumerate(case.steps, 1))
    yield "Seen"
    docs = {outcome.name: outcome.doc for outcome in spec().cases.outcomes}
    seen = dict.fromkeys(step.expect for step in case.steps if step.expect)
    yield from _items(f"{name}: {docs[name]}" for name in seen)


def _paragraph(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _items(items: Iterator[str]) -> Iterator[str]:
    empty = True
    for item in items:
        empty = False
        yield from wrap(item, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    if empty:
        yield "  (none)"
