"""Failures that are known, each with its reason: who fails otherwise, or no longer, fails the run.

[my-server.host.size-slow-reader]
outcome = "fail"
reason  = "its WebSocket library buffers without a bound"
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from tunnel_conformance.records import Header, Outcome, Verdict
from tunnel_conformance.report.marks import counts_against
from tunnel_conformance.spec import spec

GOOD: Final = 0
FAILURES: Final = 1
USAGE: Final = 2
INVALID: Final = 3
"""Exit statuses. 3: the kit did not come as far as a verdict."""


class BadExpectations(Exception):
    """The file of known failures cannot be used; the text says where and what is allowed."""


class Known(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a case is known to go, and why it may."""

    outcome: Literal["fail", "error", "not testable"]
    reason: Annotated[str, Meta(min_length=1)]


Names = dict[str, dict[Literal["host", "guest"], dict[str, Known]]]


class Judged(Struct, frozen=True, kw_only=True):
    """One run, as far as the known failures are concerned."""

    header: Header
    verdicts: tuple[Verdict, ...]


class Expectations(Struct, frozen=True):
    """The known failures: implementation, role, case."""

    names: Names = field(default_factory=Names)

    def about(self, subject: str) -> "Expectations":
        """The entries of one implementation."""
        return Expectations({name: roles for name, roles in self.names.items() if name == subject})

    def known(self, header: Header, verdict: Verdict) -> Known | None:
        """The entry that a verdict agrees with."""
        entry = self.names.get(header.subject, {}).get(header.role, {}).get(verdict.case)
        return entry if entry is not None and entry.outcome == verdict.outcome.value else None

    def unexpected(self, run: Judged) -> list[Verdict]:
        """What counts against the implementation and is not known."""
        return [v for v in run.verdicts if counts_against(v) and self.known(run.header, v) is None]

    def stale(self, runs: Sequence[Judged]) -> list[str]:
        """The entries that are not true any more, or never were, in sentences."""
        found: list[str] = []
        ran = {run.header.subject for run in runs}
        for subject, roles in self.names.items():
            if subject not in ran:
                found.append(f"{subject}: no such implementation in this run; there were: {', '.join(sorted(ran))}")
                continue
            for role, entries in roles.items():
                own = [
                    v for run in runs if (run.header.subject, run.header.role) == (subject, role) for v in run.verdicts
                ]
                found += [f"{subject}.{role}.{case}: {why}" for case, why in _stale(role, entries, own)]
        return found


def read(path: Path) -> Expectations:
    """The known failures of a file.

    Raises:
        BadExpectations: it cannot be read, or says something that it cannot say.
    """
    try:
        return Expectations(msgspec.toml.decode(path.read_bytes(), type=Names))
    except OSError as error:
        raise BadExpectations(f"{path}: cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadExpectations(
            f"{path}: {error}. An entry is a table [NAME.host.CASE] or [NAME.guest.CASE] "
            'with outcome = "fail", "error" or "not testable", and a reason.'
        ) from error


def exit_status(runs: Sequence[Judged], expectations: Expectations) -> int:
    """The verdict on the whole, as the process tells it."""
    verdicts = [verdict for run in runs for verdict in run.verdicts]
    judged = [verdict for verdict in verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE]
    if not judged or any(verdict.outcome is Outcome.HARNESS for verdict in judged):
        return INVALID
    failed = any(expectations.unexpected(run) for run in runs) or expectations.stale(runs)
    return FAILURES if failed else GOOD


def _stale(role: str, entries: dict[str, Known], verdicts: list[Verdict]) -> Iterable[tuple[str, str]]:
    cases = {case.id for case in spec().cases.cases if case.judges.value == role} | {v.case for v in verdicts}
    for case, entry in entries.items():
        outcomes = sorted({verdict.outcome.value for verdict in verdicts if verdict.case == case})
        if case not in cases:
            yield case, f"no case of this name judges a {role}"
        elif outcomes and entry.outcome not in outcomes:
            yield case, f"known as {entry.outcome!r}, and it is now {' and '.join(map(repr, outcomes))}"
