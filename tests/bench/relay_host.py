"""The relay as the app builds it: listener, driver, core and transcript, with nobody who reads beside it.

It is what `tunnel_open` opens, without the MCP server around it.
"""

import asyncio
import os

from tests.bench.processes import Answer, answer, cpu, run
from tests.bench.texts import TEXT
from tunnel.app.hosting import Hosting
from tunnel.io.clock import SystemClock
from tunnel.transport.loopback import Loopback


async def serve() -> None:
    """Open a tunnel, and answer."""
    hosting = Hosting("measure", "Host", Loopback(), SystemClock(), os.urandom)
    link = await hosting.open()
    saying: set[asyncio.Task[None]] = set()

    async def say(count: int, behind: int | None) -> None:
        while hosting.transcript.last == behind:
            await hosting.changed()
        for _ in range(count):
            await hosting.say(TEXT)
            # As calls of an agent do, each leaves the sockets their turn.
            await asyncio.sleep(0)

    def begin(count: int, waits: bool = False) -> Answer:
        """At once, or when the guest has said something more."""
        saying.add(asyncio.ensure_future(say(count, hosting.transcript.last if waits else None)))
        return {}

    await answer({"link": link.text}, {"cpu": cpu, "say": begin})


if __name__ == "__main__":
    run(serve)
