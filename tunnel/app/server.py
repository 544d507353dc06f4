"""The MCP server: six tools, three resources and three prompts, for clients of both protocol eras.

It stands on the SDK's low-level server, because the high-level one repeats wrong arguments in its errors, join link
included. Here no error repeats what was passed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import mcp_types as types
import msgspec
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from msgspec import Struct

from tunnel import __version__
from tunnel.app import arguments, prompts, resources, results, stderr
from tunnel.app.asking import ask_first
from tunnel.app.instructions import INSTRUCTIONS
from tunnel.app.tools import Tools
from tunnel.app.untrusted import fenced
from tunnel.app.updates import Updates
from tunnel.app.waiting import NOBODY, Caller
from tunnel.errors import TunnelError

_ONE_HOUR: Final = CacheHint(ttl_ms=3_600_000, scope="public")
_LISTS: Final[dict[CacheableMethod, CacheHint]] = {
    "tools/list": _ONE_HOUR,
    "resources/list": _ONE_HOUR,
    "resources/templates/list": _ONE_HOUR,
    "prompts/list": _ONE_HOUR,
}
"""What is the same in the whole life of a process."""


class _Tool(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    description: str
    arguments: type[results.Arguments]
    result: type[Struct]
    call: Callable[..., Awaitable[Struct]]  # each takes its own arguments type
    waits: bool = False
    """Whether it may take long: then it also takes its caller, who is told that it is alive."""
    read_only: bool = False
    idempotent: bool = False
    destructive: bool = False
    open_world: bool = True


TOOLS: Final[tuple[_Tool, ...]] = (
    _Tool(
        name="tunnel_open",
        title="Open a tunnel",
        description=(
            "Open a tunnel as its host. Gives a join link for one guest and an invite that your person can forward. "
            "When it answers that it is still opening, call it again with the same words."
        ),
        arguments=results.OpenArguments,
        result=results.Opened,
        call=Tools.open,
        waits=True,
    ),
    _Tool(
        name="tunnel_join",
        title="Join a tunnel",
        description="Join a tunnel as its guest, with the join link that the host's person passed on.",
        arguments=results.JoinArguments,
        result=results.JoinedTunnel,
        call=Tools.join,
        waits=True,
    ),
    _Tool(
        name="tunnel_say",
        title="Say something",
        description="Say something to the peer. It is sealed end to end. Answers when it has its number.",
        arguments=results.SayArguments,
        result=results.SaidMessage,
        call=Tools.say,
        waits=True,
    ),
    _Tool(
        name="tunnel_listen",
        title="Listen",
        description=(
            "Hear what was said behind sinceSeq, your own messages included. When there is nothing yet, wait for it; "
            "an empty answer is normal: listen again. Give the last answer's cursor as sinceSeq."
        ),
        arguments=results.ListenArguments,
        result=results.Listened,
        call=Tools.listen,
        waits=True,
        read_only=True,
        idempotent=True,
    ),
    _Tool(
        name="tunnel_status",
        title="Status",
        description="Tell where the tunnel is: who is there, what the goal is, how long link and tunnel last, why it ended.",
        arguments=results.StatusArguments,
        result=results.Status,
        call=Tools.status,
        read_only=True,
        idempotent=True,
        open_world=False,
    ),
    _Tool(
        name="tunnel_close",
        title="Close the tunnel",
        description="Close the tunnel: a host closes it for both, a guest leaves it; with a summary as the last word. Nothing is left behind.",
        arguments=results.CloseArguments,
        result=results.Closed,
        call=Tools.close,
        idempotent=True,
        destructive=True,
    ),
)
_BY_NAME: Final[Mapping[str, _Tool]] = {tool.name: tool for tool in TOOLS}


def make_server(tools: Tools) -> Server[Any]:  # the SDK's lifespan type; ours has none
    """The MCP server over these tools, for one client."""
    updates = Updates(tools)

    async def list_tools(
        _context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        _check_page(params)
        return types.ListToolsResult(tools=[_listed(tool) for tool in TOOLS])

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        caller = _caller(context)
        if question := await ask_first(tools, context, params, caller):
            return question
        return await call(tools, params.name, params.arguments or {}, caller)

    async def list_resources(
        _context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        _check_page(params)
        return types.ListResourcesResult(resources=resources.listed())

    async def list_templates(
        _context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        _check_page(params)
        return types.ListResourceTemplatesResult(resource_templates=[])

    async def read_resource(
        _context: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return await resources.read(tools, params.uri)

    async def list_prompts(
        _context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        _check_page(params)
        return types.ListPromptsResult(prompts=prompts.listed())

    async def get_prompt(
        _context: ServerRequestContext[Any], params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        return prompts.get(params.name, params.arguments or {})

    return Server(
        name="tunnel",
        version=__version__,
        title="Tunnel",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=updates.subscribe,
        on_unsubscribe_resource=updates.unsubscribe,
        on_subscriptions_listen=updates.on_listen,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        cache_hints=_LISTS,
    )


def _caller(context: ServerRequestContext[Any]) -> Caller:
    client = context.session.client_params
    return Caller(
        name=client.client_info.name if client else "",
        hears=progress_token_from_params(context.params) is not None,
        tell=context.session.report_progress,
        since=asyncio.get_running_loop().time(),
    )


def _check_page(params: types.PaginatedRequestParams | None) -> None:
    """Every list is one page: nobody was given a cursor."""
    if params and params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "There is no page behind this cursor: the list is one page.")


async def call(tools: Tools, name: str, given: Mapping[str, object], caller: Caller = NOBODY) -> types.CallToolResult:
    """Call a tool. Whatever goes wrong is a tool error in words; nothing is repeated that may hold a secret.

    Raises:
        MCPError: there is no such tool.
    """
    tool = _BY_NAME.get(name)
    if tool is None:
        raise MCPError(types.INVALID_PARAMS, f"There is no tool of this name; there are {', '.join(_BY_NAME)}.")
    try:
        read = arguments.read(given, tool.arguments)
        result = await (tool.call(tools, read, caller) if tool.waits else tool.call(tools, read))
        return _answer(result, fenced(result, tools.entropy))
    except arguments.BadArgumentError as error:
        return _error(f"{name}: {error}")
    except TunnelError as error:
        return _error(str(error))
    except Exception as error:  # noqa: BLE001 - a bug must not cost the client its answer
        stderr.report(stderr.places(error, error.__traceback__))
        return _error(f"{name} failed because of a bug ({type(error).__name__}). Please report it.")


def _answer(result: Struct, text: str) -> types.CallToolResult:
    structured = msgspec.to_builtins(result)
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=structured)


def _error(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


def _listed(tool: _Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=schema(tool.arguments),
        output_schema=schema(tool.result),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=tool.open_world,
        ),
    )


def schema(kind: type[Struct]) -> dict[str, Any]:  # a JSON Schema
    """The JSON Schema of a type, with an object at its root, as MCP wants it."""
    (_,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    root = components.pop(kind.__name__)
    return {**root, "$defs": components} if components else root
