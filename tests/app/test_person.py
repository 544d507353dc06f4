"""Real processes: an agent that talks without end is stopped by its budget, and only its person lets it go on."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.stdio import StdioServerParameters

from tests.app.ends import end, is_free, join, texts, until
from tests.app.person.terminals import another_client, on_a_terminal, without_a_terminal
from tests.app.processes import COMMAND, EXIT_SECONDS, PATIENCE_SECONDS, Server, a_server, environment

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "2026-07-28"]
BUDGET = {"TUNNEL_BUDGET": "3"}


class Person:
    """A person at a client, who allows more so many times."""

    def __init__(self, times: int) -> None:
        self.asked: list[str] = []
        self._times = times

    async def __call__(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        self.asked.append(params.message)
        if len(self.asked) > self._times:
            return types.ElicitResult(action="decline")
        return types.ElicitResult(action="accept", content={"allow": True})


async def loop_until_stopped(client: Client) -> tuple[int, str]:
    """An agent that says something again and again: how often it was heard, and what it was told then."""
    for said in range(50):
        answer = await client.call_tool("tunnel_say", {"text": f"and on it goes ({said})"})
        if answer.is_error:
            (only,) = answer.content
            assert isinstance(only, types.TextContent)
            return said, only.text
    raise AssertionError("nobody stopped it")


@pytest.mark.parametrize("mode", ERAS)
async def test_a_loop_is_stopped_and_goes_on_each_time_the_person_at_the_client_allows_it(
    mode: str, tmp_path: Path
) -> None:
    person = Person(times=2)
    command, *arguments = COMMAND
    env = environment(HOME=str(tmp_path), **BUDGET)
    parameters = StdioServerParameters(command=command, args=arguments, env=env)
    async with Client(parameters, mode=mode, elicitation_callback=person) as client:
        await client.call_tool("tunnel_open", {"goal": "talk without end"})
        said, words = await loop_until_stopped(client)
        status = (await client.call_tool("tunnel_status")).structured_content

    assert said == 9
    assert len(person.asked) == 3
    assert words.startswith("budget spent: you have said 3 messages")
    assert status is not None
    assert status["budget"] == {"said": 3, "limit": 3, "paused": False}


# --- The terminal --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def elsewhere(home: Path, **variables: str) -> AsyncGenerator[Server]:
    """A server whose client is not where the person's commands come from."""
    with another_client() as client:
        async with a_server(*client, HOME=str(home), **variables) as server:
            try:
                await server.shake_hands()
                yield server
            finally:
                # Its client would not take it along if it were killed.
                server.stop("EOF")
                await server.exit_code()


@asynccontextmanager
async def a_spent_server(home: Path, **variables: str) -> AsyncGenerator[Server]:
    """A server whose agent has said all that it may."""
    async with elsewhere(home, **BUDGET, **variables) as server:
        await server.call("tunnel_open", goal="talk without end")
        for _ in range(3):
            await server.call("tunnel_say", text="and on it goes")
        yield server


async def test_a_person_at_a_terminal_allows_more_once(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as server:
        stopped = await server.fail("tunnel_say", text="one more")
        async with on_a_terminal("allow", HOME=str(tmp_path)) as person:
            person.type(await person.until(r"type (\d{4})\."))
            code, output, errors = await person.ended()
        said = [(await server.call("tunnel_say", text="on"))["saysLeft"] for _ in range(3)]
        again = await server.fail("tunnel_say", text="one more")

    assert stopped == again
    assert "Your person allows 3 more with `tunnel-mcp allow` in a terminal of their own." in stopped
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"Allowed: the agent of process \d+ may say 3 more messages\.\n", output)
    assert said == [2, 1, 0]


