"""The lifetimes of a real server process, with its clock a hundred times as fast."""

import asyncio
import shutil
import sys

import pytest
from mcp import Client, StdioServerParameters
from websockets.asyncio.client import connect

from tests.app.processes import environment
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.link import JoinLink, parse
from tunnel.spec.v1 import frames
from tunnel.spec.v1.refusals import REFUSALS, Cause, Refusal

SPEED = 100


def server_in_a_hurry() -> StdioServerParameters:
    faketime = shutil.which("faketime") or "faketime"
    return StdioServerParameters(
        command=faketime,
        args=["-f", f"+0 x{SPEED}", sys.executable, "-m", "tunnel"],
        env=environment(),
    )


async def refusal_of(link: JoinLink) -> str:
    async with connect(link.url, compression=None) as websocket:
        challenge = codec.from_host(str(await websocket.recv()))
        assert isinstance(challenge, frames.Challenge)
        proof = crypto.prove(link.key, challenge.nonce)
        await websocket.send(codec.encode(frames.Auth(response=proof, name="Bob")), text=True)
        answer = codec.from_host(str(await websocket.recv()))
    return answer.reason if isinstance(answer, frames.AuthFail) else "admitted"


@pytest.mark.needs("faketime")
def test_a_link_expires_and_a_refused_join_does_not_keep_the_session_from_going_idle() -> None:
    """LINK-2, IDLE-1, IDLE-2, IDLE-3, CLOSE-7: in a process of its own, from opening to idle."""

    async def run() -> tuple[str, list[str], str, str]:
        async with Client(server_in_a_hurry()) as client:
            opened = (await client.call_tool("tunnel_open", {"goal": "wait and see"})).structured_content or {}
            link = parse(opened["joinLink"])
            while (await status(client))["linkExpiresInSec"]:
                await asyncio.sleep(0.1)
            # A status that says 0 may stand exactly on the boundary, where the link is still good.
            await asyncio.sleep(0.1)
            refused = await refusal_of(link)
            while (await status(client))["state"] != "closed":
                await asyncio.sleep(0.1)
            heard = (await client.call_tool("tunnel_listen", {})).structured_content or {}
            ended = await status(client)
            return refused, [m["text"] for m in heard["messages"]], str(ended["closedBecause"]), await knock(link)

    refused, texts, because, knocked = asyncio.run(run())

    assert refused == REFUSALS[Refusal.JOIN_LINK_EXPIRED].text
    assert texts == ["tunnel opened \u2014 goal: wait and see", "idle timeout \u2014 closing tunnel"]
    assert because == Cause.IDLE.value
    assert "ConnectionRefusedError" in knocked


async def status(client: Client) -> dict[str, object]:
    return (await client.call_tool("tunnel_status", {})).structured_content or {}


async def knock(link: JoinLink) -> str:
    try:
        return await refusal_of(link)
    except OSError as error:
        return repr(error)
