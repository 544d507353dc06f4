"""The kit's host, and guests that do what they like: real WebSockets of another library's making."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.host import Host
from tunnel_conformance.wire.log import Log
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.io.asynchronous import asynchronous

PATIENCE = 5.0


@asynccontextmanager
async def a_host() -> AsyncGenerator[Host]:
    host = Host(Log(), Bell())
    await host.listen()
    try:
        yield host
    finally:
        host.close()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def visited() -> AsyncGenerator[tuple[Host, ClientConnection]]:
    async with a_host() as host, connect(host.link.text.partition("#")[0], proxy=None) as guest:
        yield host, guest


@asynchronous
async def test_a_guest_that_answers_its_challenge_proves_the_key() -> None:
    """AUTH-2."""
    async with visited() as (host, guest):
        end = host.end
        assert end
        end.challenge()
        nonce = json.loads(await guest.recv())["nonce"]
        proof = crypto.encode(crypto.prove(host.link.key, nonce))
        await guest.send(json.dumps({"t": "auth", "response": proof, "name": "Bob"}))
        await guest.send(json.dumps({"t": "auth", "response": "x", "name": "Bob"}))

        assert await host_has(host, 2)
        assert [end.proves(auth) for auth in end.auths] == [True, False]


async def host_has(host: Host, auths: int) -> bool:
    assert host.end
    end = host.end
    return await end.bell.until(lambda: len(end.auths) == auths, PATIENCE)


@asynchronous
async def test_messages_are_numbered_one_after_the_other_unless_told_otherwise() -> None:
    async with visited() as (host, guest):
        assert host.end
        for seq in (None, None, 7, 3, None):
            host.end.tell(host.end.message("hello", seq=seq))
        numbers = [json.loads(await guest.recv())["msg"]["seq"] for _ in range(5)]

        assert numbers == [1, 2, 7, 3, 8]


@asynchronous
async def test_what_a_guest_says_is_opened_and_echoed() -> None:
    async with visited() as (host, guest):
        assert host.end
        end = host.end
        end.echoes = True
        body = crypto.seal(host.link.key, "hello", bytes(24))
        await guest.send(json.dumps({"t": "send", "msg": {"id": "a", "body": body}}))
        echo = json.loads(await guest.recv())["msg"]

        assert (echo["id"], echo["body"], echo["from"], echo["seq"]) == ("a", body, "guest", 1)
        assert end.text_of(end.sends[0]) == "hello"


@pytest.mark.parametrize("text", ["null", '{"t":"send"}', '{"t":"send","msg":5}', '{"t":["auth"]}', "[" * 50_000, "x"])
@asynchronous
async def test_hostile_frames_are_kept_and_nothing_else(text: str) -> None:
    async with visited() as (host, guest):
        assert host.end
        end = host.end
        await guest.send(text)
        await guest.send(b"\xff")
        await end.bell.until(lambda: len(end.came) == 2, PATIENCE)

        assert (end.auths, end.sends) == ([], [])


@asynchronous
async def test_a_redirect_is_noticed_when_it_is_followed() -> None:
    """LINK-11."""
    async with a_host() as host:
        host.answers, host.leads_to = 302, f"ws://127.0.0.1:{host.elsewhere}/t/ab"
        with pytest.raises((InvalidMessage, InvalidStatus, TimeoutError, OSError)):
            async with asyncio.timeout(0.5), connect(host.link.text.partition("#")[0], proxy=None):
                pass

        assert host.strangers >= 1


@asynchronous
async def test_who_connects_can_be_refused_or_cut_off() -> None:
    async with a_host() as host:
        url = host.link.text.partition("#")[0]
        host.answers = 404
        with pytest.raises(InvalidStatus, match="404"):
            await connect(url, proxy=None)
        host.drops = True
        with pytest.raises((OSError, InvalidMessage, EOFError)):
            await connect(url, proxy=None)


@asynchronous
async def test_a_host_can_say_goodbye_freeze_and_vanish() -> None:
    async with visited() as (host, guest):
        assert host.end
        host.end.leave(1001, "process exit")
        with pytest.raises(ConnectionClosed) as closed:
            await guest.recv()

        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "process exit")
    async with visited() as (host, guest):
        assert host.end
        host.end.freeze()
        waiting = await guest.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.05)
        host.end.thaw()
        await waiting
        host.end.vanish()
        with pytest.raises(ConnectionClosed):
            await guest.recv()
