"""Every small mistake that could stand in the table of a machine, one at a time.

A mutant is made of the table's own words, so that it can be read: what is wrong with it is what it says.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from msgspec.structs import replace

from spec.compiler.lint_machine import BOUNDARIES, OBJECTS
from spec.compiler.reader import Spec
from tunnel.spec.model import Machine, Row, Timer


class Mutant(NamedTuple):
    """A machine with one mistake in it."""

    machine: str
    kind: str
    where: str
    """Row or timer, and what was done to it."""
    table: Machine


def mutants(spec: Spec) -> Iterator[Mutant]:
    """All of them, in the order of the tables."""
    seconds = [constant.name for constant in spec.protocol.constants if constant.unit == "seconds"]
    for name, machine in spec.machines.items():
        vocabulary = list(dict.fromkeys(action for row in machine.transitions for action in row.do))
        objects = _objects(spec, machine)
        for index, row in enumerate(machine.transitions):
            for kind, what, rows in _of_row(machine, index, row, vocabulary, objects):
                yield Mutant(name, kind, f"{row.id}: {what}", replace(machine, transitions=rows))
        for index, timer in enumerate(machine.timers):
            for kind, what, changed in _of_timer(machine, timer, seconds):
                timers = (*machine.timers[:index], changed, *machine.timers[index + 1 :])
                yield Mutant(name, kind, f"timer {timer.name}: {what}", replace(machine, timers=timers))
        for state in machine.states:
            if state.name != machine.initial:
                yield Mutant(name, "begin elsewhere", state.name, replace(machine, initial=state.name))


Changed = tuple[str, str, tuple[Row, ...]]


def _of_row(
    machine: Machine, index: int, row: Row, actions: list[str], objects: dict[str, list[str]]
) -> Iterator[Changed]:
    before, behind = machine.transitions[:index], machine.transitions[index + 1 :]

    def changed(kind: str, what: str, **fields: Any) -> Changed:  # the fields of a row, each with its own type
        return kind, what, (*before, replace(row, **fields), *behind)

    yield "drop a row", "dropped", (*before, *behind)
    for target in _targets(machine, row):
        yield changed("go elsewhere", f"to {target}", to=target)
    for when in _conditions(row.when):
        yield changed("change a condition", f"when {when or 'always'}", when=when)
    for leaves, what in _other_states(machine, row.leaves):
        yield changed("widen or narrow `from`", what, leaves=leaves)
    for at, action in enumerate(row.do):
        yield changed("drop an action", f"without {action}", do=(*row.do[:at], *row.do[at + 1 :]))
        for other in objects.get(action, ()):
            yield changed("change an object", f"{other} for {action}", do=(*row.do[:at], other, *row.do[at + 1 :]))
    for action in actions:
        if action not in row.do:
            for at, behind_it in enumerate(row.do):
                yield changed("add an action", f"{action} before {behind_it}", do=(*row.do[:at], action, *row.do[at:]))
            yield changed("add an action", f"and {action}", do=(*row.do, action))
    for at in range(len(row.do) - 1):
        order = (*row.do[:at], row.do[at + 1], row.do[at], *row.do[at + 2 :])
        yield changed("swap actions", f"does {', '.join(order)}", do=order)
    if (at := _rival(machine, row, behind)) is not None:
        # To behind its next rival, and no farther: nothing else changes places with it.
        yield "swap rows", f"behind {behind[at].id}", (*before, *behind[: at + 1], row, *behind[at + 1 :])


def _targets(machine: Machine, row: Row) -> Iterator[str]:
    leaves = machine.states_of(row.leaves)
    same = {row.to, *(leaves if row.to == "=" and len(leaves) == 1 else ()), *("=" if leaves == (row.to,) else "")}
    yield from (target for target in ("=", *(state.name for state in machine.states)) if target not in same)


def _conditions(when: str) -> Iterator[str]:
    """The condition turned round, without it, and with each operand of it turned round or left out."""
    if not when:
        return
    yield f"not ({when})"
    yield ""
    tree = ast.parse(when, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp):
            values = node.values
            for at in range(len(values)):
                turned = ast.UnaryOp(ast.Not(), values[at])
                for instead in ([turned], []):
                    node.values = [*values[:at], *instead, *values[at + 1 :]]
                    # With one operand left it is written as that operand.
                    yield ast.unparse(ast.fix_missing_locations(tree))
            node.values = values


def _other_states(machine: Machine, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    found = machine.states_of(names)
    for state in (state.name for state in machine.states):
        if state not in found:
            yield (*found, state), f"also {state}"
        elif len(found) > 1:
            yield tuple(name for name in found if name != state), f"not {state}"


def _rival(machine: Machine, row: Row, behind: tuple[Row, ...]) -> int | None:
    """The next row of the same event that shares a state with it."""
    leaves = {*machine.states_of(row.leaves)}
    rivals = (i for i, r in enumerate(behind) if r.on == row.on and not leaves.isdisjoint(machine.states_of(r.leaves)))
    return next(rivals, None)


def _of_timer(machine: Machine, timer: Timer, seconds: Iterable[str]) -> Iterator[tuple[str, str, Timer]]:
    first, second = BOUNDARIES
    other = second if timer.passed_when == first else first
    yield "move a boundary", other, replace(timer, passed_when=other)
    for duration in seconds:
        if duration != timer.duration:
            yield "change a duration", duration, replace(timer, duration=duration)
    # An event and an action may have one name, and then one does not happen without the other.
    for happening in dict.fromkeys(row.name for row in (*machine.events, *machine.actions)):
        if happening not in timer.restarts_on:
            more = (*timer.restarts_on, happening)
            yield "restart a timer", f"also on {happening}", replace(timer, restarts_on=more)
        else:
            less = tuple(name for name in timer.restarts_on if name != happening)
            yield "restart a timer", f"not on {happening}", replace(timer, restarts_on=less)
    for runs_in, what in _other_states(machine, timer.runs_in):
        yield "widen or narrow `runs_in`", what, replace(timer, runs_in=runs_in)
    if timer.fires:
        yield "silence a timer", "fires nothing", replace(timer, fires="")


def _objects(spec: Spec, machine: Machine) -> dict[str, list[str]]:
    """For every action that takes an object, the same with each other object of its table."""
    tables = {kind: [row.id for row in getattr(spec.refusals, table)] for kind, table in OBJECTS.items()}
    return {
        f"{action.name} {name}": [f"{action.name} {other}" for other in tables[action.takes] if other != name]
        for action in machine.actions
        if action.takes
        for name in tables[action.takes]
    }
