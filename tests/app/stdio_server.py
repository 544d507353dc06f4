"""A server for the tests of `tunnel.app.stdio`, to be run as a process of its own.

`serve` answers as an MCP server with a few tools, and on SIGTERM cancels itself; `collect` answers each
request with its method, without the SDK's loop, which would cancel what it has not answered by end of input;
`slow` never ends the handshake, so that the SDK's loop reads no further; `restore` serves once, and then
uses both standard streams for itself. A second argument is the time that leaving may take.
"""

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from tunnel.app.stdio import stdio

FLUSH_SECONDS = float(sys.argv[2])
_CHILD = "import sys; print('from a child'); print(repr(sys.stdin.read()), file=sys.stderr)"


async def _list_tools(
    _context: ServerRequestContext[object], _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    names = ("echo", "print", "child", "big", "half", "forever")
    return types.ListToolsResult(tools=[types.Tool(name=name, input_schema={"type": "object"}) for name in names])


async def _call_tool(
    _context: ServerRequestContext[object], params: types.CallToolRequestParams
) -> types.CallToolResult:
    text = str((params.arguments or {}).get("text", ""))
    print(f"called {params.name}", file=sys.stderr, flush=True)
    match params.name:
        case "print":
            print("a stray print")  # stays in the buffer of sys.stdout until the process ends
            os.write(1, b"a stray write\n")
        case "child":
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _CHILD], check=True)
        case "big":
            text = "x" * 1_000_000
        case "half":
            text = "half \ud800 pair"
        case "forever":
            await asyncio.Event().wait()
        case _:
            pass
    return types.CallToolResult(content=[types.TextContent(text=text)])


async def _never(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    print(f"called {ctx.method}", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


async def serve(*middleware: ServerMiddleware[Any]) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    server = Server("test", on_list_tools=_list_tools, on_call_tool=_call_tool)
    server.middleware.extend(middleware)
    try:
        async with stdio(FLUSH_SECONDS) as (read_stream, write_stream):
            await server.run(read_stream, write_stream, server.create_initialization_options())
    except asyncio.CancelledError:
        print("cancelled", file=sys.stderr, flush=True)


async def collect() -> None:
    async with stdio(FLUSH_SECONDS) as (read_stream, write_stream):
        async for item in read_stream:
            assert isinstance(item, SessionMessage)
            if isinstance(item.message, types.JSONRPCRequest):
                result = {"method": item.message.method}
                answer = types.JSONRPCResponse(jsonrpc="2.0", id=item.message.id, result=result)
                await write_stream.send(SessionMessage(answer))


async def slow() -> None:
    await serve(_never)


async def restore() -> None:
    async with stdio(FLUSH_SECONDS) as (read_stream, _write_stream):
        await read_stream.receive()
        print("while serving")
    print(f"after serving: {sys.stdin.readline().strip()}")


if __name__ == "__main__":
    asyncio.run({"serve": serve, "collect": collect, "slow": slow, "restore": restore}[sys.argv[1]]())
