"""The tables of wire version 1, and ways to break them."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from spec.compiler.reader import Spec, read
from tunnel.spec.model import Machine, Row

SPEC = read(Path(__file__).parents[2] / "spec" / "v1")

Breakage = Callable[[Machine], Machine]


def row(id: str, **changes: str | tuple[str, ...]) -> Breakage:
    return lambda machine: replace(machine, transitions=tuple(_changed(r, id, changes) for r in machine.transitions))


def _changed(found: Row, id: str, changes: dict[str, str | tuple[str, ...]]) -> Row:
    return replace(found, **changes) if found.id == id else found


def swapped(first: str, second: str) -> Breakage:
    def swap(machine: Machine) -> Machine:
        rows = {r.id: r for r in machine.transitions}
        other = {first: second, second: first}
        return replace(machine, transitions=tuple(rows[other.get(r.id, r.id)] for r in machine.transitions))

    return swap


def timer(name: str, **changes: str | tuple[str, ...]) -> Breakage:
    return lambda machine: replace(
        machine, timers=tuple(replace(t, **changes) if t.name == name else t for t in machine.timers)
    )


def dropped(id: str) -> Breakage:
    return lambda machine: replace(machine, transitions=tuple(r for r in machine.transitions if r.id != id))


def broken(name: str, *breakages: Breakage, spec: Spec = SPEC) -> Spec:
    """The spec with one machine broken."""
    machine = spec.machines[name]
    for breakage in breakages:
        machine = breakage(machine)
    return replace(spec, machines={**spec.machines, name: machine})
