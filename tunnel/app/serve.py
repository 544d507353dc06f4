"""Serves MCP on stdio until the client goes away or the process is asked to end; then the peer is told and nothing is left."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final

from mcp.server.lowlevel.server import Server

from tunnel.app import stderr
from tunnel.app.identity import display_name
from tunnel.app.log import Logs
from tunnel.app.person.desk import Desk
from tunnel.app.server import make_server
from tunnel.app.settings import Settings, read_settings
from tunnel.app.signals import on_signals
from tunnel.app.skill.install import install_at_start
from tunnel.app.stdio import stdio
from tunnel.app.tools import Tools
from tunnel.app.watch.window import Window
from tunnel.errors import NetworkFault
from tunnel.io.clock import SystemClock

EXIT_SECONDS: Final = 1.5
"""How long telling the peer and giving everything back may take at the end of the process."""


def run(life: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
    """Serve, then end the process at once, also when a thread hangs in a name lookup, which nothing can interrupt.

    Args:
        life: what is run instead of `serve`.
    """
    with asyncio.Runner() as runner:
        runner.run((life or serve)())
        # By now there is nothing more to give back, and taking the interpreter apart takes a busy machine a second.
        with suppress(OSError, ValueError, AttributeError):  # nobody may read it, or there is none
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
    for sentence in (*settings.problems, *settings.warnings):
        stderr.report(f"tunnel-mcp: {sentence}")
    Logs(settings.home, stderr.report).sweep()
    tools = Tools(settings, await display_name(settings.name), SystemClock())
    window = Window(tools)
    desk = Desk(tools, window)
    talking = asyncio.ensure_future(_talk(make_server(tools)))
    try:
        await desk.open(settings.home)
        if settings.installs_skill:
            _install_skill(settings)
        if settings.shows_window:
            stderr.report(await _shown(window))
        await asyncio.wait([talking])
    finally:
        talking.cancel()
        # At the same time: a client that does not read its last answers must not delay the word to the peer.
        ending = [asyncio.ensure_future(end()) for end in (tools.exit, window.close, desk.close)]
        await asyncio.wait([talking, *ending], timeout=EXIT_SECONDS)
    talking.result()


def _install_skill(settings: Settings) -> None:
    """Beside everything else: a home folder on a slow disk holds up nobody, and its end nobody's."""
    work = partial(install_at_start, settings.home, settings.skills, stderr.report)
    threading.Thread(target=work, name="skill", daemon=True).start()


async def _shown(window: Window) -> str:
    try:
        return f"tunnel-mcp: your window, for looking on: {await window.open()}"
    except NetworkFault as error:
        return f"tunnel-mcp: there is no window: {error}. The tunnel works without."


async def _talk(server: Server[Any]) -> None:  # the type of a lifespan that we do not have
    async with stdio() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())
