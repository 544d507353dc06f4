"""The spec as the kit reads it: one JSON text with all tables, and its digest, which every report names."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from tunnel.spec.model import Bundle, Case, Level, Role, Rule

_TEXT: Final = files("tunnel.spec.v1").joinpath("spec.json").read_bytes()

DIGEST: Final = hashlib.sha256(_TEXT).hexdigest()
"""SHA-256 of the spec that a report was made with."""


@cache
def spec() -> Bundle:
    """All tables."""
    return msgspec.json.decode(_TEXT, type=Bundle)


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its id."""
    return {rule.id: rule for rule in spec().rules.rules}


def cases(role: Role) -> list[Case]:
    """The cases that judge this role, in the order of the table."""
    return [case for case in spec().cases.cases if case.judges is role]


def is_binding(case: Case) -> bool:
    """Whether a case proves a MUST: then not being testable counts against the implementation."""
    return any(rules()[rule].level is Level.MUST for rule in case.rules)
