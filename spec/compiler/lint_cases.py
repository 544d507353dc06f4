"""What can be wrong with a conformance case: a word that nobody knows, a peer that is not there, a rule that it cannot prove."""

import re
from collections.abc import Iterator
from typing import Final

from spec.compiler.lint_tools import told_causes
from spec.compiler.reader import Spec
from tunnel.spec.model import Case, Observable, Role, Rule, Step

NEEDS: Final = frozenset({"time"})
"""What a case may need of a harness."""

COUNTED: Final = frozenset(
    {
        *("bytes", "depth", "times", "seconds", "head_bytes", "chars", "blanks"),
        *("backlog", "hole", "upto", "most", "code", "fragments"),
    }
)
"""Arguments that are whole numbers, or constants."""

TOLERABLE: Final = frozenset({"gone", "nothing"})
"""Outcomes that take no frame: those that do would find that what is expected has taken it."""

_LATER: Final = frozenset({"heard", "ended", "hung_up"})
"""What shows that an agent has been told everything that came before: a later message, or the end."""

_ID: Final = re.compile(r"[a-z]+(-[a-z0-9]+)+")
_NUMBER: Final = re.compile(r"\d+|\{[A-Z]+(_[A-Z]+)+\}( [+-] \d+)?")

_CONNECTS: Final = frozenset({"connect", "join", "dial", "http"})
_NEEDS_NOBODY: Final = frozenset({"open", "say", "listen", "await", "status", "close", "stop", "wait", "look"})
"""What the implementation's agent does, or the harness: no peer has to be there."""


def lint_cases(spec: Spec) -> Iterator[str]:
    """Findings about `cases.toml`, and about rules that its cases leave out."""
    known = {rule.id: rule for rule in spec.rules.rules}
    for case in spec.cases.cases:
        where = f"cases.toml: row {case.id!r} of cases"
        if not _ID.fullmatch(case.id):
            yield f"{where}, id: it is made of lower-case words, two or more, with hyphens between"
        if not case.rules:
            yield f"{where}, rules: it proves none"
        for rule in case.rules:
            if rule in known and case.judges not in _bound(known[rule]):
                yield f"{where}, rules: {rule} does not bind a {case.judges.value}"
        if not case.steps or not case.steps[-1].expect:
            yield f"{where}, steps: it ends without expecting anything"
        yield from (
            f"{where}, needs: {need!r} is nothing that a harness has" for need in case.needs if need not in NEEDS
        )
        if ("time" in case.needs) != any(step.do == "wait" for step in case.steps):
            yield f"{where}, needs: a case needs time exactly when one of its steps is 'wait'"
        yield from _steps(spec, where, case)
        yield from _unheard(where, case)
        yield from _tolerated(where, case)
    yield from _unproved(spec)


def _bound(rule: Rule) -> tuple[Role, ...]:
    return (Role.HOST, Role.GUEST) if rule.role is Role.BOTH else (rule.role,)


def _unproved(spec: Spec) -> Iterator[str]:
    """A rule whose breach a peer sees has a case for each role that it binds, whatever its level."""
    proved = {(rule, case.judges) for case in spec.cases.cases for rule in case.rules}
    for rule in spec.rules.rules:
        for role in _bound(rule) if rule.observable is Observable.WIRE else ():
            if (rule.id, role) not in proved:
                yield (
                    f"rules.toml: row {rule.id!r} of rules, observable: a {rule.level.value} of the {role.value} that can be "
                    "seen on the wire, and no case proves it"
                )


def _steps(spec: Spec, where: str, case: Case) -> Iterator[str]:
    verbs = {verb.name: verb.args for verb in spec.cases.verbs}
    outcomes = {outcome.name: outcome.args for outcome in spec.cases.outcomes}
    there: set[str] = set()
    for number, step in enumerate(case.steps, 1):
        at = f"{where}, step {number}"
        if step.do not in verbs:
            yield f"{at}, do: {step.do!r} is no verb"
        elif unknown := set(step.args) - set(verbs[step.do]):
            yield f"{at}, args: {step.do!r} takes no {', '.join(sorted(unknown))}"
        for field, found in (("expect", step.expect), *(("tolerate", name) for name in step.tolerate)):
            if found and found not in outcomes:
                yield f"{at}, {field}: {found!r} is no outcome"
        if step.expect in outcomes and (unknown := set(step.expects) - set(outcomes[step.expect])):
            yield f"{at}, expects: {step.expect!r} has no {', '.join(sorted(unknown))}"
        for name, value in (*step.args.items(), *step.expects.items()):
            if name in COUNTED and not _NUMBER.fullmatch(str(value)):
                yield f"{at}, {name}: {value!r} is no whole number, and no constant"
        yield from _expected(spec, at, step)
        if case.judges is Role.HOST:
            there |= _peers(step.by) if step.do in _CONNECTS else set()
            if step.do not in _NEEDS_NOBODY and (early := _peers(step.by) - there):
                yield f"{at}, by: {', '.join(sorted(early))} has not connected before"


def _unheard(where: str, case: Case) -> Iterator[str]:
    """An agent may be told late: what it has not heard, it may hear yet, until something comes that was sent later."""
    before = ""
    for number, step in enumerate(case.steps, 1):
        if step.expect == "unheard" and (before not in _LATER or step.do not in ("look", "listen")):
            yield f"{where}, step {number}, expect: 'unheard' proves nothing unless a 'look' behind a 'heard' or the end"
        elif step.expect != "unheard":
            before = step.expect


def _tolerated(where: str, case: Case) -> Iterator[str]:
    for number, step in enumerate(case.steps, 1):
        if taking := set(step.tolerate) - TOLERABLE:
            yield f"{where}, step {number}, tolerate: {', '.join(sorted(taking))} takes a frame, which the expectation has"
        if "gone" in step.tolerate and "CLOSE-4" in case.rules:
            yield f"{where}, step {number}, tolerate: who is only 'gone' has not said why, which CLOSE-4 asks for"


def _expected(spec: Spec, at: str, step: Step) -> Iterator[str]:
    """A reason, a cause or a code that is expected is one of the tables'."""
    tables = {
        "reason": (("refused", "one_admitted"), {row.text for row in spec.refusals.refusals}),
        "because": (("ended", "woken"), told_causes(spec)),
        "code": (("hung_up",), {row.code for row in spec.refusals.closings}),
    }
    for name, (outcomes, known) in tables.items():
        if step.expect in outcomes and name in step.expects and step.expects[name] not in known:
            where = "no closedBecause of tools.toml" if name == "because" else "not in refusals.toml"
            yield f"{at}, {name}: {step.expects[name]!r} is {where}"


def _peers(by: str) -> set[str]:
    """Whom `by` names: one, several with commas, or a range, which counts as one name; nobody named is `A`."""
    return {name.strip() for name in by.split(",")} - {""} or {"A"}
