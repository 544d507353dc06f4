"""What the model checker is asked: claims that hold, witnesses that fail, and mutants that a claim notices, as data."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from spec.compiler.promela import Scene, Slips, promela
from spec.compiler.reader import Spec, SpecError, table
from tunnel.spec.model import Machine, Row, Table, Timer

T = TypeVar("T", Row, Timer)


class Claim(Table, frozen=True):
    """A formula of linear temporal logic over the words in the head of the model."""

    id: str
    kind: Literal["safety", "liveness", "unfair"]
    """`liveness` counts on time going on; `unfair` is asked without that."""
    holds: str
    doc: str
    rules: tuple[str, ...] = ()
    scene: Scene = "host"


class Mistake(Table, frozen=True):
    """A small change of a table, or a slip of an implementation, and the claim that notices it."""

    id: str
    doc: str
    breaks: str
    machine: str = ""
    row: str = ""
    timer: str = ""
    set: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict[str, str | tuple[str, ...]])
    """The fields that change, by their names in the table."""
    drop: bool = False
    before: str = ""
    """The row moves to before this one."""
    slip: str = ""
    """A field of `Slips`."""


class Claims(Table, frozen=True):
    """`claims.toml`."""

    claims: tuple[Claim, ...]
    witnesses: tuple[Claim, ...]
    mutants: tuple[Mistake, ...]

    def claim(self, id: str) -> Claim:
        """The claim of this id."""
        return next(claim for claim in self.claims if claim.id == id)


def read_claims(folder: Path, spec: Spec) -> Claims:
    """Read `claims.toml`.

    Raises:
        SpecError: it is no such table, or names a claim, row, timer, machine or rule that is not there.
    """
    claims = table(folder / "claims.toml", Claims)
    known = {claim.id for claim in claims.claims}
    rules = {rule.id for rule in spec.rules.rules}
    for claim in claims.claims:
        for rule in claim.rules:
            if rule not in rules:
                raise SpecError(f"claims.toml: row {claim.id!r} of claims, rules: {rule!r} is not in rules.toml")
    for mistake in claims.mutants:
        if mistake.breaks not in known:
            raise SpecError(f"claims.toml: row {mistake.id!r} of mutants, breaks: {mistake.breaks!r} is no claim")
        made(spec, mistake)
    return claims


def model(spec: Spec, claims: tuple[Claim, ...], slips: Slips = Slips(), *, witness: bool = False) -> str:  # noqa: B008 - it is frozen
    """The model with its formulas; all of them are about one scene."""
    formulas = "".join(f"ltl {claim.id} {{ {claim.holds} }}  /* {claim.doc} */\n" for claim in claims)
    return f"{promela(spec, claims[0].scene, slips, witness=witness)}\n{formulas}"


def by_scene(claims: Iterable[Claim]) -> dict[Scene, tuple[Claim, ...]]:
    """The claims of each scene, in their order."""
    found: dict[Scene, tuple[Claim, ...]] = {}
    for claim in claims:
        found[claim.scene] = (*found.get(claim.scene, ()), claim)
    return found


def made(spec: Spec, mistake: Mistake) -> tuple[Spec, Slips]:
    """The tables with the mistake in them, and the slips beside them.

    Raises:
        SpecError: it names something that is not there, or changes nothing.
    """
    where = f"claims.toml: row {mistake.id!r} of mutants"
    if mistake.slip:
        if mistake.slip not in Slips._fields:
            raise SpecError(f"{where}, slip: {mistake.slip!r} is none of {', '.join(Slips._fields)}")
        return spec, Slips()._replace(**{mistake.slip: True})
    if mistake.machine not in spec.machines:
        raise SpecError(f"{where}, machine: {mistake.machine!r} is none of {', '.join(spec.machines)}")
    machine = spec.machines[mistake.machine]
    try:
        broken = _with_timer(machine, mistake) if mistake.timer else _with_row(machine, mistake)
    except msgspec.ValidationError as error:
        raise SpecError(f"{where}, set: {error}") from None
    except ValueError:
        raise SpecError(f"{where}: {mistake.machine}.toml has no such row or timer") from None
    if broken == machine:
        raise SpecError(f"{where}: it changes nothing")
    return replace(spec, machines={**spec.machines, mistake.machine: broken}), Slips()


def _with_timer(machine: Machine, mistake: Mistake) -> Machine:
    at = [timer.name for timer in machine.timers].index(mistake.timer)
    changed = _changed(machine.timers[at], Timer, mistake)
    return replace(machine, timers=(*machine.timers[:at], changed, *machine.timers[at + 1 :]))


def _with_row(machine: Machine, mistake: Mistake) -> Machine:
    at = [row.id for row in machine.transitions].index(mistake.row)
    rest = [*machine.transitions[:at], *machine.transitions[at + 1 :]]
    if mistake.drop:
        return replace(machine, transitions=tuple(rest))
    to = [row.id for row in rest].index(mistake.before) if mistake.before else at
    rest.insert(to, _changed(machine.transitions[at], Row, mistake))
    return replace(machine, transitions=tuple(rest))


def _changed(found: T, kind: type[T], mistake: Mistake) -> T:
    return msgspec.convert({**msgspec.to_builtins(found), **mistake.set}, type=kind)
