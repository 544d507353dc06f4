"""What a look at this machine has found: a verdict, what was seen, and what to do."""

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct


class Verdict(Enum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; a tunnel comes about all the same."""
    PROBLEM = "problem"
    """No tunnel comes about as this machine is set up."""


class Finding(Struct, frozen=True):
    """What one look has found, in sentences without a full stop, and what to do, in sentences."""

    verdict: Verdict
    found: str
    todo: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """A line of the report. Its fields are stable: programs read them."""

    check: str
    verdict: Verdict
    found: str
    todo: str


def ok(found: str, todo: str = "") -> Finding:
    """All is well."""
    return Finding(Verdict.OK, found, todo)


def note(found: str, todo: str = "") -> Finding:
    """Worth knowing."""
    return Finding(Verdict.NOTE, found, todo)


def problem(found: str, todo: str = "") -> Finding:
    """It does not work like this."""
    return Finding(Verdict.PROBLEM, found, todo)


def has_problem(rows: Iterable[Row]) -> bool:
    """Whether anything has to be mended."""
    return any(row.verdict is Verdict.PROBLEM for row in rows)
