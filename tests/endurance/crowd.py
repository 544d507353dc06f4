"""Two agents talk while five hundred silent or hostile sockets crowd the host's relay, and no message is late for that.

The crowd is a process of its own; what is measured is what an agent waits, from saying to the other side's hearing.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import psutil

from tests.app.processes import Server, environment
from tests.endurance.agents import NO_BUDGET, Pair, tries_to_join
from tests.endurance.results import Found, Run, too_few
from tests.system.talking import a_person
from tunnel.core.link import parse
from tunnel.spec.v1.constants import STRANGER_CONNECTIONS

SOCKETS: Final = 500

LATE_SECONDS: Final = 0.250
"""What is heard later after somebody began to say it is late."""

MOST_TRIES: Final = 20
"""So often the guest may try."""

LOOK_SECONDS: Final = 0.02
"""So often the relay's sockets are counted."""

Crowding: TypeAlias = Callable[[int, str, int], AbstractAsyncContextManager[Mapping[str, int]]]
"""Makes a crowd at a port and a path, of so many; what each did, once it is gone."""

EXCHANGES_PER_SOCKET: Final = 4
"""So often both speak, for each socket in the crowd."""


async def run(sockets: int, folder: Path) -> Found:
    """Talk among so many.

    Args:
        sockets: how many crowd the relay.
        folder: not needed.
    """
    async with a_person(**NO_BUDGET) as alice, a_person(**NO_BUDGET) as bob:
        return await among(alice, bob, sockets)


async def among(
    alice: Server, bob: Server, sockets: int, late_seconds: float = LATE_SECONDS, crowding: Crowding | None = None
) -> Found:
    """Let these talk among so many.

    Args:
        alice: the host.
        bob: the guest.
        sockets: how many crowd the relay.
        late_seconds: what is heard later is late.
        crowding: makes a crowd; a test may have another one.
    """
    link = parse((await alice.call("tunnel_open", goal="endure"))["joinLink"])
    port, pair = int(link.base.rpartition(":")[2]), Pair(alice, bob)
    async with (
        held(alice.process.pid) as relay,
        (crowding or crowded)(port, f"/t/{link.tunnel_id}", sockets) as deeds,
    ):
        # Whoever waits to be let in is hung up on as soon as enough others have come behind it, and may be the guest (SIZE-7).
        tries, failed = await tries_to_join(bob, link.text, MOST_TRIES)
        if failed:
            return Found(figures={"tries to join": tries}, faults=[f"the guest does not get in: {failed}"])
        await pair.exchange(EXCHANGES_PER_SOCKET * sockets)
    faults = spared(sockets, relay.most, deeds) + await pair.faults() + late(pair.latencies, late_seconds)
    await alice.call("tunnel_close")
    await bob.call("tunnel_close")
    figures = {"sockets": sockets, "connected at once": relay.most, "connections": sum(deeds.values())}
    return Found(figures={**figures, "tries to join": tries, **pair.figures()}, faults=faults)


RUN: Final = Run(
    name="crowd",
    claim=f"While {SOCKETS} silent and hostile sockets try to stand at the relay at once, of which it keeps {STRANGER_CONNECTIONS} "
    "waiting and hangs up on the rest, which come again, a guest gets in when it tries again, and two agents talk; no message is "
    f"heard more than {LATE_SECONDS * 1000:g} ms after somebody began to say it (SIZE-7).",
    unit="sockets",
    size=SOCKETS,
    small=10,
    run=run,
)


@dataclass
class Held:
    """How many sockets a process has held at once at the most, beyond those that it had at first."""

    most: int = 0


@asynccontextmanager
async def held(pid: int) -> AsyncGenerator[Held]:
    """Look again and again at how many there are."""
    process, counted = psutil.Process(pid), Held()
    before = process.num_fds()

    async def look() -> None:
        while True:
            counted.most = max(counted.most, process.num_fds() - before)
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield counted
    finally:
        looking.cancel()


def spared(sockets: int, most: int, deeds: Mapping[str, int]) -> list[str]:
    """Whether there was no crowd: too few at once, or some that never came."""
    at_once = min(sockets // 2, STRANGER_CONNECTIONS)
    return too_few("connected at once", most, at_once) + too_few("connections", sum(deeds.values()), sockets)


def late(latencies: Mapping[int, float], bound: float) -> list[str]:
    """Which messages were late, and how late."""
    return [
        f"number {seq} was heard after {seconds * 1000:.0f} ms, and {bound * 1000:g} ms are allowed"
        for seq, seconds in latencies.items()
        if seconds > bound
    ]


@asynccontextmanager
async def crowded(port: int, path: str, sockets: int) -> AsyncGenerator[dict[str, int]]:
    """A crowd; what it did, once it is gone."""
    deeds: dict[str, int] = {}
    command = (sys.executable, "-m", "tests.standins.strangers", str(port), path, str(sockets), "a crowd")
    crowd = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environment())
    assert crowd.stdout
    try:
        assert await crowd.stdout.readline(), "the crowd has not come"
        yield deeds
        told, _ = await crowd.communicate(b"")
        deeds |= json.loads(told)
    finally:
        if crowd.returncode is None:
            crowd.kill()
            await crowd.wait()
