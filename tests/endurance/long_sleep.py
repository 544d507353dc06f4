"""A side that is stopped for longer than a peer may be silent is told to the other in time, and learns it itself when it wakes.

What happens is what `tests/system/test_stays_up.py` lets happen, where it is part of `make test`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.endurance.results import Found, Run
from tests.system.test_stays_up import (
    AWAKE_SECONDS,
    SPEED,
    TOLD_SECONDS,
    End,
    both_sleep,
    guest_sleeps,
    host_sleeps,
)

Sleep = Callable[[], Awaitable[tuple[End, End]]]

SLEEPS: Final[dict[str, tuple[Sleep, float, float]]] = {
    "the guest sleeps": (guest_sleeps, TOLD_SECONDS, AWAKE_SECONDS),
    "the host sleeps": (host_sleeps, AWAKE_SECONDS, TOLD_SECONDS),
    "both sleep": (both_sleep, AWAKE_SECONDS, AWAKE_SECONDS),
}
"""What happens, and within how many seconds the host and the guest are told: of a death in time, and after waking at once."""

CAUSES: Final = ("peer_left", "host_silent")
"""How the host and the guest are told."""


async def run(sleeps: int, folder: Path) -> Found:
    """Let either side sleep, and both.

    Args:
        sleeps: how often each of the three happens.
        folder: not needed.
    """
    faults: list[str] = []
    slowest = dict.fromkeys(SLEEPS, 0.0)
    for _ in range(sleeps):
        happened = await asyncio.gather(*(sleep() for sleep, _, _ in SLEEPS.values()))
        for (what, (_, *bounds)), ends in zip(SLEEPS.items(), happened, strict=True):
            slowest[what] = max(slowest[what], *(end.seconds * SPEED for end in ends))
            faults += [fault for pair in zip(ends, bounds, CAUSES, strict=True) for fault in wrong(what, *pair)]
    told = {f"s until told when {what}": seconds for what, seconds in slowest.items()}
    return Found(figures={"sleeps": sleeps * len(SLEEPS), **told}, faults=faults)


RUN: Final = Run(
    name="long-sleep",
    claim="A side that sleeps for longer than a peer may be silent is told to the other in time, and learns when it wakes that the "
    "tunnel is over (KEEP-2, KEEP-3, TIME-1).",
    unit="sleeps",
    size=3,
    small=0,
    run=run,
    needs=("faketime",),
)


def wrong(what: str, end: End, bound: float, cause: str) -> list[str]:
    found: list[str] = []
    if end.seconds >= bound:
        found.append(f"{what}: told {cause} after {end.seconds:.1f} s, and {bound:.1f} s are allowed")
    if end.status["closedBecause"] != cause:
        found.append(f"{what}: told {end.status['closedBecause']}, and not {cause}")
    return found
