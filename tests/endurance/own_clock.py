"""When a machine's own clock jumps ahead, as after a suspend, whatever came due takes effect before anything else (TIME-1).

In `make test` this is `tests/core/test_host_time.py`'s, on a clock that stands still, and with processes that sleep
`tests/system/test_stays_up.py`'s.
"""

from pathlib import Path
from typing import Any, Final

from tests.app.processes import Server
from tests.endurance.agents import NO_BUDGET, Pair, failed_join
from tests.endurance.results import Found, Run
from tests.standins.jumps import JumpingClock
from tests.system.talking import a_person
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS, PING_SECONDS, SILENCE_SECONDS
from tunnel.spec.v1.refusals import REFUSALS, Refusal

SHORT_JUMPS: Final = 2 * SILENCE_SECONDS // PING_SECONDS
"""So often both clocks jump by a ping's time in one tunnel."""


async def run(rounds: int, folder: Path) -> Found:
    """Let the clocks of both machines jump ahead, by less and by more than they may.

    Args:
        rounds: how often.
        folder: where they are.
    """
    clock, faults, messages = JumpingClock(folder / "clock"), list[str](), 0
    async with a_person(**NO_BUDGET, **clock.environment) as alice, a_person(**NO_BUDGET, **clock.environment) as bob:
        for _ in range(rounds):
            pair = await _short_of_silence(clock, alice, bob)
            messages, faults = messages + pair.messages, faults + await pair.faults()
            clock.jump(SILENCE_SECONDS + 1)
            faults += await _is(alice, state="peer_left", closedBecause="peer_left")
            faults += await _is(bob, state="closed", closedBecause="host_silent")
            await alice.call("tunnel_close")
            link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
            clock.jump(LINK_SECONDS + 1)
            if (expired := REFUSALS[Refusal.JOIN_LINK_EXPIRED].text) not in (told := await failed_join(bob, link)):
                faults.append(f"after a jump beyond its life a link is not {expired!r}, but {told!r}")
            clock.jump(IDLE_SECONDS - LINK_SECONDS)
            faults += await _is(alice, state="closed", closedBecause="idle")
    return Found(figures={"jumps": rounds * (SHORT_JUMPS + 3), "messages": messages}, faults=faults)


RUN: Final = Run(
    name="own-clock",
    claim="When the clock of both machines jumps ahead as after a suspend, by less than a peer may be silent, nothing is lost; by more, "
    "both learn at once that the tunnel, the link or the session is over (TIME-1, KEEP-2, LINK-2, IDLE-1).",
    unit="rounds",
    size=20,
    small=0,
    run=run,
    needs=("faketime",),
)


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
