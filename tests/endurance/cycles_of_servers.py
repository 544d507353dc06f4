"""Two MCP servers through which a thousand tunnels go hold as much as before: descriptors, processes, files and memory.

The host's way is cloudflared's: a stand-in is started and ended for each tunnel, with the guard beside it.
"""

import time
from pathlib import Path
from typing import Any, Final

from tests.app.processes import Server
from tests.endurance import holding
from tests.endurance.agents import NO_BUDGET
from tests.endurance.cycles import WARM_UP_SHARE
from tests.endurance.holding import Holding
from tests.endurance.results import Found, Run
from tests.standins.leftovers import Left
from tests.system.places import Place
from tests.system.talking import a_person, begin_listening, heard, said

SETTLE_SECONDS: Final = 2.0
"""So soon after the last end nothing is left of it (CLOSE-2)."""


async def run(cycles: int, folder: Path, **variables: str) -> Found:
    """Open, join, talk and close through both, so many times.

    Args:
        cycles: how often.
        folder: where the homes are.
        variables: more of the environment of the host's server.
    """
    place, other = Place(folder / "host", "host"), Place(folder / "guest", "guest")
    async with (
        a_person(**place.environment(**NO_BUDGET, **variables)) as alice,
        a_person(**other.environment(**NO_BUDGET)) as bob,
    ):
        faults: list[str] = []
        for _ in range(-(-cycles // WARM_UP_SHARE)):
            faults += await _cycle(alice, bob, place)
        before, began = await _held(alice, bob, place, other), time.monotonic()
        for _ in range(cycles):
            faults += await _cycle(alice, bob, place)
        seconds = time.monotonic() - began
        after = await _settled(alice, bob, place, other, before)
    for who, then, now in zip(("the host", "the guest"), before, after, strict=True):
        faults += holding.leaks(then[0], now[0], who) + [f"{who} leaves {left}" for left in now[1].beyond(then[1])]
    grown = [holding.growth_mib(then[0], now[0]) for then, now in zip(before, after, strict=True)]
    return Found(
        figures={
            "cycles": cycles,
            "ms per cycle": seconds / cycles * 1000,
            "starts of cloudflared": len(place.starts()),
            "MiB more at the host": grown[0],
            "MiB more at the guest": grown[1],
        },
        faults=faults,
    )


RUN: Final = Run(
    name="cycles-of-servers",
    claim="Two MCP servers through which tunnels are opened, joined, talked through and closed leave no descriptor, process or "
    f"file, nor more than {holding.LEAK_BYTES // holding.MIB} MiB.",
    unit="cycles",
    size=1000,
    small=3,
    run=run,
    needs=("proc",),
)

Pair = list[tuple[Holding, Left]]


async def _cycle(alice: Server, bob: Server, place: Place) -> list[str]:
    opened: Any = await alice.call("tunnel_open", goal="endure")
    await bob.call("tunnel_join", joinLink=place.link(opened))
    question = (await bob.call("tunnel_say", text="a question"))["seq"]
    asked = said(await alice.call("tunnel_listen", sinceSeq=question - 1))
    listening = await begin_listening(bob, question)
    await alice.call("tunnel_say", text="an answer")
    answered = await heard(bob, listening)
    listening = await begin_listening(bob, answered["cursor"])
    await alice.call("tunnel_close", summary="done")
    over = await heard(bob, listening)
    told = (asked, said(answered), said(over), over["status"]["closedBecause"])
    as_it_should = (["a question"], ["an answer"], ["closed — done"], "closed_by_host")
    return [] if told == as_it_should else [f"a tunnel went otherwise: {told}"]


async def _held(alice: Server, bob: Server, place: Place, other: Place) -> Pair:
    return [(holding.of(server.process.pid, at.home), await at.left()) for server, at in ((alice, place), (bob, other))]


async def _settled(alice: Server, bob: Server, place: Place, other: Place, before: Pair) -> Pair:
    """What they hold when what is on its way out has gone."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        now = await _held(alice, bob, place, other)
        if not any(left.beyond(then) for (_, left), (_, then) in zip(now, before, strict=True)):
            break
    return await _held(alice, bob, place, other)
