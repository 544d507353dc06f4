"""Two agents talk while five hundred silent or hostile sockets crowd the host's relay, and no message is late for that.

The crowd is a process of its own; what is measured is what an agent waits, from saying to the other side's hearing.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from tests.app.processes import Server, environment
from tests.endurance.agents import NO_BUDGET, Pair, failed_join
from tests.endurance.results import Found, Run
from tests.standins.meddler import Meddle, meddling
from tests.system.talking import a_person
from tunnel.core.link import JoinLink, parse

LATE_SECONDS: Final = 0.250
"""What is heard later after somebody began to say it is late."""

MOST_TRIES: Final = 20
"""So often the guest may try."""

EXCHANGES_PER_SOCKET: Final = 4
"""So often both speak, for each socket in the crowd."""


async def run(
    sockets: int,
    folder: Path,
    late_seconds: float = LATE_SECONDS,
    meddle: Meddle | None = None,
) -> Found:
    """Talk among so many.

    Args:
        sockets: how many crowd the relay.
        folder: not needed.
        late_seconds: what is heard later is late.
        meddle: what becomes of the guest's messages on the way.
    """
    async with AsyncExitStack() as undoing:
        alice = await undoing.enter_async_context(a_person(**NO_BUDGET))
        bob = await undoing.enter_async_context(a_person(**NO_BUDGET))
        link = parse((await alice.call("tunnel_open", goal="endure"))["joinLink"])
        port = int(link.base.rpartition(":")[2])
        at = await undoing.enter_async_context(meddling(port, meddle)) if meddle else port
        async with crowded(port, f"/t/{link.tunnel_id}", sockets) as deeds:
            by = JoinLink(base=f"ws://127.0.0.1:{at}", tunnel_id=link.tunnel_id, key=link.key)
            tries, failed = await _tries(bob, by.text)
            if failed:
                return Found(figures={"tries to join": tries}, faults=[f"the guest does not get in: {failed}"])
            pair = Pair(alice, bob)
            await pair.exchange(EXCHANGES_PER_SOCKET * sockets)
        faults = await pair.faults()
    return Found(
        figures={**_counted(sockets, deeds), "tries to join": tries, **pair.figures()},
        faults=faults + late(pair.latencies, late_seconds),
    )


RUN: Final = Run(
    name="crowd",
    claim="While silent and hostile sockets crowd the relay, a guest gets in when it tries again, and two agents talk; no message is "
    f"heard more than {LATE_SECONDS * 1000:g} ms after somebody began to say it (SIZE-7).",
    unit="sockets",
    size=500,
    small=20,
    run=run,
)


def late(latencies: Mapping[int, float], bound: float) -> list[str]:
    """Which messages were late, and how late."""
    return [
        f"number {seq} was heard after {seconds * 1000:.0f} ms, and {bound * 1000:g} ms are allowed"
        for seq, seconds in latencies.items()
        if seconds > bound
    ]


async def _tries(guest: Server, link: str) -> tuple[int, str]:
    """How often the guest must try to join, and why it fails at last.

    Whoever waits to be let in is hung up on as soon as enough others have come behind it, and may be the guest (SIZE-7).
    """
    for tries in range(1, MOST_TRIES):
        if not await failed_join(guest, link):
            return tries, ""
    return MOST_TRIES, await failed_join(guest, link)


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


def _counted(sockets: int, deeds: dict[str, int]) -> dict[str, int]:
    at_once = deeds.pop("at once")
    return {"sockets": sockets, "connected at once": at_once, "connections": sum(deeds.values())}
