"""Plays broken implementations as the tests do: what is listed beside them, and some other cases, or everything."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from typing import Final, Literal

from tunnel_conformance.broken.kills import Played, compare, sample
from tunnel_conformance.broken.play import Manner, play
from tunnel_conformance.broken.registry import BROKEN
from tunnel_conformance.broken.wrong import Broken
from tunnel_conformance.spec import spec
from tunnel_conformance.subjects.clock import find_faketime

from tunnel.spec.model import Case, Role

COMPLETE: Final = os.environ.get("TUNNEL_CONFORMANCE") == "complete"
"""Whether every case is played on every broken implementation: half an hour."""

COMPLETE_SECONDS: Final = 3600

HURRY: Final = 60.0
"""How fast cases go that are to fail anyway: half an hour takes half a minute."""

TIMED_AT_ONCE: Final = 90 if COMPLETE else 60
"""So many of the cases in which time passes are played at once. They wait for most of it: played by sixties, all of them take
twenty minutes, in which one processor of two has nothing to do."""

SOUND: Final = {
    Role.HOST: ("wire-normal", "lock-peer-left"),
    Role.GUEST: ("wire-normal-guest", "seq-backlog-guest"),
}
"""Conversations of which everybody has one to pass: what is wrong is wrong in one way, and not in all."""

COSTLY: Final = ("size-slow-host", "size-slow-reader")
"""Cases that take half a minute where they fail."""

SAMPLE: Final = sample(spec().cases.cases, BROKEN, COSTLY)

PYTHON: Final = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
"""Where a subject's Python finds the packages."""

Choice = Callable[[Broken, Case], bool]
Control = Literal["line", "mcp"]


def is_its_own(broken: Broken, case: Case) -> bool:
    """All that it can be judged by."""
    return case.judges is broken.role


def is_sampled(broken: Broken, case: Case) -> bool:
    """Enough to see that every broken implementation is caught, and that every case catches one."""
    sound = next(case_id for case_id in SOUND[broken.role] if case_id not in broken.fails)
    return case.id in SAMPLE[broken.id] or case.id in (SOUND[broken.role][0], sound)


CHOICE: Final[Choice] = is_its_own if COMPLETE else is_sampled


def played(brokens: Iterable[Broken], choice: Choice, *, timed: bool = False, control: Control = "line") -> Played:
    """Play the chosen cases on these, all at once; those in which time passes where that is asked for."""
    cases = [case for case in spec().cases.cases if timed or not case.needs]
    chosen = [(broken, [case for case in cases if choice(broken, case)]) for broken in brokens]
    # The longest first: the others are over before they are.
    chosen.sort(key=lambda pair: not any(case.id in COSTLY and case.id in pair[0].fails for case in pair[1]))
    manner = Manner(
        clock=find_faketime(os.environ),
        control=control,
        environment=PYTHON,
        timed_at_once=TIMED_AT_ONCE,
        speed=None if COMPLETE else HURRY,
    )
    return asyncio.run(play({broken.id: (broken, its) for broken, its in chosen if its}, manner))


def complaints(seen: Played, *, timed: bool = False, control: Control = "line") -> str:
    """What is wrong with the judge, by the cases in which time passes, or by the others.

    Where everybody is played at once, a program may be late with what it must do at once, and somebody of thousands is. So what
    is complained of is played once more, by itself, and counts when it is seen again.
    """
    asked = {case.id for case in spec().cases.cases if bool(case.needs) is timed}
    kills = compare({name: [v for v in verdicts if v.case in asked] for name, verdicts in seen.items()}, BROKEN)
    assert kills.caught, "nothing was played that is to fail"
    doubted = {pair.partition(":")[0] for pair in (*kills.missed, *kills.surplus, *kills.unjudged)}
    again = played(BROKEN, lambda broken, case: f"{case.id} on {broken.id}" in doubted, timed=timed, control=control)
    return "\n".join(compare(again, BROKEN).complaints)
