"""A crowd at a relay's port: sockets that come at once, say nothing, half of something, nonsense or too much, and come again when cut.

    python -m tests.standins.strangers PORT PATH SOCKETS SEED

It says a line once each of them was there, and runs until its input ends. Then it writes what it did as a line of JSON:
connections by what they did.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import TypeAlias

from websockets.frames import Frame, Opcode

PAUSE_SECONDS = 1.0
"""Who was cut comes again after so long at the most."""

FLOOD_PINGS = 40_000
"""So many go out in one piece: a read of everything that is there would hold up whoever reads."""

POLITE = 10
"""By how much their process stands back for those that are measured."""

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="

Deed: TypeAlias = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection of a stranger's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, dice: Random) -> None:
        self.reader = reader
        self.writer = writer
        self.path = path
        self.dice = dice

    def head(self) -> bytes:
        fields = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13"
        return f"GET {self.path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode()

    async def upgrade(self) -> None:
        self.writer.write(self.head())
        await self.reader.readuntil(b"\r\n\r\n")

    async def say(self, data: bytes, opcode: Opcode = Opcode.TEXT) -> None:
        await self.write(Frame(opcode, data).serialize(mask=True))

    async def write(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def until_cut(self) -> None:
        while await self.reader.read(65_536):
            pass


async def nothing(visit: Visit) -> None:
    await visit.until_cut()


async def half_a_request(visit: Visit) -> None:
    visit.writer.write(visit.head()[:40])
    await visit.until_cut()


async def drop_by_drop(visit: Visit) -> None:
    for byte in visit.head():
        await visit.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def another_path(visit: Visit) -> None:
    visit.writer.write(b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n")
    await visit.until_cut()


async def no_http(visit: Visit) -> None:
    visit.writer.write(visit.dice.randbytes(2_000))
    await visit.until_cut()


async def silent_websocket(visit: Visit) -> None:
    await visit.upgrade()
    await visit.until_cut()


async def a_wrong_key(visit: Visit) -> None:
    await visit.upgrade()
    await visit.say(json.dumps({"t": "auth", "response": "A" * 43, "name": "Eve", "sinceSeq": 0}).encode())
    await visit.until_cut()


async def nonsense(visit: Visit) -> None:
    await visit.upgrade()
    for _ in range(50):
        await visit.say(visit.dice.randbytes(1_000), Opcode.BINARY)
    await visit.until_cut()


async def too_much(visit: Visit) -> None:
    await visit.upgrade()
    await visit.say(b"x" * 100_000)
    await visit.until_cut()


async def a_flood_of_pings(visit: Visit) -> None:
    await visit.upgrade()
    await visit.write(Frame(Opcode.PING, b"").serialize(mask=True) * FLOOD_PINGS)
    await visit.until_cut()


async def gone_at_once(visit: Visit) -> None:
    visit.writer.write(visit.head())


DEEDS: tuple[Deed, ...] = (
    nothing,
    half_a_request,
    drop_by_drop,
    another_path,
    no_http,
    silent_websocket,
    a_wrong_key,
    nonsense,
    too_much,
    a_flood_of_pings,
    gone_at_once,
)


class Crowd:
    """All of them.

    Args:
        port: where they go.
        path: where the WebSocket is.
        sockets: how many they are.
        seed: of what each of them does.
    """

    def __init__(self, port: int, path: str, sockets: int, seed: str) -> None:
        self.done: Counter[str] = Counter()
        self.everybody_was_there = asyncio.Event()
        self._port = port
        self._path = path
        self._seed = seed
        self._not_yet = set(range(sockets))

    async def stranger(self, number: int) -> None:
        """One of them: it does one thing after another."""
        dice = Random(f"{self._seed} {number}")
        while True:
            deed = dice.choice(DEEDS)
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await self._visit(number, deed, dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_SECONDS))

    async def _visit(self, number: int, deed: Deed, dice: Random) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.done[deed.__name__] += 1
        self._not_yet.discard(number)
        if not self._not_yet:
            self.everybody_was_there.set()
        try:
            await deed(Visit(reader, writer, self._path, dice))
        finally:
            writer.transport.abort()


async def main(port: int, path: str, sockets: int, seed: str) -> None:
    # They stand for other machines, which take no CPU from this one.
    os.nice(POLITE)
    crowd = Crowd(port, path, sockets, seed)
    strangers = [asyncio.create_task(crowd.stranger(number)) for number in range(sockets)]
    await crowd.everybody_was_there.wait()
    print("everybody was there", flush=True)
    await asyncio.to_thread(os.read, 0, 1)
    for stranger in strangers:
        stranger.cancel()
    await asyncio.wait(strangers)
    print(json.dumps(crowd.done))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
