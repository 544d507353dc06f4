"""When a machine's own clock jumps ahead, as after a suspend, whatever came due takes effect before anything else (TIME-1).

In `make test` this is `tests/core/test_host_time.py`'s, on a clock that stands still, and with processes that sleep
`tests/system/test_stays_up.py`'s.
"""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import psutil

from tests.app.processes import Server
from tests.endurance.agents import NO_BUDGET, Pair, failed_join
from tests.endurance.results import Found, Run
from tests.standins.jumps import JumpingClock
from tests.system.talking import a_person
from tunnel.io.driver import LONGEST_NAP_SECONDS
from tunnel.spec.v1.constants import CLOSE_SECONDS, IDLE_SECONDS, LINK_SECONDS, PING_SECONDS, SILENCE_SECONDS
from tunnel.spec.v1.refusals import REFUSALS, Refusal

SHORT_JUMPS: Final = 2 * SILENCE_SECONDS // PING_SECONDS
"""So often both clocks jump by a ping's time in one tunnel."""


UNASKED_ONE_IN: Final = 4
"""In one round of so many nobody is asked after a jump: whoever is asked looks at its clock, and so its timers are not needed."""

ENDED_SECONDS: Final = LONGEST_NAP_SECONDS + CLOSE_SECONDS + 2
"""So soon after a jump, in real time, a tunnel that came due has ended, and its sockets are closed."""


async def run(rounds: int, folder: Path) -> Found:
    """Let the clocks of both machines jump ahead, by less and by more than they may.

    Args:
        rounds: how often.
        folder: where they are.
    """
    clock, faults, messages = JumpingClock(folder / "clock"), list[str](), 0
    async with a_person(**NO_BUDGET, **clock.environment) as alice, a_person(**NO_BUDGET, **clock.environment) as bob:
        for number in range(rounds):
            pair = await _short_of_silence(clock, alice, bob)
            messages, faults = messages + pair.messages, faults + await pair.faults()
            if number % UNASKED_ONE_IN == 0:
                faults += await unasked(pair, clock)
            else:
                clock.jump(SILENCE_SECONDS + 1)
            faults += await _is(alice, state="peer_left", closedBecause="peer_left")
            faults += await _is(bob, state="closed", closedBecause="host_silent")
            await alice.call("tunnel_close")
            link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
            clock.jump(LINK_SECONDS + 1)
            if (expired := REFUSALS[Refusal.JOIN_LINK_EXPIRED].text) not in (told := await failed_join(bob, link)):
                faults.append(f"after a jump beyond its life a link is not {expired!r}, but {told!r}")
            if number % UNASKED_ONE_IN == 0:
                held = descriptors(alice)
                clock.jump(IDLE_SECONDS - LINK_SECONDS)
                faults += await unended(alice, held, "the host")
            else:
                clock.jump(IDLE_SECONDS - LINK_SECONDS)
            faults += await _is(alice, state="closed", closedBecause="idle")
    return Found(figures={"jumps": rounds * (SHORT_JUMPS + 3), "messages": messages}, faults=faults)


RUN: Final = Run(
    name="own-clock",
    claim="When the clock of both machines jumps ahead as after a suspend, by less than a peer may be silent, nothing is lost; by more, "
    "both learn at once that the tunnel, the link or the session is over, also when nobody asks them (TIME-1, KEEP-2, LINK-2, IDLE-1).",
    unit="rounds",
    size=20,
    small=0,
    run=run,
    needs=("faketime",),
)


async def unasked(pair: Pair, clock: JumpingClock) -> list[str]:
    """Jump beyond what a peer may be silent, and ask nobody."""
    sides = [(agent.server, descriptors(agent.server), agent.name) for agent in (pair.host, pair.guest)]
    clock.jump(SILENCE_SECONDS + 1)
    return [fault for faults in await asyncio.gather(*(unended(*side) for side in sides)) for fault in faults]


def descriptors(server: Server) -> int:
    """How many a server holds: of a tunnel that is over, it holds fewer."""
    return psutil.Process(server.process.pid).num_fds()


async def unended(server: Server, before: int, who: str) -> list[str]:
    """Whether a tunnel that came due does not end by a timer alone. Even a listen that waits would look at the clock."""
    end = time.monotonic() + ENDED_SECONDS
    while descriptors(server) >= before:
        if time.monotonic() > end:
            return [f"{who} has not ended what came due within {ENDED_SECONDS:g} s of a jump, as nobody asked it"]
        await asyncio.sleep(0.02)
    return []


async def _short_of_silence(clock: JumpingClock, alice: Server, bob: Server) -> Pair:
    await bob.call("tunnel_join", joinLink=(await alice.call("tunnel_open", goal="endure"))["joinLink"])
    pair = Pair(alice, bob)
    for _ in range(SHORT_JUMPS):
        clock.jump(PING_SECONDS)
        await pair.exchange(1)
    return pair


async def _is(server: Server, **wanted: str) -> list[str]:
    status: dict[str, Any] = await server.call("tunnel_status")
    found = {name: status[name] for name in wanted}
    return [] if found == wanted else [f"after a jump of its own clock a side is {found}, and not {wanted}"]
