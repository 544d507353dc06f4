"""How a server is brought to each stage of the life of a tunnel, as its host or as its guest, and held there."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import NamedTuple

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.app import ends
from tests.app.processes import PATIENCE_SECONDS, Answer, Server
from tests.standins.leftovers import Left
from tests.system.places import LOOK_SECONDS, Place
from tests.system.talking import a_person, begin_listening, in_a_hurry
from tunnel.app.tools import Tools
from tunnel.core.link import JoinLink
from tunnel.errors import TunnelError

HURRY = 60
"""How fast time passes for a host that is to become idle. Faster, and it would have no time to admit anybody."""

OPENINGS = 5
"""So often it may try, and its guest: in a hurry, a child that takes a sixth of a second to start is late."""

_CHALLENGE = {"t": "challenge", "nonce": "A" * 43}
_WELCOME = {"t": "auth_ok", "goal": "pair", "peerName": "Alice", "backlog": []}


class Held(NamedTuple):
    """A server at a stage."""

    server: Server
    before: Left
    """What there was when it had started, and nothing was open."""
    peer: Tools | None = None
    """Who is told of the end."""


Bring = Callable[[AsyncExitStack, Place, dict[str, str]], Awaitable[Held]]
"""What is still there when the stack is unwound, the stage needs."""


# --- As a host -----------------------------------------------------------------------------------------------------------


async def opening(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """Cloudflared runs, and does not say where."""
    held = await _started(undoing, place, {**variables, "STANDIN_MODE": "silent"})
    await held.server.begin_call("tunnel_open", goal="pair")
    await place.started(1)
    return held


async def waiting(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The tunnel is open, and nobody has joined."""
    held = await _started(undoing, place, variables)
    await _opened(held.server, place)
    return held


async def a_stranger_joins(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """Somebody has been challenged and does not answer."""
    held = await _started(undoing, place, variables)
    url = (await _opened(held.server, place)).partition("#")[0]
    stranger = await undoing.enter_async_context(connect(url, compression=None, proxy=None))
    await stranger.recv()
    return held


async def hosting(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """A guest is in, and a listen waits for it."""
    held = await _started(undoing, place, variables)
    link = await _opened(held.server, place)
    bob = ends.end("Bob")
    undoing.push_async_callback(bob.exit)
    await _let_in(bob, link)
    await begin_listening(held.server, await ends.say(bob, "hello"))
    return held._replace(peer=bob)


async def host_closing(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The guest has been told, the port is given back, and cloudflared does not end when it is asked to."""
    held = await hosting(undoing, place, {**variables, "STANDIN_MODE": "stubborn"})
    assert held.peer
    await held.server.begin_call("tunnel_close")
    await ends.until(held.peer, "closed")
    # The guest is told first, and may be quicker than the rest of the turn.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(found.startswith("LISTEN ") for found in (await place.left()).beyond(held.before)):
            await asyncio.sleep(LOOK_SECONDS)
    return held


# --- As a guest ----------------------------------------------------------------------------------------------------------


async def dialling(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """Somebody has taken the connection and says nothing."""
    port, notes = await undoing.enter_async_context(ends.a_deaf_port())
    held = await _started(undoing, place, variables)
    await held.server.begin_call("tunnel_join", joinLink=_link(port))
    assert await notes.get() == "came"
    return held


async def joining(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The host has the guest's answer to its challenge, and says nothing to it."""
    link, heard = await undoing.enter_async_context(ends.a_host(_CHALLENGE, {"t": "unknown"}))
    held = await _started(undoing, place, variables)
    await held.server.begin_call("tunnel_join", joinLink=link)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not heard:
            await asyncio.sleep(LOOK_SECONDS)
    return held


async def visiting(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The guest is in, and its listen waits for the host."""
    alice = ends.end("Alice")
    undoing.push_async_callback(alice.exit)
    link = await ends.open_(alice)
    held = await _started(undoing, place, variables)
    await _joined(held.server, link)
    return held._replace(peer=alice)


async def visiting_a_host_in_a_hurry(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The guest is in, and for its host time passes faster."""
    alice = await undoing.enter_async_context(a_person(**in_a_hurry(HURRY)))
    held = await _started(undoing, place, variables)
    await _joined(held.server, (await alice.call("tunnel_open", goal="pair"))["joinLink"])
    return held


async def guest_closing(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    """The guest has said that it closes, and its host does not read it."""
    link = await undoing.enter_async_context(_a_host_that_stops_reading())
    held = await _started(undoing, place, variables)
    await held.server.call("tunnel_join", joinLink=link)
    await held.server.begin_call("tunnel_close")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await held.server.call("tunnel_status"))["state"] != "closed":
            pass
    return held


# --- What they need ------------------------------------------------------------------------------------------------------


async def _started(undoing: AsyncExitStack, place: Place, variables: dict[str, str]) -> Held:
    server = await undoing.enter_async_context(a_person(**place.environment(**variables)))
    await server.call("tunnel_status")
    return Held(server, await place.left())


async def _opened(host: Server, place: Place) -> str:
    """The link, as it leads straight to the relay."""
    answer: Answer = {}
    for _ in range(OPENINGS):
        answer = await host.ask("tools/call", name="tunnel_open", arguments={"goal": "pair"})
        if not answer["result"].get("isError"):
            return place.link(answer["result"]["structuredContent"])
    raise AssertionError(f"it does not open: {answer}")


async def _let_in(bob: Tools, link: str) -> None:
    # A host in a hurry gives a guest a quarter of a second to answer its challenge.
    for _ in range(OPENINGS - 1):
        with suppress(TunnelError):
            await ends.join(bob, link)
            return
    await ends.join(bob, link)


async def _joined(guest: Server, link: str) -> None:
    for _ in range(OPENINGS - 1):
        answer = await guest.ask("tools/call", name="tunnel_join", arguments={"joinLink": link})
        if not answer["result"].get("isError"):
            break
    else:
        await guest.call("tunnel_join", joinLink=link)
    await begin_listening(guest, (await guest.call("tunnel_say", text="hello"))["seq"])


def _link(port: int) -> str:
    return JoinLink(base=f"ws://127.0.0.1:{port}", tunnel_id="0011223344556677", key=ends.KEY).text


@asynccontextmanager
async def _a_host_that_stops_reading() -> AsyncGenerator[str]:
    """The link of a host that lets everybody in, and then neither reads nor hangs up."""
    is_over = asyncio.Event()

    async def play(websocket: ServerConnection) -> None:
        await websocket.send(json.dumps(_CHALLENGE))
        await websocket.recv()
        websocket.transport.pause_reading()
        await websocket.send(json.dumps(_WELCOME))
        await is_over.wait()
        websocket.transport.abort()

    async with serve(play, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        try:
            yield _link(server.sockets[0].getsockname()[1])
        finally:
            is_over.set()
