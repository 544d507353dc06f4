"""Small changes to a working implementation: to a row of its tables, or to one function. They last as long as the process.

A change that finds nothing to change, or something else than it was written for, is an error: an implementation that was
not broken, or was broken in another way, would prove nothing.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
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
        if isinstance(original := getattr(owner, name), FunctionType) and isinstance(value, FunctionType):
            _must_take(original, _parameters(value))
        setattr(owner, name, value)

    return patch


def wrap(owner: object, name: str, around: Original) -> Patch:
    """A function is put around another, which it is given as its first argument."""

    def patch() -> None:
        original = getattr(owner, name)
        _must_take(original, _parameters(around)[1:])

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        setattr(owner, name, wrapped)

    return patch


def _parameters(function: Original) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _must_take(original: Original, taken: list[inspect.Parameter]) -> None:
    """A function takes what another one takes: the same names in their order, or the first of them and the rest as it comes.

    Raises:
        TypeError: it does not, so it was written for something else; the text holds what each of them takes.
    """
    names = [one.name for one in _parameters(original)]
    plain = [one.name.lstrip("_") for one in taken if one.kind is one.POSITIONAL_OR_KEYWORD]
    named = [one.name for one in taken if one.kind is one.KEYWORD_ONLY]
    takes_rest = any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in taken)
    if plain != (names[: len(plain)] if takes_rest else names) or not set(named) <= set(names):
        raise TypeError(
            f"{original.__qualname__} takes ({', '.join(names)}), and its patch ({', '.join(map(str, taken))})"
        )


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
