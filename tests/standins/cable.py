"""A cable between a guest and its host: it carries bytes both ways, and at one byte does what a test says.

It may cut the stream in two there, so that the rest comes later, or break: with a reset, or as if each side had closed.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Literal, TypeAlias

from msgspec import Struct

Way: TypeAlias = Literal["to host", "to guest"]
Deed: TypeAlias = Literal["cut", "reset", "close"]

TURNS = 6
"""So many turns of the loop, and whoever is to read a part has read it, as both ends are in this process."""


class Spot(Struct, frozen=True):
    """Where something happens: in front of this byte, counted from 0."""

    way: Way
    byte: int
    deed: Deed


class Cable:
    """One such cable, and how many bytes it has carried each way.

    Args:
        port: the host's.
        spot: where something happens, if anything does.
    """

    def __init__(self, port: int, spot: Spot | None) -> None:
        self.carried: dict[Way, int] = {"to host": 0, "to guest": 0}
        self.has_happened = False
        self._port = port
        self._spot = spot
        self._here: list[asyncio.StreamWriter] = []

    async def carry(self, guest: asyncio.StreamReader, to_guest: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        host, to_host = await asyncio.open_connection("127.0.0.1", self._port)
        self._here = [to_guest, to_host]
        for end in self._here:
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(self._way("to host", guest, to_host), self._way("to guest", host, to_guest))

    def abort(self) -> None:
        """Cut whatever hangs on it."""
        for end in self._here:
            end.transport.abort()

    async def _way(self, way: Way, out_of: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await out_of.read(65_536):
                await self._hand_on(way, data, into)
            into.close()

    async def _hand_on(self, way: Way, data: bytes, into: asyncio.StreamWriter) -> None:
        spot = self._spot
        if spot and spot.way == way and 0 <= spot.byte - self.carried[way] < len(data):
            before = spot.byte - self.carried[way]
            self._write(way, data[:before], into)
            data = data[before:]
            await self._do(spot.deed)
            self._spot = None
        self._write(way, data, into)

    def _write(self, way: Way, data: bytes, into: asyncio.StreamWriter) -> None:
        if data and not into.is_closing():
            into.write(data)
            self.carried[way] += len(data)

    async def _do(self, deed: Deed) -> None:
        """It happens once what came before has been read."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.has_happened = True
        if deed != "cut":
            for end in self._here:
                _break(end, deed)


@asynccontextmanager
async def cable(port: int, spot: Spot | None = None) -> AsyncGenerator[tuple[int, Cable]]:
    """Its port, and itself. It carries one connection; in the end whoever still hangs on it is cut."""
    here = Cable(port, spot)
    tasks: list[asyncio.Task[None]] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.append(task)
        try:
            await here.carry(reader, writer)
        except OSError:
            pass  # whoever is broken off is gone
        finally:
            writer.transport.abort()
            here.abort()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], here
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _break(end: asyncio.StreamWriter, deed: Deed) -> None:
    if deed == "close":
        end.close()
        return
    linger = struct.pack("ii", 1, 0)
    end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    end.transport.abort()
