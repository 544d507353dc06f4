"""Our own implementation with somebody on the way who changes what it sends: so it breaks any rule that a test wants broken."""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from typing import Protocol

from tunnel_conformance.subjects.base import Answer, Call
from tunnel_conformance.wire.link import mint, parse
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.conformance.own import Own

Change = Callable[[str], str | bytes]


class _Writer(Protocol):
    async def send(self, message: str | bytes) -> None: ...

    async def close(self) -> None: ...


class Meddled(Own):
    """One agent of ours, whose frames are changed on the way.

    Args:
        change: what becomes of each frame that it sends.
        path: where it connects as guest; at the link's path when left out.
    """

    def __init__(self, change: Change = lambda text: text, path: str = "") -> None:
        super().__init__()
        self._change = change
        self._path = path
        self._server: Server | None = None
        self._relay = ("127.0.0.1", 0)

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        if what == "join":
            link = parse(arguments["joinLink"])
            port = await self._between(f"{link.text.partition('/t/')[0]}{self._path or link.path}", from_host=False)
            arguments = {"joinLink": mint(port, link.tunnel_id, link.key).text}
        answer = await super().call(what, arguments, seconds)
        if what == "open" and answer.result:
            url = str(answer.result["joinLink"]).partition("#")[0]
            self._relay = ("127.0.0.1", await self._between(url, from_host=True))
        return answer

    def reachable_at(self, join_link: str) -> tuple[str, int]:
        return self._relay

    async def end(self) -> None:
        await super().end()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _between(self, url: str, *, from_host: bool) -> int:
        async def carry(there: ServerConnection) -> None:
            async with connect(url, proxy=None, compression=None) as here:
                ours, theirs = (here, there) if from_host else (there, here)
                done, rest = await asyncio.wait(
                    [
                        asyncio.create_task(_pass_on(ours, theirs, self._change)),
                        asyncio.create_task(_pass_on(theirs, ours, lambda text: text)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in rest:
                    task.cancel()
                await asyncio.gather(*done, *rest, return_exceptions=True)

        if self._server:
            self._server.close()
        self._server = await serve(carry, "127.0.0.1", 0, compression=None)
        return int(next(iter(self._server.sockets)).getsockname()[1])


async def _pass_on(read: AsyncIterable[str | bytes], write: _Writer, change: Change) -> None:
    with suppress(ConnectionClosed):
        async for message in read:
            await write.send(change(message) if isinstance(message, str) else message)
    await write.close()
