"""A thousand tunnels one after the other in one process leave nothing behind: no descriptor, child, task, file or memory."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.app import ends
from tests.endurance import holding
from tests.endurance.results import Found, Run
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.io.clock import SystemClock
from tunnel.transport.base import Transport
from tunnel.transport.loopback import Loopback

WARM_UP_SHARE: Final = 10
"""One cycle for so many comes before the counting: what Python keeps for next time is no leak."""


async def run(cycles: int, folder: Path, transport: Callable[[], Transport] = Loopback) -> Found:
    """Open, join, talk and close, so many times.

    Args:
        cycles: how often.
        folder: the home of both.
        transport: makes the host's transport.
    """
    alice, bob = (_end(name, folder, transport) for name in ("Alice", "Bob"))
    for number in range(-(-cycles // WARM_UP_SHARE)):
        await _cycle(*_roles(alice, bob, number))
    before, began = await holding.own(folder), time.monotonic()
    faults: list[str] = []
    for number in range(cycles):
        faults += await _cycle(*_roles(alice, bob, number))
    seconds = time.monotonic() - began
    after = await holding.own(folder)
    await asyncio.gather(alice.exit(), bob.exit())
    figures = {"cycles": cycles, "ms per cycle": seconds / cycles * 1000, "MiB more": holding.growth_mib(before, after)}
    return Found(figures=figures | _counted(after), faults=faults + holding.leaks(before, after, "the process"))


RUN: Final = Run(
    name="cycles",
    claim="Tunnels that are opened, joined, talked through and closed in one process leave no descriptor, child, task, file, "
    f"nor more than {holding.LEAK_BYTES // holding.MIB} MiB.",
    unit="cycles",
    size=1000,
    small=5,
    run=run,
    needs=("proc",),
)


def _end(name: str, home: Path, transport: Callable[[], Transport]) -> Tools:
    settings = Settings(home=home, keeps_log=True, budget=0)
    return Tools(settings, name, SystemClock(), os.urandom, lambda _named, _setup: transport())


def _roles(alice: Tools, bob: Tools, number: int) -> tuple[Tools, Tools]:
    return (alice, bob) if number % 2 else (bob, alice)


async def _cycle(host: Tools, guest: Tools) -> list[str]:
    """One life of a tunnel; what went wrong in it."""
    await ends.join(guest, await ends.open_(host))
    question = await ends.say(guest, "a question")
    asked = await ends.texts(host, question - 1)
    answer = await ends.say(host, "an answer")
    await ends.caught_up(guest, answer)
    answered = await ends.texts(guest, answer - 1)
    await ends.close(host, "done")
    over = await ends.until(guest, "closed")
    heard = (asked, answered, over.closed_because)
    return [] if heard == (["a question"], ["an answer"], "closed_by_host") else [f"a tunnel went otherwise: {heard}"]


def _counted(held: holding.Holding) -> dict[str, int]:
    descriptors = sum(count for thing, count in held.things.items() if thing.startswith("descriptor"))
    return {"descriptors at the end": descriptors, "children": held.things["child"]}
