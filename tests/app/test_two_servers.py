"""Two server processes, each with a real MCP client: the main job, and whatever can happen to either of them."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, TextContent

from tests.app.processes import COMMAND, PATIENCE_SECONDS, a_server, environment
from tests.standins.programs import free_port

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "2026-07-28"]
FOREVER_MS = 60_000

Result = dict[str, Any]  # a tool's structured result


@asynccontextmanager
async def a_client(mode: str = "auto", **variables: str) -> AsyncGenerator[Client]:
    command, *arguments = COMMAND
    parameters = StdioServerParameters(command=command, args=arguments, env=environment(**variables))
    async with Client(parameters, mode=mode) as client:
        yield client


@asynccontextmanager
async def two_clients(mode: str = "auto") -> AsyncGenerator[tuple[Client, Client]]:
    async with a_client(mode) as alice, a_client(mode) as bob:
        yield alice, bob


async def call(client: Client, tool: str, **arguments: object) -> Result:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert result.structured_content is not None
    return result.structured_content


async def fail(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    (only,) = result.content
    assert isinstance(only, TextContent)
    return only.text


async def joined(alice: Client, bob: Client) -> str:
    """Alice opens and Bob joins; the link."""
    link = (await call(alice, "tunnel_open", goal="pair on checkout"))["joinLink"]
    await call(bob, "tunnel_join", joinLink=link)
    return link


def waiting_listen(client: Client, since: int) -> "asyncio.Task[Result]":
    return asyncio.create_task(call(client, "tunnel_listen", sinceSeq=since, timeoutMs=FOREVER_MS))


async def until(client: Client, state: str) -> Result:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await call(client, "tunnel_status"))["state"] != state:
            await call(client, "tunnel_listen", sinceSeq=now["lastSeq"], timeoutMs=100)
    return now


def said(heard: Result) -> list[str]:
    return [message["text"] for message in heard["messages"]]


@pytest.mark.parametrize("mode", ERAS)
async def test_two_agents_open_join_talk_and_close(mode: str) -> None:
    async with two_clients(mode) as (alice, bob):
        opened = await call(alice, "tunnel_open", goal="pair on checkout")
        told = await call(bob, "tunnel_join", joinLink=opened["joinLink"])
        question = (await call(bob, "tunnel_say", text="Which port?"))["seq"]
        asked = await call(alice, "tunnel_listen", sinceSeq=question - 1)
        listening = waiting_listen(bob, question)
        await call(alice, "tunnel_say", text="8443")
        answered = await asyncio.wait_for(listening, PATIENCE_SECONDS)
        goodbye = waiting_listen(bob, answered["cursor"])
        await call(alice, "tunnel_close", summary="8443 it is")
        over = await asyncio.wait_for(goodbye, PATIENCE_SECONDS)

    assert (told["goal"], told["state"]) == ("pair on checkout", "connected")
    assert opened["joinLink"] in opened["invite"]
    assert (said(asked), said(answered), said(over)) == (["Which port?"], ["8443"], ["closed — 8443 it is"])
    assert over["status"]["closedBecause"] == "closed_by_host"
    assert over["status"]["role"] == "guest"


async def test_closing_while_a_listen_waits_answers_it_and_the_server_lives_on() -> None:
    async with two_clients() as (alice, bob):
        for closer in (alice, bob):
            await joined(alice, bob)
            listening = waiting_listen(closer, 2)
            await call(closer, "tunnel_status")
            await call(closer, "tunnel_close")
            heard = await asyncio.wait_for(listening, PATIENCE_SECONDS)
            assert heard["status"]["closedBecause"] in ("closed_by_host", "closed_by_guest")
            await call(alice, "tunnel_close")
            await until(bob, "closed")


async def test_a_used_link_and_a_wrong_key_are_refused_and_harm_nobody() -> None:
    async with two_clients() as (alice, bob), a_client() as carol:
        link = (await call(alice, "tunnel_open", goal="pair"))["joinLink"]
        wrong = link.partition("#")[0] + "#" + "A" * 43
        bad_key = await fail(carol, "tunnel_join", joinLink=wrong)
        await call(bob, "tunnel_join", joinLink=link)
        full = await fail(carol, "tunnel_join", joinLink=link)
        await call(bob, "tunnel_say", text="still here")
        await call(bob, "tunnel_close")
        await until(alice, "peer_left")
        used = await fail(carol, "tunnel_join", joinLink=link)
        heard = await call(alice, "tunnel_listen", sinceSeq=2)

    assert bad_key.startswith("auth failed: bad key. ")
    assert full.startswith("auth failed: tunnel full. ")
    assert used.startswith("auth failed: join link already used. ")
    assert "still here" in said(heard)


async def test_a_client_that_cancels_its_listen_can_go_on() -> None:
    async with two_clients() as (alice, bob):
        await joined(alice, bob)
        listening = waiting_listen(bob, 2)
        await call(bob, "tunnel_status")
        listening.cancel()
        await asyncio.wait([listening])

        await call(alice, "tunnel_say", text="hello")
        heard = await call(bob, "tunnel_listen", sinceSeq=2)

    assert listening.cancelled()
    assert said(heard) == ["hello"]


async def test_a_client_that_vanishes_is_told_to_its_peer_which_can_say_nothing_more() -> None:
    async with a_client() as alice:
        async with a_client() as bob:
            await joined(alice, bob)
            listening = waiting_listen(alice, 2)
        heard = await asyncio.wait_for(listening, PATIENCE_SECONDS)
        now = await until(alice, "peer_left")
        words = await fail(alice, "tunnel_say", text="hello?")

    assert said(heard)[-1].endswith(" left")
    assert (now["closedBecause"], now["peerConnected"]) == ("peer_left", False)
    assert words.startswith("peer_left: ")
    assert "open a new one" in words


async def test_one_tunnel_after_the_other_works_in_the_same_processes() -> None:
    async with two_clients() as (alice, bob):
        links = set[str]()
        for host, guest in ((alice, bob), (bob, alice), (alice, bob)):
            links.add(await joined(host, guest))
            await call(host, "tunnel_close")
            await until(guest, "closed")

    assert len(links) == 3


async def test_a_killed_host_is_told_to_its_guest_as_gone() -> None:
    async with a_client() as bob, a_server() as host:
        await host.shake_hands()
        link = (await host.call("tunnel_open", goal="pair"))["joinLink"]
        await call(bob, "tunnel_join", joinLink=link)
        listening = waiting_listen(bob, 2)
        await call(bob, "tunnel_status")

        os.kill(host.process.pid, signal.SIGKILL)
        heard = await asyncio.wait_for(listening, PATIENCE_SECONDS)
        words = await fail(bob, "tunnel_say", text="hello?")

    assert heard["messages"] == []
    assert (heard["status"]["closedBecause"], heard["status"]["peerConnected"]) == ("host_gone", False)
    assert words.startswith("ended: ")
    assert "The connection to the host broke without a word." in words
    assert "must open a new tunnel" in heard["status"]["next"]


async def test_a_killed_guest_is_told_to_its_host_as_left() -> None:
    async with a_client() as alice, a_server() as guest:
        await guest.shake_hands()
        link = (await call(alice, "tunnel_open", goal="pair"))["joinLink"]
        await guest.call("tunnel_join", joinLink=link)
        listening = waiting_listen(alice, 2)
        await call(alice, "tunnel_status")

        os.kill(guest.process.pid, signal.SIGKILL)
        heard = await asyncio.wait_for(listening, PATIENCE_SECONDS)
        now = await until(alice, "peer_left")

    assert said(heard)[-1].endswith(" left")
    assert now["closedBecause"] == "peer_left"


async def test_two_opens_at_once_give_one_link() -> None:
    async with a_client() as alice:
        answers = await asyncio.gather(*(alice.call_tool("tunnel_open", {"goal": f"{n}"}) for n in range(5)))

    assert [answer.is_error for answer in answers].count(False) == 1
    refused = {text_of(answer) for answer in answers if answer.is_error}
    assert refused == {"a tunnel is already open in this process: close it with tunnel_close first."}


async def test_forty_listens_at_once_are_all_answered_and_hold_up_nothing() -> None:
    async with two_clients() as (alice, bob):
        await joined(alice, bob)
        listening = [waiting_listen(bob, 2) for _ in range(40)]
        now = await call(bob, "tunnel_status")
        await call(alice, "tunnel_say", text="hello")
        heard = await asyncio.gather(*listening)

    assert now["state"] == "connected"
    assert [said(one) for one in heard] == [["hello"]] * 40


async def test_at_an_address_of_its_own_a_host_is_reached_directly() -> None:
    """LINK-12: what the link says is where the relay listens."""
    url = f"http://127.0.0.1:{free_port()}"
    async with a_client(TUNNEL_TRANSPORT="direct", TUNNEL_URL=url) as alice, a_client() as bob:
        opened = await call(alice, "tunnel_open", goal="pair on checkout")
        await call(bob, "tunnel_join", joinLink=opened["joinLink"])
        question = (await call(bob, "tunnel_say", text="Which port?"))["seq"]
        heard = await call(alice, "tunnel_listen", sinceSeq=question - 1)
        await call(alice, "tunnel_close")
        again = await call(alice, "tunnel_open", goal="once more, at the same port")

    assert opened["transport"] == "direct"
    assert opened["joinLink"].startswith(url.replace("http", "ws") + "/t/")
    assert "nothing leaves it" in opened["privacy"]
    assert said(heard) == ["Which port?"]
    assert again["joinLink"].startswith(url.replace("http", "ws"))


async def test_a_port_that_another_server_has_is_named_and_the_other_server_goes_on() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    variables = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": url}
    async with a_client(**variables) as alice, a_client(**variables) as carol:
        await call(alice, "tunnel_open", goal="first")
        words = await fail(carol, "tunnel_open", goal="second")
        state = (await call(alice, "tunnel_status"))["state"]
        after = await call(carol, "tunnel_open", goal="second", transport="loopback")

    assert words.startswith(f"Port {url.rpartition(':')[2]} at 127.0.0.1 is taken. ")
    assert state == "waiting_for_guest"
    assert after["transport"] == "loopback"
