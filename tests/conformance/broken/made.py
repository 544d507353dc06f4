"""Made-up broken implementations, cases and verdicts."""

from msgspec import structs
from tunnel_conformance.broken.wrong import Broken
from tunnel_conformance.judge import blank
from tunnel_conformance.records import Outcome, Verdict

from tunnel.spec.model import Case, Role


def no_patch() -> None:
    """Nothing is changed."""


def a_case(id: str, judges: Role = Role.HOST, *, needs: tuple[str, ...] = ()) -> Case:
    return Case(id=id, title=id, judges=judges, rules=("LOCK-1",), steps=(), needs=needs)


def a_broken(name: str, *fails: str, role: Role = Role.HOST) -> Broken:
    return Broken(name=name, role=role, doc="Is wrong.", rules=("LOCK-1",), patch=no_patch, fails=frozenset(fails))


def a_verdict(case: str, outcome: Outcome, got: str = "") -> Verdict:
    return structs.replace(blank(a_case(case)), outcome=outcome, got=got, step=2 if got else None)
