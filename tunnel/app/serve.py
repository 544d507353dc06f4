"""Serves MCP on stdio until the client goes away or the process is asked to end; then the peer is told and nothing is left."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

from mcp.server.lowlevel.server import Server

from tunnel.app import stderr
from tunnel.app.identity import display_name
from tunnel.app.log import Logs
from tunnel.app.server import make_server
from tunnel.app.settings import read_settings
from tunnel.app.signals import on_signals
from tunnel.app.stdio import stdio
from tunnel.app.tools import Tools
from tunnel.io.clock import SystemClock

EXIT_SECONDS: Final = 1.5
"""How long telling the peer and giving everything back may take at the end of the process."""


def run(life: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
    """Serve, then end the process, also when a thread hangs in a name lookup, which nothing can interrupt.

    Args:
        life: what is run instead of `serve`.
    """
    with asyncio.Runner() as runner:
        runner.run((life or serve)())
        # Only these hold up the end; by now there is nothing more to give back.
        if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
            sys.stderr.flush()
            os._exit(0)


async def serve() -> None:
    """Serve one client on stdin and stdout."""
    serving = asyncio.ensure_future(_serve())
    on_signals(serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()


async def _serve() -> None:
    settings = read_settings(os.environ)
    for problem in settings.problems:
        stderr.report(f"tunnel-mcp: {problem}")
    Logs(settings.home, stderr.report).sweep()
    tools = Tools(settings, await display_name(), SystemClock())
    talking = asyncio.ensure_future(_talk(make_server(tools)))
    try:
        await asyncio.wait([talking])
    finally:
        talking.cancel()
        # At the same time: a client that does not read its last answers must not delay the word to the peer.
        await asyncio.wait([talking, asyncio.ensure_future(tools.exit())], timeout=EXIT_SECONDS)
    talking.result()


async def _talk(server: Server[Any]) -> None:  # the type of a lifespan that we do not have
    async with stdio() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())
