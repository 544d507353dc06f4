"""Judges the judge: which cases fail on which broken implementation, compared with what stands beside each of them.

A broken implementation on which a listed case passes shows a case that is too weak. One on which another case fails shows a
case that looks at more than it says. A case that fails on none has never shown that it can fail.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tunnel.spec.model import Case
from tunnel_conformance.broken.wrong import Broken
from tunnel_conformance.records import Outcome, Verdict

CAUGHT: Final = (Outcome.FAIL, Outcome.ERROR)
"""How a case ends that has caught something."""

UNJUDGED: Final = (Outcome.HARNESS, Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE)
"""How a case ends that says nothing."""

UNCATCHABLE: Final[Mapping[str, str]] = {}
"""Cases that no broken implementation can fail, by their ids, and why."""

Played = Mapping[str, Sequence[Verdict]]
"""What was seen of each broken implementation, by its id: not every case need have been played."""


class Kills(Struct, frozen=True, kw_only=True):
    """What is wrong with the judge, as pairs of a broken implementation and a case."""

    missed: tuple[str, ...]
    """Listed, played, and not failed."""
    surplus: tuple[str, ...]
    """Failed, and not listed."""
    unjudged: tuple[str, ...]
    """Neither passed nor failed."""
    caught: int
    """Listed and failed."""

    @property
    def complaints(self) -> list[str]:
        """All of it, in words."""
        return [
            *(f"passes, although it is listed: {pair}" for pair in self.missed),
            *(f"fails, although it is not listed: {pair}" for pair in self.surplus),
            *(f"was not judged: {pair}" for pair in self.unjudged),
        ]


def compare(played: Played, broken: Iterable[Broken]) -> Kills:
    """Compare what was seen with what is listed."""
    missed: list[str] = []
    surplus: list[str] = []
    unjudged: list[str] = []
    caught = 0
    for one in broken:
        for verdict in played.get(one.id, ()):
            is_listed, is_caught = verdict.case in one.fails, verdict.outcome in CAUGHT
            caught += is_listed and is_caught
            if verdict.outcome in UNJUDGED:
                unjudged.append(_pair(one, verdict))
            elif is_listed and not is_caught:
                missed.append(_pair(one, verdict))
            elif is_caught and not is_listed:
                surplus.append(_pair(one, verdict))
    return Kills(missed=tuple(missed), surplus=tuple(surplus), unjudged=tuple(unjudged), caught=caught)


def _pair(broken: Broken, verdict: Verdict) -> str:
    seen = f": step {verdict.step}, {verdict.got}" if verdict.got else ""
    return f"{verdict.case} on {broken.id}{seen}"


def killers(cases: Iterable[Case], broken: Iterable[Broken]) -> dict[str, list[str]]:
    """The kill table: for each case the broken implementations that are to fail it."""
    everybody = list(broken)
    return {case.id: [one.id for one in everybody if case.id in one.fails] for case in cases}


def unkilled(cases: Iterable[Case], broken: Iterable[Broken]) -> list[str]:
    """The cases that fail on no broken implementation, although they could."""
    return [case for case, by in killers(cases, broken).items() if not by and case not in UNCATCHABLE]


def unknown(cases: Iterable[Case], broken: Iterable[Broken]) -> list[str]:
    """What is listed beside a broken implementation and is no case of its role."""
    roles = {case.id: case.judges for case in cases}
    return [f"{case} on {one.id}" for one in broken for case in sorted(one.fails) if roles.get(case) is not one.role]


def table(cases: Iterable[Case], broken: Iterable[Broken]) -> str:
    """The kill table for people: a line a case."""
    rows = killers(cases, broken)
    width = max(map(len, rows), default=0)
    lines = [f"{case:{width}}  {len(by):3}  {', '.join(by)}".rstrip() for case, by in rows.items()]
    return "\n".join(lines)


def sample(cases: Sequence[Case], broken: Iterable[Broken], costly: Iterable[str] = ()) -> dict[str, set[str]]:
    """The least that shows something of everybody: each broken implementation fails a case, and each case fails on one.

    Args:
        cases: all of them.
        broken: everybody.
        costly: cases that take long, as those do in which time passes; they are chosen where there is no other.

    Returns:
        Ids of cases by the ids of broken implementations: of what is listed, what costs little, and what few others fail.
    """
    timed = {case.id for case in cases if case.needs} | set(costly)
    everybody = [one for one in broken if one.fails]
    rows = killers(cases, everybody)
    chosen = {
        one.id: {min(sorted(one.fails), key=lambda case: (case in timed, len(rows.get(case, ()))))} for one in everybody
    }
    for case, by in rows.items():
        if by and not any(case in chosen[name] for name in by):
            least = min((one for one in everybody if one.id in by), key=lambda one: len(one.fails))
            chosen[least.id].add(case)
    return chosen
