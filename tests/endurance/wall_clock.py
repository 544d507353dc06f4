"""Lifetimes do not follow the wall clock, wherever it jumps (TIME-2)."""

import time
from pathlib import Path
from typing import Final

from tests.app.processes import Server
from tests.endurance.agents import NO_BUDGET, Pair, failed_join
from tests.endurance.results import Found, Run, too_few
from tests.standins.jumps import JumpingClock
from tests.system.talking import a_person
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS

DAY, YEAR = 24 * 3600, 365 * 24 * 3600
JUMPS: Final = (DAY, -DAY, -3600, 12 * YEAR, -40 * YEAR, 3600, 90 * YEAR, -62 * YEAR)
"""How the wall clock jumps, in seconds: among others beyond 2038, and to before 1990. Together they lead back to where it was."""

SLACK_SECONDS: Final = 10
"""So much real time may pass while somebody looks."""


async def run(rounds: int, folder: Path, *, wall_only: bool = True) -> Found:
    """Let the wall clock jump before the guest is in, and while both talk.

    Args:
        rounds: how often it makes all its jumps.
        folder: where it is.
        wall_only: whether the clocks from which lifetimes are read go on meanwhile.
    """
    clock, faults = JumpingClock(folder / "clock", wall_only=wall_only), list[str]()
    async with a_person(**NO_BUDGET, **clock.environment) as alice, a_person(**NO_BUDGET, **clock.environment) as bob:
        link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
        for seconds in JUMPS:
            clock.jump(seconds)
            faults += await _has_left(alice, "linkExpiresInSec", LINK_SECONDS, seconds)
        if failed := await failed_join(bob, link):
            return Found(figures={"jumps": len(JUMPS)}, faults=[*faults, f"nobody gets in: {failed}"])
        found = await between(Pair(alice, bob), rounds, clock)
    return Found(
        figures={"jumps": (rounds + 1) * len(JUMPS), **found.figures},
        faults=[*faults, *found.faults],
    )


async def between(pair: Pair, rounds: int, clock: JumpingClock) -> Found:
    """Let these talk while the wall clock jumps; what they say is dated by it.

    Args:
        pair: who live by the clock.
        rounds: how often it makes all its jumps.
        clock: jumps.
    """
    faults, seen = list[str](), 0
    for _ in range(rounds):
        for seconds in JUMPS:
            clock.jump(seconds)
            await pair.exchange(1)
            dated = pair.guest.dated[max(pair.guest.dated)]
            seen += abs(dated - time.time() - clock.ahead) < SLACK_SECONDS
            faults += await _has_left(pair.host.server, "idleEndsInSec", IDLE_SECONDS, seconds)
    faults += too_few("jumps that were seen", seen, rounds * len(JUMPS)) + await pair.faults()
    return Found(figures=pair.figures(), faults=faults)


RUN: Final = Run(
    name="wall-clock",
    claim="While the wall clock jumps by hours, years and decades, either way, links, sessions and messages live on as if it stood "
    "(TIME-2).",
    unit="rounds",
    size=20,
    small=1,
    run=run,
    needs=("faketime",),
)


async def _has_left(host: Server, what: str, whole: int, jumped: int) -> list[str]:
    """Nothing of a lifetime is gone but the moment that it takes to look."""
    status = await host.call("tunnel_status")
    left = status[what]
    if isinstance(left, int) and whole - SLACK_SECONDS <= left <= whole:
        return []
    return [f"after a jump by {jumped} s, {what} is {left} in state {status['state']}, and it was {whole}"]
