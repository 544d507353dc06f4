"""The limit: the least that can be done with a text on the same layer. It answers each with itself, once for each read.

No core, no transcript, no bounds: whatever the relay costs more than this is the protocol's and ours.
"""

import asyncio
from http import HTTPStatus
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.bench.processes import Answer, answer, cpu, run
from tests.bench.texts import TEXT, sent
from tunnel.spec.v1.constants import GUEST_FRAME_BYTES, KEY_BYTES


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.frames = ServerProtocol(max_size=GUEST_FRAME_BYTES)
        self.heard = asyncio.Event()
        """Set by a text that comes."""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.frames.receive_data(data)
        for event in self.frames.events_received():
            if isinstance(event, Request):
                response = self.frames.accept(event)
                assert response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
                self.frames.send_response(response)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.frames.send_text(event.data)
                self.heard.set()
        self.flush()

    def flush(self) -> None:
        """Send what there is."""
        self._transport.write(b"".join(self.frames.data_to_send()))


async def serve() -> None:
    """Listen, and answer."""
    connections: list[Echo] = []
    saying: set[asyncio.Task[None]] = set()

    def connected() -> Echo:
        connections.append(Echo())
        return connections[-1]

    async def say(count: int) -> None:
        payload = sent(bytes(KEY_BYTES), TEXT, "host")
        await connections[-1].heard.wait()
        for _ in range(count):
            connections[-1].frames.send_text(payload)
            connections[-1].flush()
            await asyncio.sleep(0)

    def begin(count: int, waits: bool = False) -> Answer:
        """At once, or when the guest has said something more."""
        heard = connections[-1].heard
        (heard.clear if waits else heard.set)()
        saying.add(asyncio.ensure_future(say(count)))
        return {}

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    await answer({"link": f"ws://127.0.0.1:{port}/t/00"}, {"cpu": cpu, "say": begin})


if __name__ == "__main__":
    run(serve)
