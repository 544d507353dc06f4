"""Controls an implementation as the MCP client of either era does that starts it: tools over stdin and stdout.

It is a client of its own and not the SDK's: that one hides what a server does wrong, and checks what is not asked here.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, cast

from tunnel_conformance import __version__
from tunnel_conformance.subjects import agent
from tunnel_conformance.subjects.base import Answer, Babbled, Call
from tunnel_conformance.subjects.clock import Clock
from tunnel_conformance.subjects.dialogue import Dialogue, Message
from tunnel_conformance.subjects.process import Process
from tunnel_conformance.subjects.shown import shown
from tunnel_conformance.wire.fields import objects

Era = Literal["handshake", "stateless"]
"""`handshake`: `initialize` comes first. `stateless`: every request says what its client is; `server/discover` is answered."""

HANDSHAKE_VERSION: Final = "2025-06-18"
STATELESS_VERSION: Final = "2026-07-28"

LIST_SECONDS: Final = 10.0
"""How long the list of the tools may take."""

_CLIENT: Final = {"name": "tunnel-conformance", "version": __version__}
_META: Final = {
    "io.modelcontextprotocol/protocolVersion": STATELESS_VERSION,
    "io.modelcontextprotocol/clientInfo": _CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
_METHOD_NOT_FOUND: Final = -32601


class McpLauncher:
    """Starts MCP servers.

    Args:
        name: how people call the implementation.
        command: its words.
        environment: what the user gives to it.
        clock: makes it go faster.
        era: of the protocol; when left out, the handshake is tried first.
        folder: where it runs; here, when left out.
    """

    control: Literal["mcp", "line"] = "mcp"

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        clock: Clock,
        era: Era | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self._command = tuple(command)
        self._environment = dict(environment)
        self._era: Era | None = era
        self._folder = folder

    async def start(self, speed: float = 1.0) -> agent.Agent:
        """A new process, ready for calls.

        Raises:
            SubjectFault: it does not come about.
        """
        return await agent.start(
            self._command,
            self._environment,
            self.clock,
            speed,
            self._folder or Path.cwd(),
            lambda process, dialogue: McpControl(process, dialogue, self._era),
        )


class McpControl:
    """An MCP client with no capabilities, for tools only.

    Args:
        process: the server.
        dialogue: with it.
        era: of the protocol; when left out, the handshake is tried first.
    """

    def __init__(self, process: Process, dialogue: Dialogue, era: Era | None = None) -> None:
        self._process = process
        self._dialogue = dialogue
        self._tries: tuple[Era, ...] = (era,) if era else ("handshake", "stateless")
        self.era: Era = self._tries[0]
        self._offered: dict[str, Message] | None = None
        dialogue.read = self._read

    async def greet(self, seconds: float) -> None:
        """Find out which era it speaks, and say what that asks for.

        Raises:
            SubjectFault: it is no MCP server.
        """
        refusals: list[str] = []
        for era in self._tries:
            self.era = era
            method, params = _greeting(era)
            answer = await self._ask(method, params, method, seconds)
            if isinstance(answer.get("result"), dict):
                if era == "handshake":
                    self._dialogue.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
                return
            refusals.append(f"to {method}: {_error(answer)}")
        raise Babbled(f"It is no MCP server: it says no {'; and '.join(refusals)}", self._process.tail)

    async def call(self, what: Call | Literal["no_such_tool"], arguments: Message, seconds: float) -> Answer:
        """Call a tool.

        Raises:
            SubjectFault: no answer comes, or none that is one.
        """
        tool = f"tunnel_{what}"
        answer = await self._ask("tools/call", {"name": tool, "arguments": arguments}, tool, seconds)
        result = answer.get("result")
        if not isinstance(result, dict):
            return Answer(error=_error(answer))
        return self._answer(tool, cast(Message, result))

    async def lacks(self, what: Call, argument: str) -> bool:
        """Whether the schema of a tool names arguments, and this is none of them.

        Raises:
            SubjectFault: no answer comes, or none that is one.
        """
        if self._offered is None:
            self._offered = _arguments(await self._ask("tools/list", {}, "tools/list", LIST_SECONDS))
        named = self._offered.get(f"tunnel_{what}")
        return named is not None and argument not in named

    async def tools(self, seconds: float) -> frozenset[str] | None:
        """The names in the first page of its list of tools; None when there is none.

        Raises:
            SubjectFault: no answer comes.
        """
        result = (await self._ask("tools/list", {}, "tools/list", seconds)).get("result")
        listed = objects(cast(Message, result).get("tools")) if isinstance(result, dict) else []
        return frozenset(name for tool in listed if isinstance(name := tool.get("name"), str)) or None

    def _answer(self, tool: str, result: Message) -> Answer:
        if result.get("isError") is True:
            return Answer(error=" ".join(_texts(result)))
        if result.get("resultType", "complete") != "complete":
            raise Babbled(f"{tool} asks its client for more, which this one said it cannot give.", self._process.tail)
        structured = result.get("structuredContent")
        found = cast(object, structured) if isinstance(structured, dict) else _only_object(_texts(result))
        if not isinstance(found, dict):
            said = shown(" ".join(_texts(result)))
            raise Babbled(f"{tool} answered without an object: '{said}'.", self._process.tail)
        return Answer(result=cast(Message, found))

    async def _ask(self, method: str, params: Message, what: str, seconds: float) -> Message:
        if self.era == "stateless":
            params = {**params, "_meta": _META}
        asked: Message = {"jsonrpc": "2.0", "method": method, "params": params}
        return await self._dialogue.ask(asked, what, seconds, self._withdraw, is_long=what == "tunnel_listen")

    def _withdraw(self, number: int) -> None:
        params = {"requestId": number, "reason": "no longer waited for"}
        self._dialogue.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})

    def _read(self, message: Message) -> bool:
        if message.get("jsonrpc") != "2.0":
            return False
        match message:
            case {"method": str(method), "id": int() | str() as number}:
                self._reply(method, number)
                return True
            case {"method": str()}:
                return True
            case {"id": number, "result": dict()} | {"id": number, "error": dict()}:
                return self._dialogue.answer(number, message)
            case _:
                return False

    def _reply(self, method: str, number: int | str) -> None:
        """A server may ask its client, too: whether it is there, and for what this one has not."""
        error = {"code": _METHOD_NOT_FOUND, "message": "This client can only call tools."}
        reply: Message = {"result": {}} if method == "ping" else {"error": error}
        self._dialogue.send({"jsonrpc": "2.0", "id": number, **reply})


def _greeting(era: Era) -> tuple[str, Message]:
    if era == "stateless":
        return "server/discover", {}
    return "initialize", {"protocolVersion": HANDSHAKE_VERSION, "capabilities": {}, "clientInfo": _CLIENT}


def _arguments(answer: Message) -> dict[str, Message]:
    """The arguments of each tool, as far as its schema names them."""
    result = answer.get("result")
    listed = cast(Message, result).get("tools") if isinstance(result, dict) else None
    tools = (
        [cast(Message, tool) for tool in cast(list[object], listed) if isinstance(tool, dict)]
        if isinstance(listed, list)
        else []
    )
    schemas = {
        str(tool.get("name")): cast(Message, schema)
        for tool in tools
        if isinstance(schema := tool.get("inputSchema"), dict)
    }
    return {
        name: cast(Message, named)
        for name, schema in schemas.items()
        if isinstance(named := schema.get("properties"), dict)
    }


def _error(answer: Message) -> str:
    """The words of a JSON-RPC error."""
    error = answer.get("error")
    words = cast(Message, error).get("message") if isinstance(error, dict) else None
    return words if isinstance(words, str) else "an error without words"


def _texts(result: Message) -> list[str]:
    content = result.get("content")
    items = cast(list[object], content) if isinstance(content, list) else []
    texts = [cast(Message, item).get("text") for item in items if isinstance(item, dict)]
    return [text for text in texts if isinstance(text, str)]


def _only_object(texts: list[str]) -> object:
    """What the one text spells; None when there is not one, or it is not JSON."""
    try:
        return json.loads(texts[0]) if len(texts) == 1 else None
    except (ValueError, RecursionError):
        return None