async def test_a_person_who_types_something_else_allows_nothing(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as server:
        async with on_a_terminal("allow", HOME=str(tmp_path)) as person:
            await person.until(r"type (\d{4})\.")
            person.type("what is this?")
            code, output, errors = await person.ended()
        await server.fail("tunnel_say", text="one more")

    assert (code, output) == (1, "")
    assert errors.startswith("tunnel-mcp: that is not what was asked for")


async def test_an_agent_s_own_tool_without_a_terminal_allows_nothing(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as server:
        code, output, errors = await without_a_terminal("allow", HOME=str(tmp_path))
        await server.fail("tunnel_say", text="one more")

    assert (code, output) == (1, "")
    assert errors.startswith("tunnel-mcp: there is no terminal here")


@pytest.mark.parametrize("launcher", [(), ("sh", "-c", '"$@"; exit "$?"', "sh")], ids=["itself", "through a shell"])
async def test_a_command_from_within_the_agent_s_client_allows_nothing_even_at_a_terminal(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    # Both are started by this very process, as an agent's client starts its server and its agent's commands.
    async with a_server(*launcher, HOME=str(tmp_path), **BUDGET) as server:
        await server.shake_hands()
        async with on_a_terminal("allow", HOME=str(tmp_path)) as agent:
            code, output, errors = await agent.ended()
        async with on_a_terminal("watch", HOME=str(tmp_path)) as agent:
            looking = await agent.ended()
        server.stop("EOF")
        await server.exit_code()

    assert (code, output) == (1, "")
    assert "within the agent's own client" in errors
    assert looking[0] == 0
    assert "for looking on only" in agent.shown
    assert "this token" not in agent.shown


SOCKET_ONLY = """
import json, os, pathlib, socket, sys
(path,) = pathlib.Path(os.environ["HOME"], ".tunnel", "run").iterdir()
os.chdir(path.parent)
for line in ({"want": "allow"}, {"want": "watch"}):
    to = socket.socket(socket.AF_UNIX)
    to.connect(path.name)
    to.sendall(json.dumps(line).encode() + b"\\n")
    print(to.makefile().readline().strip())
"""


async def test_a_program_that_speaks_to_the_socket_itself_gets_no_further(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SOCKET_ONLY),
            env=environment(HOME=str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        output, _ = await process.communicate()
        await server.fail("tunnel_say", text="one more")

    allow, watch = [json.loads(line) for line in output.splitlines()]
    assert allow == {"refused": "the process that asks has no terminal on which a person could be"}
    assert set(watch) == {"url", "refused"}


async def test_the_files_that_an_agent_can_read_grant_nothing(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as server:
        async with on_a_terminal("watch", HOME=str(tmp_path)) as person:
            token = await person.until(r"\n +([a-z2-7-]{19})\r?\n")
            await person.ended()
        files = [path for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240 - nothing else runs now
        told = json.dumps([await server.call("tunnel_status"), await server.call("tunnel_listen", timeoutMs=0)])

    assert files == []
    assert token not in told
    assert token not in server.log.decode()


# --- The window ----------------------------------------------------------------------------------------------------------


async def press(url: str, button: str, token: str) -> int:
    own = url.rpartition("/")[0].rpartition("/")[0]
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        headers = {"origin": own, "tunnel-token": token}
        return (await client.post(url + button, json={"round": 1}, headers=headers)).status_code


async def test_from_the_window_an_agent_is_paused_allowed_more_and_closed(tmp_path: Path) -> None:
    bob = end("Bob")
    async with elsewhere(tmp_path, **BUDGET) as server:
        await join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        async with on_a_terminal("watch", HOME=str(tmp_path)) as person:
            token = await person.until(r"\n +([a-z2-7-]{19})\r?\n")
            code, output, errors = await person.ended()
        url = output.strip()
        told = (await server.call("tunnel_status"))["watch"]
        wrong = await press(url, "pause", "aaaa-aaaa-aaaa-aaaa")
        codes = [await press(url, "pause", token)]
        paused = await server.fail("tunnel_say", text="held back")
        codes.append(await press(url, "resume", token))
        for _ in range(3):
            await server.call("tunnel_say", text="said")
        await server.fail("tunnel_say", text="one too many")
        codes += [await press(url, "allow", token), await press(url, "allow", token)]
        last = (await server.call("tunnel_say", text="said"))["seq"]
        listening = await server.begin_call("tunnel_listen", sinceSeq=last, timeoutMs=60_000)
        codes.append(await press(url, "close", token))
        heard: dict[str, Any] = (await server.answer_to(listening))["result"]["structuredContent"]
        over = await server.fail("tunnel_say", text="hello?")
        peers = await until(bob, "closed")
        last = (await texts(bob))[-1]
    await bob.exit()

    assert (code, errors) == (0, "")
    assert told == url
    assert wrong == 401
    assert codes == [200, 200, 200, 409, 200]
    assert paused.startswith("paused: your person has paused you")
    assert (heard["status"]["closedBecause"], peers.closed_because) == ("closed_by_host", "closed_by_host")
    assert "The person on this side closed it in the window" in heard["status"]["detail"]
    assert "The person on this side closed it in the window" in over
    assert last == "closed — closed by its person"


async def test_the_window_opens_in_the_browser_if_that_is_wanted(tmp_path: Path) -> None:
    opener, opened = tmp_path / "xdg-open", tmp_path / "opened"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new && mv {opened}.new {opened}\n')
    opener.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    async with a_server(HOME=str(tmp_path)) as server:
        await server.shake_hands()
        code, output, _ = await without_a_terminal("watch", "--browser", HOME=str(tmp_path), PATH=path)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not opened.exists():
                await asyncio.sleep(0.02)

    assert code == 0
    assert opened.read_text() == output.strip()


@pytest.mark.parametrize("how", ["SIGTERM", "EOF"])
async def test_when_the_server_ends_window_and_socket_go_with_it(tmp_path: Path, how: str) -> None:
    async with a_server(HOME=str(tmp_path), TUNNEL_WATCH="1") as server:
        await server.shake_hands()
        url = (await server.call("tunnel_status"))["watch"]
        port = int(url.split(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        path = url.partition(str(port))[2]
        writer.write(f"GET {path}events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await reader.readuntil(b"data: ")
        run = tmp_path / ".tunnel" / "run"
        before = len(list(run.iterdir()))
        began = time.monotonic()
        server.stop(how)
        code, _ = await server.exit_code()
        took = time.monotonic() - began
        writer.close()

    assert before == 1
    assert (code, list(run.iterdir())) == (0, [])
    assert took < EXIT_SECONDS
    assert is_free(port)
    assert server.log.decode().splitlines()[1] == f"tunnel-mcp: your window, for looking on: {url}"


async def test_a_killed_server_leaves_a_socket_that_nobody_takes_for_a_server(tmp_path: Path) -> None:
    async with a_server(HOME=str(tmp_path)) as server:
        await server.shake_hands()
        server.stop("SIGKILL")
        await server.exit_code()
    left = len(list((tmp_path / ".tunnel" / "run").iterdir()))
    code, _, errors = await without_a_terminal("watch", HOME=str(tmp_path))

    assert left == 1
    assert code == 1
    assert "no tunnel-mcp server of yours runs" in errors


async def test_a_person_with_several_servers_chooses_one(tmp_path: Path) -> None:
    async with a_spent_server(tmp_path) as spent, elsewhere(tmp_path):
        async with on_a_terminal("allow", HOME=str(tmp_path)) as person:
            number = await person.until(
                r"process (\d+) \(host\): waiting for its guest, said 3 of 3, goal: \"talk without end\""
            )
            await person.until("Type the number")
            person.type(number)
            person.type(await person.until(r"type (\d{4})\."))
            code, _, _ = await person.ended()
        left = (await spent.call("tunnel_say", text="on"))["saysLeft"]

    assert (code, left) == (0, 2)


# --- Answers that nobody asked for ---------------------------------------------------------------------------------------


async def line(server: Server, holds: str, id: int | None = None) -> dict[str, Any]:
    """The next line of this kind that the server writes: a request of its own, or the answer to one of ours."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = json.loads(await server._stdout.readline())
            if holds in found and (id is None or found["id"] == id):
                return found


async def test_in_the_handshake_era_answers_to_nothing_and_repeated_answers_allow_nothing(tmp_path: Path) -> None:
    client = {"name": "test", "version": "0"}
    yes = {"action": "accept", "content": {"allow": True}}
    async with a_server(HOME=str(tmp_path), TUNNEL_BUDGET="1") as server:
        await server.ask(
            "initialize", protocolVersion="2025-06-18", capabilities={"elicitation": {}}, clientInfo=client
        )
        await server.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        await server.call("tunnel_open", goal="pair")
        for unasked in (0, 1, 2, "1", 4711):
            await server.send(json.dumps({"jsonrpc": "2.0", "id": unasked, "result": yes}).encode())
        await server.call("tunnel_say", text="all that it may")

        asking = await server.begin_call("tunnel_say", text="one more")
        question = await line(server, "method")
        answer = json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": yes}).encode()
        for _ in range(3):
            await server.send(answer)
        allowed = await line(server, "result", asking)

        asking = await server.begin_call("tunnel_say", text="and another")
        again = await line(server, "method")
        await server.send(answer)
        no = {"jsonrpc": "2.0", "id": again["id"], "result": {"action": "decline"}}
        await server.send(json.dumps(no).encode())
        refused = await line(server, "result", asking)

    assert question["method"] == "elicitation/create"
    assert not allowed["result"].get("isError")
    assert again["id"] != question["id"]
    assert refused["result"]["isError"]
