"""Whatever a client does wrong, the server process answers what can be answered, lives on, and writes nothing but the protocol.

`Server.exit_code` reads standard output to its end: a line on it that is no answer fails the test.
"""

import asyncio
import json
from typing import Any

import pytest

from tests.app.processes import Server, a_server

pytestmark = pytest.mark.anyio

ERAS = ["handshake", "2026"]
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0", "nonesuch": [1]},
    "io.modelcontextprotocol/clientCapabilities": {"nonesuch": {}},
}
SECRET = "ws://example.org/t/00ff#KeyThatMustNotBeSeenKeyThatMustNotBeSeenKey"


async def begin(server: Server, era: str, method: str, **params: Any) -> int:
    meta = {**(ENVELOPE if era == "2026" else {}), **params.pop("meta", {})}
    return await server.begin(method, **params, **({"_meta": meta} if meta else {}))


async def ask(server: Server, era: str, method: str, **params: Any) -> dict[str, Any]:
    return await server.answer_to(await begin(server, era, method, **params))


async def call(server: Server, era: str, tool: str, **arguments: Any) -> dict[str, Any]:
    return (await ask(server, era, "tools/call", name=tool, arguments=arguments))["result"]


async def started(server: Server, era: str) -> None:
    if era == "handshake":
        await server.shake_hands()
    assert (await call(server, era, "tunnel_open", goal="pair"))["structuredContent"]["tunnelId"]


async def is_well(server: Server, era: str) -> None:
    """It still answers, and its tunnel is still open; then it ends as it should."""
    state = (await call(server, era, "tunnel_status"))["structuredContent"]["state"]
    server.stop("EOF")
    code, _ = await server.exit_code()

    assert state == "waiting_for_guest"
    assert code == 0
    assert b"Traceback" not in server.log
    assert b"KeyThatMustNotBeSeen" not in server.log


async def send(server: Server, **message: Any) -> None:
    await server.send(json.dumps({"jsonrpc": "2.0", **message}).encode())


@pytest.mark.parametrize("era", ERAS)
async def test_fields_that_nobody_knows_are_let_pass_outside_of_arguments(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        listed = await ask(server, era, "tools/list", nonesuch={"a": [SECRET]}, task={"ttl": 5})
        called = await ask(
            server,
            era,
            "tools/call",
            name="tunnel_status",
            arguments={},
            task={"ttl": 1},
            meta={"x/y": 1, "nonesuch": []},
        )
        meta = {"_meta": ENVELOPE} if era == "2026" else {}
        await send(server, id="own", method="tools/list", params=meta, nonesuch=SECRET, trace=[1])
        whole = await server.answer_to("own")

        assert len(listed["result"]["tools"]) == len(whole["result"]["tools"]) == 6
        assert not called["result"].get("isError")
        await is_well(server, era)


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_is_none_is_an_error_of_the_protocol(era: str) -> None:
    none: list[dict[str, Any]] = [
        {"name": 5},
        {"name": "tunnel_status", "arguments": []},
        {"arguments": {}},
        {"name": None, "arguments": None},
        {"name": "nonesuch", "arguments": {}},
        {"name": SECRET},
    ]
    async with a_server() as server:
        await started(server, era)
        answers = [await ask(server, era, "tools/call", **params) for params in none]

        assert [answer["error"]["code"] for answer in answers] == [-32602] * 6
        assert "KeyThatMustNotBeSeen" not in str(answers)
        await is_well(server, era)


@pytest.mark.parametrize("era", ERAS)
async def test_a_number_of_any_length_is_answered(era: str) -> None:
    meta = json.dumps({"_meta": ENVELOPE}).encode()[1:-1] + b"," if era == "2026" else b""
    async with a_server() as server:
        await started(server, era)
        line = b'{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{%b"name":"tunnel_listen","arguments":{"timeoutMs":%b}}}'
        await server.send(line % (meta, b"9" * 4401))
        answer = await server.answer_to(77)

        assert "more than 4300 digits" in answer["error"]["message"]
        await is_well(server, era)


@pytest.mark.parametrize("era", ERAS)
async def test_a_listen_may_be_cancelled_twice_and_so_may_what_was_never_asked(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        listen = await begin(server, era, "tools/call", name="tunnel_listen", arguments={"sinceSeq": 1})
        done = await begin(server, era, "tools/call", name="tunnel_status", arguments={})
        await server.answer_to(done)
        for request in (listen, listen, done, 4711, "nonesuch", None, [], {"a": 1}, True):
            await send(server, method="notifications/cancelled", params={"requestId": request, "reason": SECRET})
        await send(server, method="notifications/cancelled")

        await is_well(server, era)
        assert not [answer for answer in server.answers if answer.get("id") == listen and "result" in answer]


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_vanishes_while_calls_wait_ends_the_server_and_nothing_else(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        for _ in range(5):
            await begin(
                server, era, "tools/call", name="tunnel_listen", arguments={"sinceSeq": 1}, meta={"progressToken": "t"}
            )
        await begin(server, era, "tools/call", name="tunnel_join", arguments={"joinLink": SECRET})

        server.stop("EOF")
        code, _ = await server.exit_code()

        assert code == 0
        assert b"Traceback" not in server.log


@pytest.mark.parametrize("era", ERAS)
async def test_tools_called_at_the_same_time_are_all_answered(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        listens = [
            await begin(server, era, "tools/call", name="tunnel_listen", arguments={"sinceSeq": 1}) for _ in range(20)
        ]
        others = [
            await begin(server, era, "tools/call", name=name, arguments={})
            for name in ("tunnel_status", "tunnel_open", "tunnel_say", "nonesuch") * 10
        ]
        answered = [await server.answer_to(request) for request in others]
        await call(server, era, "tunnel_say", text="hello")
        heard = await asyncio.gather(*(server.answer_to(request) for request in listens[:1]))
        heard += [await server.answer_to(request) for request in listens[1:]]

        assert ["result" in answer for answer in answered] == [True, True, True, False] * 10
        assert [answer["result"]["structuredContent"]["cursor"] for answer in heard] == [2] * 20
        await is_well(server, era)


@pytest.mark.parametrize("era", ERAS)
async def test_what_does_not_exist_is_an_error_that_repeats_nothing(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        answers = [
            await ask(server, era, "resources/read", uri=SECRET),
            await ask(server, era, "resources/read", uri="tunnel://status/../transcript"),
            await ask(server, era, "prompts/get", name=SECRET),
            await ask(server, era, "tools/list", cursor=SECRET),
            await ask(server, era, "nonesuch/method"),
            await ask(server, era, "resources/read", uri=["x"]),
        ]

        assert [answer["error"]["code"] for answer in answers] == [-32602] * 4 + [-32601, -32602]
        assert "KeyThatMustNotBeSeen" not in str(answers)
        await is_well(server, era)


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_to_a_question_that_was_never_asked_is_dropped(era: str) -> None:
    async with a_server() as server:
        await started(server, era)
        for number in (0, 1, 4711, "nonesuch", None, -1):
            await send(server, id=number, result={"action": "accept", "content": {"allow": True}})
            await send(server, id=number, error={"code": -1, "message": SECRET})
        await send(server, result={})
        await send(server, method="notifications/nonesuch", params={"a": SECRET})
        await send(server, method="notifications/progress", params={"progressToken": "t", "progress": 1})

        await is_well(server, era)
        assert not [answer for answer in server.answers if "result" in answer]
