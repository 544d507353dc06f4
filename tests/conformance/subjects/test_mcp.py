"""Control over MCP, in either era."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

import pytest
from tunnel_conformance.subjects.base import Answer, Babbled, Died, Hung
from tunnel_conformance.subjects.clock import RealTime
from tunnel_conformance.subjects.mcp import Era, McpLauncher

from tests.conformance.subjects.stage import (
    OURS,
    SECONDS,
    SOURCES,
    actor,
    fault_of,
    ours,
    python,
    result_of,
    say,
    started,
    until,
)
from tests.io.asynchronous import asynchronous

ERAS: list[Era] = ["handshake", "stateless"]


@pytest.mark.parametrize("era", ERAS)
@asynchronous
async def test_two_of_ours_talk(era: Era) -> None:
    async with started(ours(era=era)) as host, started(ours(era=era)) as guest:
        unknown = await host.call_unknown(SECONDS)
        opened = result_of(await host.call("open", {"goal": "pair"}, SECONDS))
        joined = result_of(await guest.call("join", {"joinLink": opened["joinLink"]}, SECONDS))
        hearing = asyncio.create_task(host.call("listen", {"sinceSeq": 2, "timeoutMs": 20_000}, SECONDS))
        said = result_of(await guest.call("say", {"text": "hello"}, SECONDS))
        heard = result_of(await hearing)
        refused = await guest.call("join", {"joinLink": "nonsense"}, SECONDS)
        address = host.reachable_at(opened["joinLink"])
        closed = await host.call("close", {"summary": "done"}, SECONDS)

        assert await guest.stop(SECONDS) == 0
    assert "tunnel_open" in str(unknown.error)
    assert joined["goal"] == "pair"
    assert said["seq"] == 3
    assert [message["text"] for message in heard["messages"]] == ["hello"]
    assert refused.result is None
    assert address[0] == "127.0.0.1"
    assert result_of(closed)["ok"] is True
    assert "tunnel-mcp" in host.tail


@asynchronous
async def test_ours_uses_the_stand_in_when_it_is_told_to_use_cloudflared() -> None:
    environment = {"PYTHONPATH": SOURCES, "TUNNEL_TRANSPORT": "cloudflared"}
    launcher = McpLauncher("ours", OURS, environment, RealTime())
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(started(launcher))
        opened = result_of(await host.call("open", {"goal": "pair"}, 30))
        address, port = host.reachable_at(opened["joinLink"])
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        status = await reader.readline()
        writer.close()

    assert ".trycloudflare.com/t/" in opened["joinLink"]
    assert b"404" in status


@pytest.mark.parametrize(
    ("program", "era"), [("mcp", None), ("stateless", None), ("mcp", "handshake"), ("stateless", "stateless")]
)
@asynchronous
async def test_the_era_is_found_out(program: str, era: Era | None) -> None:
    async with started(actor(program, era)) as subject:
        assert (await subject.call("status", {}, SECONDS)).result == {"role": "none"}


@asynchronous
async def test_an_era_that_it_does_not_speak_is_named() -> None:
    fault = await fault_of(actor("stateless", "handshake"))

    assert isinstance(fault, Babbled)
    assert str(fault) == "It is no MCP server: it says no to initialize: no such method"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('result {"content":[{"type":"text","text":"{\\"seq\\":7}"}]}', Answer(result={"seq": 7})),
        ('result {"content":[],"structuredContent":{"seq":8},"isError":false}', Answer(result={"seq": 8})),
        (
            'result {"content":[{"type":"text","text":"no."},{"text":"never"}],"isError":true}',
            Answer(error="no. never"),
        ),
        ('result {"isError":true}', Answer(error="")),
        ('error {"code":-32602,"message":"wrong"}', Answer(error="wrong")),
        ('error {"code":-32602}', Answer(error="an error without words")),
    ],
    ids=["only text", "structured", "an error", "a silent error", "a protocol error", "one without words"],
)
@asynchronous
async def test_what_a_tool_answers(said: str, answer: Answer) -> None:
    async with started(actor("mcp")) as subject:
        assert await say(subject, said) == answer


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"content": [{"text": "hello"}]},
        {"content": [{"text": "[1]"}]},
        {"content": [{"text": "{}"}, {"text": "{}"}]},
        {"content": [5, {"text": 5}]},
        {"content": "{}"},
        {"structuredContent": [1]},
        {"content": [{"text": "[" * 100_000}]},
    ],
    ids=["nothing", "words", "an array", "two texts", "no texts", "no list", "no object", "deep"],
)
@asynchronous
async def test_an_answer_without_an_object_is_babble(result: dict[str, object]) -> None:
    async with started(actor("mcp")) as subject:
        with pytest.raises(Babbled, match="tunnel_say answered without an object"):
            await say(subject, f"result {json.dumps(result)}")


@asynchronous
async def test_an_answer_that_asks_for_more_is_babble() -> None:
    async with started(actor("stateless")) as subject:
        with pytest.raises(Babbled, match="asks its client for more"):
            await say(subject, 'result {"resultType":"input_required","inputRequests":{}}')


@asynchronous
async def test_an_argument_that_a_schema_leaves_out_cannot_be_given() -> None:
    async with started(actor("mcp")) as subject:
        assert await subject.lacks("open", "summary")
        assert not await subject.lacks("open", "goal")
        assert not await subject.lacks("close", "summary"), "a schema that names no arguments says nothing"
        assert not await subject.lacks("say", "text"), "nor does one that is not there"


@asynchronous
async def test_one_that_lists_no_tools_takes_every_argument() -> None:
    async with started(actor("stateless")) as subject:
        assert not await subject.lacks("open", "summary")


@asynchronous
async def test_a_call_that_is_given_up_is_withdrawn() -> None:
    async with started(actor("mcp")) as subject:
        with pytest.raises(Hung):
            await say(subject, "hang", 0.05)
        await until(lambda: "cancelled 2" in subject.tail)


@asynchronous
async def test_a_server_that_asks_its_client_is_answered() -> None:
    async with started(actor("mcp")) as subject:
        for method in ("ping", "roots/list"):
            asked = {"jsonrpc": "2.0", "id": "from the server", "method": method}
            assert (await say(subject, f"line 1 {json.dumps(asked)}")).result
        await until(lambda: subject.tail.count("the client replies") == 2)

        assert '"result": {}' in subject.tail
        assert "can only call tools" in subject.tail


@pytest.mark.parametrize(
    ("command", "kind", "says"),
    [
        (["true"], Died, "ended with status 0"),
        (["cat"], Babbled, "It is no MCP server"),
        (["yes"], Babbled, "no message; the last is 'y'"),
        (["sh", "-c", "echo 'Usage: frobnicate FILE' >&2; exit 2"], Died, "status 2"),
        (python("actor.py", "line"), Died, "status 1"),
    ],
    ids=["ends", "an echo", "a flood", "its usage", "another protocol"],
)
@asynchronous
async def test_what_is_no_mcp_server_is_named_and_leaves_nothing(
    command: list[str], kind: type[Exception], says: str
) -> None:
    fault = await fault_of(McpLauncher("none", command, {}, RealTime()))

    assert type(fault) is kind
    assert says in str(fault)
    assert ("frobnicate" in fault.tail) == ("frobnicate" in " ".join(command))


@asynchronous
async def test_who_is_cancelled_while_it_starts_leaves_nothing() -> None:
    starting = asyncio.create_task(
        McpLauncher("mute", [sys.executable, "-ISc", "input(); input()"], {}, RealTime()).start()
    )
    await asyncio.sleep(0.1)
    starting.cancel()
    await asyncio.wait([starting])

    assert starting.cancelled()
