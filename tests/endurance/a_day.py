"""A tunnel lives for a day on a message every twenty-five minutes, and ends when nothing was said for thirty (IDLE-1).

The day passes in jumps of a ping's time: after each both sides look at their clock, and so ping, are heard, and live (KEEP-1). After
most they do so because they are asked; now and then, and at the end, nobody asks, and their timers must (`UNASKED_ONE_IN`). Time
that merely passed faster could not be hurried as much: with the time to answer a ping as a second, a day would take an hour.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from tests.endurance.agents import Pair, a_pair
from tests.endurance.own_clock import descriptors, unended
from tests.endurance.results import Found, Run
from tests.standins.jumps import JumpingClock
from tunnel.io.driver import LONGEST_NAP_SECONDS
from tunnel.spec.v1.constants import IDLE_SECONDS, PING_SECONDS, SILENCE_SECONDS

EVERY_MINUTES: Final = 25
SECONDS: Final = 60

UNASKED_ONE_IN: Final = 12
UNASKED_JUMPS: Final = SILENCE_SECONDS // PING_SECONDS + 1
"""In front of one message of so many, so many jumps pass without anybody being asked; their own timers must look at the clock."""

SLACK_SECONDS: Final = 1.0
"""So much longer than the longest nap of a timer is waited for it."""


async def run(hours: int, folder: Path, every_minutes: int = EVERY_MINUTES) -> Found:
    """Let so much time pass.

    Args:
        hours: how much.
        folder: where the clock is.
        every_minutes: how often somebody says something.
    """
    clock, began = JumpingClock(folder / "clock"), time.monotonic()
    async with a_pair(clock.environment, clock.environment) as pair:
        faults = await _lives(pair, clock, -(-hours * 60 // every_minutes), every_minutes * SECONDS)
        alive = clock.ahead
        faults = faults or [*await pair.faults(), *await _ends(pair, clock)]
    sped_up = clock.ahead / (time.monotonic() - began)
    return Found(
        figures={"hours": round(alive / 3600, 1), "messages": pair.messages, "times as fast": round(sped_up)},
        faults=faults,
    )


RUN: Final = Run(
    name="a-day",
    claim=f"With a message every {EVERY_MINUTES} minutes a tunnel lives for a day, its clock sped up; without one it ends after "
    f"{IDLE_SECONDS // SECONDS} minutes, and not before (IDLE-1).",
    unit="hours",
    size=24,
    small=1,
    run=run,
    needs=("faketime",),
)


async def _lives(pair: Pair, clock: JumpingClock, messages: int, seconds: int) -> list[str]:
    """Let somebody say something, again and again after so long."""
    turns = [(pair.guest, pair.host), (pair.host, pair.guest)]
    for number in range(messages):
        if number % UNASKED_ONE_IN == 1:
            # Without a ping of its own a side would count as dead after these.
            await _pass_unasked(clock, UNASKED_JUMPS * PING_SECONDS)
            await _pass(pair, clock, seconds - UNASKED_JUMPS * PING_SECONDS)
        else:
            await _pass(pair, clock, seconds)
        if ended := await _ended(pair, clock):
            return ended
        await pair.tell(*turns[number % 2], f"message {number}")
    return []


async def _pass(pair: Pair, clock: JumpingClock, seconds: int) -> None:
    """Let time pass, while both sides are awake."""
    until = clock.ahead + seconds
    while clock.ahead < until:
        clock.jump(min(PING_SECONDS, until - clock.ahead))
        # Who is asked looks at its clock. A pong may wait until then: of three pings' time one is lost.
        for agent in (pair.host, pair.guest):
            await agent.server.call("tunnel_status")


async def _pass_unasked(clock: JumpingClock, seconds: int) -> None:
    """Let time pass, and each time wait until both sides must have looked at their clocks of themselves."""
    for _ in range(0, seconds, PING_SECONDS):
        clock.jump(PING_SECONDS)
        await asyncio.sleep(LONGEST_NAP_SECONDS + SLACK_SECONDS)


async def _ended(pair: Pair, clock: JumpingClock) -> list[str]:
    found: list[str] = []
    for agent in (pair.host, pair.guest):
        status = await agent.server.call("tunnel_status")
        if status["state"] != "connected":
            found.append(
                f"after {clock.ahead / 3600:.1f} h {agent.name} is {status['state']}: {status['closedBecause']}"
            )
    return found


async def _ends(pair: Pair, clock: JumpingClock) -> list[str]:
    """A minute before it is idle it lives, and soon after it does not, though nobody asks: the clock is the one that counts."""
    await _pass(pair, clock, IDLE_SECONDS - SECONDS)
    if early := await _ended(pair, clock):
        return early
    await _pass(pair, clock, SECONDS - PING_SECONDS)
    held = descriptors(pair.host.server)
    await _pass_unasked(clock, 2 * PING_SECONDS)
    return await unended(pair.host.server, held, pair.host.name) or await _is_idle(pair)


async def _is_idle(pair: Pair) -> list[str]:
    status = await pair.host.server.call("tunnel_status")
    return [] if status["closedBecause"] == "idle" else [f"it is {status['state']}: {status['closedBecause']}"]
