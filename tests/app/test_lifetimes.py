"""The lifetimes of a real server process, whose clock jumps ahead."""

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.app.ends import PATIENCE_SECONDS, is_free, port_of
from tests.standins.jumps import JumpingClock
from tests.system.talking import a_person, said
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.link import JoinLink, parse
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS
from tunnel.spec.v1.refusals import REFUSALS, Cause, Refusal

pytestmark = pytest.mark.anyio

SHORT_OF_IT = 60
"""So many seconds before a session is idle it still lives. Time passes by itself, too, on a machine that is busy."""


async def refusal_of(link: JoinLink) -> str:
    async with connect(link.url, compression=None, proxy=None) as websocket:
        challenge = codec.from_host(str(await websocket.recv()))
        assert isinstance(challenge, frames.Challenge)
        proof = crypto.prove(link.key, challenge.nonce)
        await websocket.send(codec.encode(frames.Auth(response=proof, name="Bob")), text=True)
        answer = codec.from_host(str(await websocket.recv()))
    return answer.reason if isinstance(answer, frames.AuthFail) else "admitted"


@pytest.mark.needs("faketime")
async def test_a_link_expires_and_a_refused_join_does_not_keep_the_session_from_going_idle(tmp_path: Path) -> None:
    """LINK-2, IDLE-1, IDLE-2, IDLE-3, CLOSE-7: in a process of its own, from opening to idle."""
    clock = JumpingClock(tmp_path / "clock")
    async with a_person(**clock.environment) as server:
        link = parse((await server.call("tunnel_open", goal="wait and see"))["joinLink"])
        good = (await server.call("tunnel_status"))["linkExpiresInSec"]
        clock.jump(LINK_SECONDS + 1)
        refused = await refusal_of(link)
        clock.jump(IDLE_SECONDS - LINK_SECONDS - SHORT_OF_IT)
        before = await server.call("tunnel_status")
        clock.jump(SHORT_OF_IT)
        ended = await server.call("tunnel_status")
        heard = await server.call("tunnel_listen")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_free(port_of(link.text)):
                await asyncio.sleep(0.01)

    assert 0 < good <= LINK_SECONDS
    assert refused == REFUSALS[Refusal.JOIN_LINK_EXPIRED].text
    assert (before["state"], before["linkExpiresInSec"]) == ("waiting_for_guest", 0)
    assert said(heard) == ["tunnel opened \u2014 goal: wait and see", "idle timeout \u2014 closing tunnel"]
    assert (ended["state"], ended["closedBecause"]) == ("closed", Cause.IDLE.value)
