"""Follows every rule to what carries it out, proves it and tests it, and everything that names a rule back to it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from spec.compiler.python import environment
from spec.compiler.reader import Spec
from spec.compiler.versions import numbers, read_version
from tunnel.spec.model import Observable, Rule

RULE_ID = re.compile(r"\b[A-Z]+-[0-9]+\b")

FOREIGN = frozenset({"ASI", "ISO", "RFC", "SHA", "TLS", "UTF"})
"""What looks like the area of a rule and is none: standards of others, and risks in their lists."""


class Traced(Struct, frozen=True, kw_only=True):
    """A rule, and the names of what stands behind it."""

    rule: Rule
    rows: list[str]
    invariants: list[str]
    cases: list[str]
    tests: list[str]

    @property
    def carried_by(self) -> list[str]:
        """The rows and timers, or the part of the implementation."""
        return self.rows if self.rule.carried_by == "rows" else [f"the {self.rule.carried_by}", *self.rows]


def trace(spec: Spec, root: Path) -> list[Traced]:
    """Every rule of the spec, in its order."""
    tests = tests_by_rule(root / "tests")
    return [
        Traced(
            rule=rule,
            rows=[
                f"{name}/{row.id}"
                for name, machine in spec.machines.items()
                for row in machine.transitions
                if rule.id in row.rules
            ]
            + [
                f"{name}/timer {t.name}"
                for name, machine in spec.machines.items()
                for t in machine.timers
                if rule.id in t.rules
            ],
            invariants=[
                f"{name}/{i.id}"
                for name, machine in spec.machines.items()
                for i in machine.invariants
                if rule.id in i.rules
            ],
            cases=[case.id for case in spec.cases.cases if rule.id in case.rules],
            tests=tests.get(rule.id, []),
        )
        for rule in spec.rules.rules
    ]


def tests_by_rule(tests: Path) -> dict[str, list[str]]:
    """The tests that name a rule in their docstring, by rule: `core/test_host.py::test_...`."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for rule in dict.fromkeys(RULE_ID.findall(ast.get_docstring(node) or "")):
                    found.setdefault(rule, []).append(f"{path.relative_to(tests).as_posix()}::{node.name}")
    return found


def gaps(spec: Spec, root: Path) -> list[str]:
    """What is not traced, in sentences: rules without what must stand behind them, and names of rules behind nothing."""
    return [*_rules_without(trace(spec, root)), *_without_rules(spec), *_unknown(spec, root)]


def _rules_without(traced: list[Traced]) -> Iterator[str]:
    for one in traced:
        where = f"rule {one.rule.id}"
        if not one.tests and one.rule.observable is not Observable.NONE:
            yield f"{where}: no test names it in its docstring"
        if one.rule.carried_by == "rows" and not one.invariants:
            yield f"{where}: rows carry it out, and no invariant says what must hold"


def _without_rules(spec: Spec) -> Iterator[str]:
    for name, machine in spec.machines.items():
        yield from (
            f"{name}.toml: row {row.id!r} does something and names no rule"
            for row in machine.transitions
            if row.do and not row.rules
        )
        yield from (
            f"{name}.toml: row {row.id!r} leads elsewhere and names no rule"
            for row in machine.transitions
            if row.to != "=" and not row.do and not row.rules
        )
        yield from (f"{name}.toml: timer {timer.name!r} names no rule" for timer in machine.timers if not timer.rules)
        yield from (f"{name}.toml: invariant {i.id!r} names no rule" for i in machine.invariants if not i.rules)


def _unknown(spec: Spec, root: Path) -> Iterator[str]:
    # Another version may have rules of its own, and tests for them.
    others = [read_version(root, wire) for wire in numbers(root) if wire != spec.protocol.wire]
    known = {rule.id for one in (spec, *others) for rule in one.rules.rules}
    for rule, tests in tests_by_rule(root / "tests").items():
        if rule not in known and rule.partition("-")[0] not in FOREIGN:
            yield f"{tests[0]}: names {rule}, which is no rule"


def table(spec: Spec, root: Path) -> str:
    """The trace as a page of Markdown."""
    return environment().get_template("trace.md.jinja").render(spec=spec, traced=trace(spec, root))
