"""Serves our implementation by lines instead of MCP: it starts four times as fast, and shows that the line adapter works.

What the lines are is said in `subjects/forms.py`.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from tunnel.app import results, stderr
from tunnel.app.arguments import BadArgumentError, read
from tunnel.app.settings import read_settings
from tunnel.app.signals import on_signals
from tunnel.app.tools import Tools
from tunnel.errors import TunnelError
from tunnel.io.clock import SystemClock

SETTINGS: Final = {"TUNNEL_TRANSPORT": "loopback", "TUNNEL_BUDGET": "0"}
"""Nothing leaves this machine, and there is no person whom an agent would have to ask before it says more."""

NAME: Final = "the implementation"

LINE_BYTES: Final = 16 * 1024 * 1024
"""Longest line: a text of the largest size, written as escapes, and more."""

EXIT_SECONDS: Final = 1.5
"""How long telling the peer and giving everything back may take at the end."""


_ARGUMENTS: Final[Mapping[str, type[results.Arguments]]] = {
    "open": results.OpenArguments,
    "join": results.JoinArguments,
    "say": results.SayArguments,
    "listen": results.ListenArguments,
    "status": results.StatusArguments,
    "close": results.CloseArguments,
}
"""What can be asked for: the methods of `Tools`."""


class _Asked(Struct):
    id: int
    do: str
    args: dict[str, object] = {}


async def serve() -> None:
    """Answer what is asked on stdin until it ends, or until the process is asked to end; then the peer is told."""
    tools = Tools(read_settings({**os.environ, **SETTINGS}), NAME, SystemClock())
    talking = asyncio.ensure_future(_talk(tools))
    on_signals(talking.cancel)
    await asyncio.wait([talking])
    await asyncio.wait([asyncio.ensure_future(tools.exit())], timeout=EXIT_SECONDS)
    if not talking.cancelled():
        talking.result()


async def _talk(tools: Tools) -> None:
    lines = asyncio.StreamReader(limit=LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    # A listen waits while other questions are answered.
    answering: set[asyncio.Task[None]] = set()
    try:
        async for line in lines:
            task = asyncio.create_task(_answer(tools, line))
            answering.add(task)
            task.add_done_callback(answering.discard)
    finally:
        for task in answering:
            task.cancel()


async def _answer(tools: Tools, line: bytes) -> None:
    try:
        asked = msgspec.json.decode(line, type=_Asked)
    except msgspec.MsgspecError as error:
        stderr.report(f"A line is no question: {error}")
        return
    answer: dict[str, object] = {"id": asked.id}
    try:
        answer["result"] = await _done(tools, asked)
    except (BadArgumentError, TunnelError) as error:
        answer["error"] = str(error)
    except Exception as error:  # noqa: BLE001 - a bug must not cost the answer
        stderr.report(stderr.places(error, error.__traceback__))
        answer["error"] = f"{asked.do} failed because of a bug ({type(error).__name__})."
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


async def _done(tools: Tools, asked: _Asked) -> Struct:
    arguments = _ARGUMENTS.get(asked.do)
    if arguments is None:
        raise BadArgumentError(f"there is nothing of this name to do; there is {', '.join(_ARGUMENTS)}.")
    # Looked up now, and not when this was imported: it may be patched.
    method: Callable[[results.Arguments], Awaitable[Struct]] = getattr(tools, asked.do)
    return await method(read(asked.args, arguments))
