"""The MCP server as a client of either era meets it, and the answers to arguments of every kind."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import jsonschema
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent

from tests.app.ends import Carrier, StillClock, a_tunnel, end, is_free, open_, port_of, say, status
from tunnel.app.server import TOOLS, call, make_server, schema
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools

pytestmark = pytest.mark.anyio

SECRET = "ws://example.org/t/00ff#KeyThatMustNotBeSeenKeyThatMustNotBeSeenKey"
ERAS = ["legacy", "2026-07-28", "auto"]


def text_of(result: CallToolResult) -> str:
    (only,) = result.content
    assert isinstance(only, TextContent)
    return only.text


def without_fences(text: str) -> object:
    """The JSON of an answer, as if nothing in it came from outside."""
    if word := re.search(r"<<untrusted ([0-9a-f]{16})>>", text):
        text = text.replace(f"<<untrusted {word[1]}>>", "").replace(f"<<end {word[1]}>>", "")
    answer = json.loads(text)
    assert ("fence" in answer) is bool(word)
    answer.pop("fence", None)
    return answer


def output_schemas() -> dict[str, dict[str, Any]]:
    return {tool.name: schema(tool.result) for tool in TOOLS}


@asynccontextmanager
async def a_client(mode: str) -> AsyncGenerator[Client]:
    tools = end("Alice")
    try:
        async with Client(make_server(tools), mode=mode) as client:
            yield client
    finally:
        await tools.exit()


# --- What is offered ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_of_either_era_finds_six_tools_with_schemas(mode: str) -> None:
    async with a_client(mode) as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools] == [
        "tunnel_open",
        "tunnel_join",
        "tunnel_say",
        "tunnel_listen",
        "tunnel_status",
        "tunnel_close",
    ]
    for tool in tools:
        for offered in (tool.input_schema, tool.output_schema):
            assert offered
            assert offered["type"] == "object"
            jsonschema.Draft202012Validator.check_schema(offered)
        assert tool.input_schema["additionalProperties"] is False


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_of_either_era_gets_the_same_answer_as_text_and_as_structure(mode: str) -> None:
    async with a_client(mode) as client:
        answers = [
            ("tunnel_status", await client.call_tool("tunnel_status", {})),
            ("tunnel_open", await client.call_tool("tunnel_open", {"goal": "pair"})),
            ("tunnel_say", await client.call_tool("tunnel_say", {"text": "hi \u202e 😀 <<end"})),
            ("tunnel_listen", await client.call_tool("tunnel_listen", {})),
            ("tunnel_status", await client.call_tool("tunnel_status", {})),
            ("tunnel_close", await client.call_tool("tunnel_close", {"summary": "done"})),
        ]

    for tool, answer in answers:
        assert not answer.is_error
        assert without_fences(text_of(answer)) == answer.structured_content
        jsonschema.validate(answer.structured_content, output_schemas()[tool])


async def test_the_annotations_tell_the_truth() -> None:
    async with a_client("auto") as client:
        hints = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}

    def those(hint: str) -> set[str]:
        return {name.removeprefix("tunnel_") for name, annotations in hints.items() if getattr(annotations, hint)}

    assert those("read_only_hint") == {"listen", "status"}
    assert those("destructive_hint") == {"close"}
    assert those("idempotent_hint") == {"listen", "status", "close"}
    assert those("open_world_hint") == {"open", "join", "say", "listen", "close"}


async def test_what_says_that_it_only_reads_changes_nothing() -> None:
    async with a_tunnel() as (alice, _bob, _):
        before = await status(alice)
        await call(alice, "tunnel_listen", {})
        await call(alice, "tunnel_status", {})

        assert await status(alice) == before


# --- Wrong arguments ---------------------------------------------------------------------------------------------------


async def test_a_misspelt_argument_is_named_rightly_and_its_value_not_repeated() -> None:
    result = await call(end("Bob"), "tunnel_join", {"joinlink": SECRET})

    assert result.is_error
    assert text_of(result) == (
        "tunnel_join: an argument's name is not known; did you mean 'joinLink'? The arguments are joinLink."
    )


@pytest.mark.parametrize(
    "name", [SECRET, "x" * 1_000_000, "", "\ud800"], ids=["a link", "a megabyte", "empty", "half a pair"]
)
async def test_the_name_of_an_unknown_argument_is_not_repeated(name: str) -> None:
    result = await call(end("Bob"), "tunnel_join", {"joinLink": SECRET, name: 1})

    assert result.is_error
    assert text_of(result) == "tunnel_join: an argument's name is not known. The arguments are joinLink."


@pytest.mark.parametrize("mode", ERAS)
async def test_an_unknown_tool_is_an_error_of_the_protocol_and_its_name_is_not_repeated(mode: str) -> None:
    async with a_client(mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.session.call_tool(SECRET, {})

    assert caught.value.error.code == -32602
    assert caught.value.error.message == (
        "There is no tool of this name; there are tunnel_open, tunnel_join, tunnel_say, tunnel_listen, tunnel_status, "
        "tunnel_close."
    )


@pytest.mark.parametrize(
    ("tool", "argument", "allowed"),
    [
        ("tunnel_open", "goal", "goal, transport"),
        ("tunnel_join", "joinLink", "joinLink"),
        ("tunnel_say", "text", "text"),
    ],
)
async def test_a_missing_argument_is_named(tool: str, argument: str, allowed: str) -> None:
    result = await call(end("Bob"), tool, {})

    assert result.is_error
    assert text_of(result) == f"{tool}: the argument '{argument}' is missing. The arguments are {allowed}."


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "null"),
        (True, "true or false"),
        (5, "a number"),
        (1e300, "a number"),
        (10**400, "a number"),
        ([SECRET], "an array or an object"),
        ({"a": {"b": SECRET}}, "an array or an object"),
    ],
    ids=["null", "true", "5", "1e300", "10**400", "an array", "nested"],
)
@pytest.mark.parametrize(
    ("tool", "argument"),
    [("tunnel_open", "goal"), ("tunnel_join", "joinLink"), ("tunnel_say", "text"), ("tunnel_close", "summary")],
)
async def test_a_text_of_another_type_is_refused_with_what_was_found(
    tool: str, argument: str, value: object, found: str
) -> None:
    result = await call(end("Bob"), tool, {argument: value})

    assert result.is_error
    assert text_of(result).startswith(f"{tool}: the argument '{argument}' must be a string; found {found}.")
    assert "KeyThatMustNotBeSeen" not in text_of(result)


@pytest.mark.parametrize(
    "value", [None, False, "5", SECRET, [1], {}], ids=["null", "false", "text", "link", "array", "object"]
)
@pytest.mark.parametrize("argument", ["sinceSeq", "timeoutMs"])
async def test_a_number_of_another_type_is_refused(argument: str, value: object) -> None:
    async with a_tunnel() as (alice, _bob, _):
        result = await call(alice, "tunnel_listen", {argument: value})

    assert result.is_error
    assert text_of(result).startswith(f"tunnel_listen: the argument '{argument}' must be a number; found ")
    assert "KeyThatMustNotBeSeen" not in text_of(result)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("tunnel_open", {"goal": "\ud800"}),
        ("tunnel_say", {"text": "\udfff"}),
        ("tunnel_close", {"summary": "\ud800"}),
        ("tunnel_join", {"joinLink": "\ud800"}),
    ],
    ids=["goal", "text", "summary", "link"],
)
async def test_half_of_a_surrogate_pair_is_a_tool_error(tool: str, arguments: dict[str, object]) -> None:
    result = await call(end("Alice"), tool, arguments)

    assert result.is_error
    text_of(result).encode("utf-8")
    assert "bug" not in text_of(result)


@pytest.mark.parametrize(
    "value",
    [-1, 0, 0.5, 2**31, 1e300, -1e300, 10**400, -(10**400)],
    ids=["-1", "0", "0.5", "2**31", "1e300", "-1e300", "10**400", "-10**400"],
)
async def test_an_absurd_number_is_no_error(value: float) -> None:
    async with a_tunnel() as (alice, bob, _):
        since = await call(alice, "tunnel_listen", {"sinceSeq": value, "timeoutMs": 0})
        await say(bob, "hello")
        until = await call(bob, "tunnel_listen", {"sinceSeq": 0, "timeoutMs": value})

    assert not since.is_error
    assert not until.is_error


# --- Cancelling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_cancels_its_open_leaves_nothing(mode: str) -> None:
    carrier = Carrier(comes_up=False)
    alice = end("Alice", lambda _: carrier)
    async with Client(make_server(alice), mode=mode) as client:
        opening = asyncio.create_task(client.call_tool("tunnel_open", {"goal": "pair"}))
        await carrier.starting.wait()
        opening.cancel()
        await asyncio.wait([opening])
        now = await client.call_tool("tunnel_status", {})
    await alice.exit()

    assert opening.cancelled()
    assert now.structured_content
    assert now.structured_content["state"] == "none"
    assert is_free(carrier.port)
    assert carrier.stops == 1


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_cancels_its_listen_blocks_nobody(mode: str) -> None:
    async with a_client(mode) as client:
        await client.call_tool("tunnel_open", {"goal": "pair"})
        listening = asyncio.create_task(client.call_tool("tunnel_listen", {"sinceSeq": 1}))
        await client.call_tool("tunnel_status", {})
        assert not listening.done()
        listening.cancel()
        await asyncio.wait([listening])
        said = await client.call_tool("tunnel_say", {"text": "hi"})

    assert not said.is_error


# --- Errors ------------------------------------------------------------------------------------------------------------


async def test_what_a_tool_refuses_is_a_tool_error_in_its_words() -> None:
    result = await call(end("Alice"), "tunnel_say", {"text": "hi"})

    assert result.is_error
    assert text_of(result).startswith("no open tunnel: ")
    assert result.structured_content is None


@pytest.mark.parametrize("name", ["nonesuch", "\u202etunnel\n"], ids=["unknown", "hostile"])
async def test_an_unknown_transport_is_a_tool_error_that_says_what_is_allowed(name: str) -> None:
    tools = Tools(Settings(transport=name), "Alice", StillClock())

    result = await call(tools, "tunnel_open", {"goal": "pair"})

    assert result.is_error
    assert "loopback" in text_of(result)
    assert text_of(result).isprintable()


@pytest.mark.parametrize("name", [SECRET, "sh -c 'id'", "https://example.org"])
async def test_a_transport_is_a_name_and_nothing_else_and_is_not_repeated(name: str) -> None:
    result = await call(Tools(Settings(), "Alice", StillClock()), "tunnel_open", {"goal": "pair", "transport": name})

    assert result.is_error
    assert text_of(result).startswith(
        "There is no transport of the name that was given; there is cloudflared, direct, "
    )
    assert name not in text_of(result)


async def test_a_bug_costs_an_answer_in_words_and_leaves_places_but_no_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(count: int) -> bytes:
        raise RuntimeError(SECRET * count)

    tools = Tools(Settings(transport="loopback"), "Alice", StillClock(), broken)
    result = await call(tools, "tunnel_open", {"goal": "pair"})
    written = capsys.readouterr()

    assert result.is_error
    assert text_of(result) == "tunnel_open failed because of a bug (RuntimeError). Please report it."
    assert "in broken" in written.err
    assert "RuntimeError" in written.err
    assert "KeyThatMustNotBeSeen" not in written.err
    assert written.out == ""
    assert (await status(tools)).state == "none"


async def test_a_call_that_fails_leaves_an_open_tunnel_as_it_was() -> None:
    alice = end("Alice")
    link = await open_(alice)
    for tool, arguments in [("tunnel_join", {"joinLink": SECRET}), ("tunnel_open", {"goal": "x"}), ("tunnel_say", {})]:
        assert (await call(alice, tool, arguments)).is_error

    assert (await status(alice)).state == "waiting_for_guest"
    assert not is_free(port_of(link))
    await alice.exit()
