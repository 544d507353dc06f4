"""Expectations at which no broken implementation was ever stopped: they have not shown that they can fail.

A case is as good as what it caught. Many of its expectations only lead to the next step, and say so by what they expect;
those that look as if they proved something, and never did, stand in `unstopped.toml`. Whoever adds a broken implementation
that is stopped by one of them takes it out there.
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

from tunnel.spec.model import Case
from tunnel_conformance.broken.kills import CAUGHT, Played

PREPARING: Final = frozenset({"challenged", "admitted", "joined", "dialled", "authenticated"})
"""What only leads to the next step, unless it is looked at closer or nothing follows."""

Steps = Mapping[str, tuple[int, ...]]
"""Numbers of steps, counted from 1, by the ids of cases."""


def recorded() -> Steps:
    """Those that are known."""
    text = files("tunnel_conformance.broken").joinpath("unstopped.toml").read_text(encoding="utf-8")
    return {case: tuple(steps) for case, steps in tomllib.loads(text).items()}


def unstopped(cases: Iterable[Case], played: Played) -> Steps:
    """Those of these cases at which nobody was stopped."""
    stops = {(v.case, v.step) for verdicts in played.values() for v in verdicts if v.outcome in CAUGHT}
    found = {case.id: tuple(number for number in expecting(case) if (case.id, number) not in stops) for case in cases}
    return {case: steps for case, steps in found.items() if steps}


def expecting(case: Case) -> list[int]:
    """The steps of a case that look as if they proved something."""
    return [
        number
        for number, step in enumerate(case.steps, 1)
        if step.expect and (step.expect not in PREPARING or step.expects or number == len(case.steps))
    ]


def unknown(cases: Iterable[Case], played: Played) -> list[str]:
    """Those that are not on record, of cases that were played on everybody."""
    return _beyond(unstopped(cases, played), recorded())


def stale(cases: Iterable[Case], played: Played) -> list[str]:
    """Those that are on record, and stopped somebody."""
    judged = list(cases)
    known = recorded()
    return _beyond({case.id: known.get(case.id, ()) for case in judged}, unstopped(judged, played))


def _beyond(these: Steps, those: Steps) -> list[str]:
    return [f"step {n} of {case}" for case, steps in these.items() for n in steps if n not in those.get(case, ())]
