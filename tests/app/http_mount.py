"""Serves the same MCP server over HTTP, which the program itself never does: for the official conformance tests only.

They ask for tools, prompts and resources of a made-up server. Where one of ours does what such a one is there to show, it
is called in its place; the server itself is the one that the program runs, and does not know of it.

`python -m tests.app.http_mount` serves at a free port of 127.0.0.1 until it is ended, and prints where as soon as it does.
"""

import asyncio
import json
import socket
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.app.ends import end, open_
from tunnel.app.server import make_server
from tunnel.app.tools import Tools

Fields = dict[str, Any]  # a JSON object

_ASKING: Final = ("tunnel_say", {"text": "May I say this?"})

TOOLS: Final[dict[str, tuple[str, Fields]]] = {
    "test_simple_text": ("tunnel_status", {}),
    "test_error_handling": ("tunnel_join", {}),
    "test_elicitation": _ASKING,
    "test_input_required_result_elicitation": _ASKING,
    "test_input_required_result_request_state": _ASKING,
    "test_input_required_result_tampered_state": _ASKING,
    "test_input_required_result_capabilities": _ASKING,
}
"""Which tool is called in place of which, and with what."""

PROMPTS: Final = {"test_simple_prompt": "etiquette"}
RESOURCES: Final = {"test://static-text": "tunnel://status", "test://watched-resource": "tunnel://status"}

KEYS: Final = ((b'"allow_more"', b'"user_name" '),)
"""What our question is called, and what theirs is: equally long, for a length was told already."""


class InPlace:
    """Has ours called in place of what the tests ask for.

    Args:
        app: our server.
        tools: its tools.
    """

    def __init__(self, app: ASGIApp, tools: Tools) -> None:
        self._app = app
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on: the shape of an ASGI application."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, name = self._replaced(await _body(receive))
        changed = {b"content-length": str(len(body)).encode(), **({b"mcp-name": name.encode()} if name else {})}
        headers = [(header, changed.get(header, value)) for header, value in scope["headers"]]
        given = False

        async def once() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def renamed(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": _renamed(message.get("body", b""), theirs=True)}
            await send(message)

        await self._app({**scope, "headers": headers}, once, renamed)

    def _replaced(self, body: bytes) -> tuple[bytes, str]:
        """The body with ours in place of theirs, and ours if it was: the header `Mcp-Name` must repeat it."""
        params = _params(body)
        method, name, uri = params.pop("method", None), params.get("name"), params.get("uri")
        if method == "tools/call" and name in TOOLS:
            params["name"], params["arguments"] = TOOLS[name]
            if params["name"] == "tunnel_say" and "requestState" not in params:
                self._spend()
        elif method == "prompts/get" and name in PROMPTS:
            params["name"] = PROMPTS[name]
        elif uri in RESOURCES:
            params["uri"] = RESOURCES[uri]
        else:
            return body, ""
        whole = json.dumps({**json.loads(body), "params": params}).encode()
        return _renamed(whole, theirs=False), str(params.get("uri", params.get("name")))

    def _spend(self) -> None:
        """Its person may be asked, whatever it answered before."""
        budget = self._tools.budget
        budget.grant(budget.round)
        budget.said = budget.limit


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _params(body: bytes) -> Fields:
    """The parameters of a request, with its method among them; none where it is no request."""
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    params = request.get("params") if isinstance(request, dict) else None
    return {**params, "method": request.get("method")} if isinstance(params, dict) else {}


def _renamed(body: bytes, *, theirs: bool) -> bytes:
    for ours, others in KEYS:
        body = body.replace(ours, others) if theirs else body.replace(others.strip(), ours)
    return body


async def main() -> None:
    tools = end("Alice")
    await open_(tools)
    app = InPlace(make_server(tools).streamable_http_app(), tools)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        # It is taken now: whoever calls from here on waits for its answer.
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listening])
    await tools.exit()


if __name__ == "__main__":
    asyncio.run(main())
