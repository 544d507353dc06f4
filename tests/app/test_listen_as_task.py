"""What was found when tunnel_listen was tried as an MCP task (`io.modelcontextprotocol/tasks`, revision 2026-07-28).

CONTRIBUTING says what follows from it. These tests keep the finding true: when one of them fails, the SDK has changed, and
the question is open again. The program itself does not do this.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp.client import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding, compose_tool_call_handler
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from tests.app.ends import PATIENCE_SECONDS, end, join, open_, say
from tunnel.app.server import make_server
from tunnel.app.tools import Tools

pytestmark = pytest.mark.anyio

TASKS = "io.modelcontextprotocol/tasks"
MISSING_CAPABILITY = -32021
CREATED = "2026-11-23T00:00:00Z"


class TaskParams(types.RequestParams):
    task_id: str


class ListenAsTask(Extension):
    """A listen of a client that has tasks is answered at once with a handle, and goes on."""

    identifier = TASKS

    def __init__(self) -> None:
        self.running: dict[str, asyncio.Task[HandlerResult]] = {}

    def methods(self) -> Sequence[MethodBinding]:
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", TaskParams, self.get, modern),
            MethodBinding("tasks/cancel", TaskParams, self.cancel, modern),
        ]

    async def intercept_tool_call(
        self, params: types.CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        if params.name != "tunnel_listen" or not has_tasks(ctx):
            return await call_next(ctx)
        task_id = f"listen-{len(self.running)}"
        self.running[task_id] = asyncio.ensure_future(call_next(ctx))
        return {"resultType": "task", **self._state(task_id)}

    async def get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        self._check(ctx, params)
        return self._state(params.task_id)

    async def cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        self._check(ctx, params)
        task = self.running[params.task_id]
        task.cancel()
        await asyncio.wait([task])
        return {}

    def _check(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> None:
        if not has_tasks(ctx):
            raise MCPError(MISSING_CAPABILITY, "Missing required client capability")
        if params.task_id not in self.running:
            raise MCPError(types.INVALID_PARAMS, "Failed to retrieve task: Task not found")

    def _state(self, task_id: str) -> dict[str, Any]:
        task = self.running[task_id]
        state: dict[str, Any] = {"taskId": task_id, "createdAt": CREATED, "lastUpdatedAt": CREATED, "ttlMs": 1_800_000}
        if not task.done():
            return {**state, "status": "working", "pollIntervalMs": 20}
        if task.cancelled():
            return {**state, "status": "cancelled"}
        result = task.result()
        assert isinstance(result, types.CallToolResult)
        return {
            **state,
            "status": "completed",
            "result": result.model_dump(by_alias=True, mode="json", exclude_none=True),
        }


def has_tasks(ctx: ServerRequestContext[Any, Any]) -> bool:
    declared = ctx.session.client_capabilities
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and TASKS in ((declared and declared.extensions) or {})


def extended(server: Server[Any], extension: Extension) -> Server[Any]:
    """What `MCPServer(extensions=...)` does, for a low-level server, which takes none."""
    server.extensions[extension.identifier] = extension.settings()
    for method in extension.methods():
        server.add_request_handler(method.method, method.params_type, method.handler)
    entry = server.get_request_handler("tools/call")
    assert entry
    wrapped: Callable[..., Awaitable[HandlerResult]] = compose_tool_call_handler([extension], entry.handler)
    server.add_request_handler("tools/call", types.CallToolRequestParams, wrapped)
    return server


class CreatedTask(types.Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class TaskState(types.Result):
    status: str
    result: dict[str, Any] | None = None


class GetTask(types.Request[TaskParams, str]):
    method: str = "tasks/get"
    params: TaskParams


class TakesTasks(ClientExtension):
    identifier = TASKS

    def __init__(self) -> None:
        self.handles: list[str] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=CreatedTask, resolve=self.resolve)]

    async def resolve(self, created: CreatedTask, context: ClaimContext) -> types.CallToolResult:
        self.handles.append(created.task_id)
        while True:
            request = GetTask(params=TaskParams(task_id=created.task_id))
            state = await context.session.send_request(request, TaskState)
            if state.result is not None:
                return types.CallToolResult.model_validate(state.result)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def tried(mode: str, *takes: ClientExtension) -> AsyncGenerator[tuple[Tools, Client, ListenAsTask]]:
    tools, extension = end("Alice"), ListenAsTask()
    server = extended(make_server(tools), extension)
    try:
        async with Client(server, mode=mode, extensions=list(takes)) as client:
            yield tools, client, extension
    finally:
        await tools.exit()


async def heard(tools: Tools, client: Client) -> list[str]:
    """A guest says something while a listen waits; what the listen hears."""
    link, bob = await open_(tools), end("Bob")
    await join(bob, link)
    listening = asyncio.create_task(client.call_tool("tunnel_listen", {"sinceSeq": 2}))
    await asyncio.sleep(0.05)
    assert not listening.done()
    await say(bob, "hello")
    answer = await asyncio.wait_for(listening, PATIENCE_SECONDS)
    await bob.exit()
    return [message["text"] for message in (answer.structured_content or {})["messages"]]


async def test_a_client_that_has_tasks_gets_a_handle_and_then_the_answer() -> None:
    takes = TakesTasks()
    async with tried("auto", takes) as (tools, client, extension):
        assert await heard(tools, client) == ["hello"]
        assert takes.handles == list(extension.running) != []
        assert (client.server_capabilities.extensions or {}) == {TASKS: {}}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_without_tasks_gets_the_plain_answer(mode: str) -> None:
    async with tried(mode) as (tools, client, extension):
        assert await heard(tools, client) == ["hello"]
        assert extension.running == {}


async def test_in_the_handshake_era_a_client_that_has_tasks_gets_the_plain_answer_too() -> None:
    takes = TakesTasks()
    async with tried("legacy", takes) as (tools, client, extension):
        assert await heard(tools, client) == ["hello"]
        assert takes.handles == list(extension.running) == []


async def test_cancelling_a_task_frees_the_place_of_its_listen() -> None:
    """And cancelling the call does not: it is answered already, so a client that only knows that leaves the listen waiting."""
    takes = TakesTasks()
    async with tried("2026-07-28", takes) as (tools, client, extension):
        await open_(tools)
        calling = asyncio.create_task(client.call_tool("tunnel_listen", {"sinceSeq": 1}))
        while not takes.handles:
            await asyncio.sleep(0.01)
        calling.cancel()
        await asyncio.wait([calling])
        (listening,) = extension.running.values()
        assert not listening.done()
        cancel = types.Request[TaskParams, str](method="tasks/cancel", params=TaskParams(task_id=takes.handles[0]))
        await client.session.send_request(cancel, types.EmptyResult)

        assert listening.cancelled()
