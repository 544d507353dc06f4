"""A process of ours that runs a program and is killed: `python owner.py COMMAND...`. It says the numbers of both."""

import asyncio
import os
import sys

from tunnel.transport.child import Child


async def _own() -> None:
    child = await Child.start(sys.argv[1:], os.environ)
    async for line in child.lines():
        if line.startswith("here"):
            print(child._guard.pid, child._group, flush=True)


asyncio.run(_own())
