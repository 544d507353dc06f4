"""Serves MCP on stdio until the client goes away or the process is asked to end; then the peer is told and nothing is left."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

from mcp.server.lowlevel.server import Server

from tunnel.app.identity import display_name
from tunnel.app.server import make_server
from tunnel.app.settings import read_settings
from tunnel.app.stdio import stdio
from tunnel.app.tools import Tools
from tunnel.io.clock import SystemClock

EXIT_SECONDS = 2.0
"""How long taking a tunnel down may take at the end of the process."""


async def serve() -> None:
    """Serve one client on stdin and stdout."""
    name = await asyncio.to_thread(display_name)
    tools = Tools(read_settings(os.environ), name, SystemClock())
    server = make_server(tools)
    serving = asyncio.ensure_future(_serve(server))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await asyncio.wait([serving])
    finally:
        async with asyncio.timeout(EXIT_SECONDS):
            await tools.exit()
    with suppress(asyncio.CancelledError):
        serving.result()


async def _serve(server: Server[Any]) -> None:  # the type of a lifespan that we do not have
    async with stdio() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())
