"""Small changes to a working implementation: to a row of its tables, or to one function. They last as long as the process.

A change that finds nothing to change is an error: an implementation that was not broken would prove nothing.
"""

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from msgspec import structs

from tunnel.spec import model
from tunnel_conformance.broken.wrong import Patch

Original = Callable[..., Any]
"""What stands behind a patch: it has whatever type it has."""


def put(owner: object, name: str, value: object) -> Patch:
    """Something else stands in the place of what is called so."""

    def patch() -> None:
        if not hasattr(owner, name):
            raise LookupError(f"{owner!r} has no {name!r}")
        setattr(owner, name, value)

    return patch


def wrap(owner: object, name: str, around: Original) -> Patch:
    """A function is put around another, which it is given as its first argument."""

    def patch() -> None:
        original = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        setattr(owner, name, wrapped)

    return patch


def all_of(*patches: Patch) -> Patch:
    """Several changes that make one mistake."""

    def patch() -> None:
        for one in patches:
            one()

    return patch


def row(table: ModuleType, id: str, **changes: object) -> Patch:
    """A row of a machine says something else."""
    return _rows(table, id, lambda found: (structs.replace(found, **changes),))


def without_row(table: ModuleType, id: str) -> Patch:
    """A row of a machine is missing."""
    return _rows(table, id, lambda _: ())


def row_before(table: ModuleType, id: str, new: model.Row) -> Patch:
    """A machine has one more row, which is tried before this one."""
    return _rows(table, id, lambda found: (new, found))


def row_moved(table: ModuleType, id: str, before: str) -> Patch:
    """A row of a machine is tried before another one."""
    moved = next(one for one in _machine(table).transitions if one.id == id)
    return all_of(without_row(table, id), row_before(table, before, moved))


def timer(table: ModuleType, name: str, **changes: object) -> Patch:
    """A timer of a machine says something else."""

    def patch() -> None:
        machine = _machine(table)
        if not any(one.name == name for one in machine.timers):
            raise LookupError(f"{machine.machine} has no timer {name!r}")
        timers = tuple(structs.replace(one, **changes) if one.name == name else one for one in machine.timers)
        _set(table, structs.replace(machine, timers=timers))

    return patch


def die(end: Callable[[int], object] = os._exit) -> None:
    """End the process as a crash does.

    Args:
        end: ends it, with this status.
    """
    sys.stderr.write("Traceback (most recent call last):\nTypeError: what came is nothing that this program expects\n")
    sys.stderr.flush()
    end(1)


def _rows(table: ModuleType, id: str, change: Callable[[model.Row], tuple[model.Row, ...]]) -> Patch:
    def patch() -> None:
        machine = _machine(table)
        if not any(one.id == id for one in machine.transitions):
            raise LookupError(f"{machine.machine} has no row {id!r}")
        rows = [new for one in machine.transitions for new in (change(one) if one.id == id else (one,))]
        _set(table, structs.replace(machine, transitions=tuple(rows)))

    return patch


def _machine(table: ModuleType) -> model.Machine:
    machine = vars(table)["MACHINE"]
    assert isinstance(machine, model.Machine)
    return machine


def _set(table: ModuleType, machine: model.Machine) -> None:
    # Machines are built of the table that stands here when a tunnel is opened or joined.
    vars(table)["MACHINE"] = machine
