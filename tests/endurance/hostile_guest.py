"""A guest that was let in and floods its host, with frames that say nothing or with pings, also behind the goodbye, holds up nobody.

Its agent's host is asked all the while; what is measured is how long the slowest answer takes, and how soon the flood is cut.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from tests.app.processes import Server
from tests.endurance.agents import NO_BUDGET
from tests.endurance.results import Found, Run, too_few
from tests.system.talking import a_person
from tunnel import crypto
from tunnel.core.link import parse
from tunnel.spec.v1.constants import CLOSE_SECONDS

FRAMES: Final = {"texts": Opcode.TEXT, "pings": Opcode.PING}
"""What it floods with: empty texts, which a host ignores (WIRE-4), and pings, of which it stands few (SIZE-8)."""

LATE_SECONDS: Final = 0.75
"""An answer that takes longer is late. A question takes seven turns of the host's loop, and in each a whole read of the flood goes in
front, and perhaps a full collection of garbage; beside others it takes a few times as long as on a machine that is left alone, where
`docs/endurance.md` says how long the slowest one took."""

IN_A_PIECE: Final = 10_000
"""So many frames are handed to the system together: more than a host reads of its guest at once hardly fit into its buffers."""

PAUSE_SECONDS: Final = 0.005
"""After so long the next ones follow: two million frames in a second at the most, and a host reads fewer."""

LEAST_FRAMES: Final = 5 * IN_A_PIECE
"""Fewer are no flood."""

FLOOD_SECONDS: Final = 0.5
"""So long it floods before its host says goodbye, unless it is hung up on earlier."""

CUT_SECONDS: Final = CLOSE_SECONDS + 0.5
"""So soon after the goodbye it is cut."""


class Flood(Struct):
    """One such flood, and what came of it."""

    frames: int = 0
    is_cut: bool = False
    slowest: float = 0.0
    """How many seconds the slowest answer of the host took meanwhile."""
    cut_after: float = 0.0
    """How many seconds after the goodbye it was cut."""
    because: str | None = None
    """Why the tunnel is over."""


async def run(rounds: int, folder: Path) -> Found:
    """Let a guest flood its host.

    Args:
        rounds: how often, with each kind of frame.
        folder: not needed.
    """
    async with a_person(**NO_BUDGET) as alice:
        return await against(alice, rounds)


async def against(
    alice: Server,
    rounds: int,
    late_seconds: float = LATE_SECONDS,
    in_a_piece: int = IN_A_PIECE,
    cut_seconds: float = CUT_SECONDS,
) -> Found:
    """Flood this host.

    Args:
        alice: the host.
        rounds: how often, with each kind of frame.
        late_seconds: an answer that takes longer is late.
        in_a_piece: how many frames the guest sends at once.
        cut_seconds: so soon after the goodbye the guest must be cut.
    """
    floods: dict[str, list[Flood]] = {name: [] for name in FRAMES}
    for _ in range(rounds):
        for name, opcode in FRAMES.items():
            floods[name].append(await _flooded(alice, opcode, in_a_piece, cut_seconds))
    every = [flood for some in floods.values() for flood in some]
    return Found(
        figures={
            "floods": len(every),
            "frames sent": sum(flood.frames for flood in every),
            "slowest answer ms": max(flood.slowest for flood in every) * 1000,
            "s until cut": max(flood.cut_after for flood in every),
        },
        faults=[
            f"{name}: {fault}"
            for name, some in floods.items()
            for flood in some
            for fault in wrong(name, flood, late_seconds, cut_seconds)
        ],
    )


RUN: Final = Run(
    name="hostile-guest",
    claim="While a guest that was let in floods its host with empty texts or pings, also behind the goodbye, the host's agent is "
    f"answered within {LATE_SECONDS * 1000:g} ms, and the guest is cut within {CUT_SECONDS:g} s of the goodbye (SIZE-8, WIRE-4).",
    unit="rounds",
    size=10,
    small=1,
    run=run,
)


def wrong(name: str, flood: Flood, late_seconds: float, cut_seconds: float = CUT_SECONDS) -> list[str]:
    """What a flood must not do, and did; and whether it was one."""
    found = too_few("frames", flood.frames, LEAST_FRAMES)
    if flood.slowest > late_seconds:
        found.append(f"an answer took {flood.slowest * 1000:.0f} ms, and {late_seconds * 1000:g} ms are allowed")
    if not flood.is_cut:
        found.append(f"the guest was not cut within {cut_seconds:g} s of the goodbye")
    if flood.because != (because := {"texts": "closed_by_host", "pings": "peer_left"}[name]):
        found.append(f"it is over because of {flood.because}, and not {because}")
    return found


async def _flooded(alice: Server, opcode: Opcode, in_a_piece: int, cut_seconds: float) -> Flood:
    link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
    async with _a_flood(link, Frame(opcode, b"").serialize(mask=True), in_a_piece) as flood:
        if opcode is Opcode.TEXT:
            await _asked(alice, flood, FLOOD_SECONDS)
        goodbye = time.monotonic()
        closing = await alice.begin_call("tunnel_close") if opcode is Opcode.TEXT else None
        await _asked(alice, flood, cut_seconds)
        flood.cut_after = time.monotonic() - goodbye
        if closing:
            await alice.answer_to(closing)
        flood.because = (await alice.call("tunnel_status"))["closedBecause"]
    await alice.call("tunnel_close")
    return flood


async def _asked(alice: Server, flood: Flood, seconds: float) -> None:
    """Ask the host again and again, until the flood is cut or its time is over."""
    end = time.monotonic() + seconds
    while not flood.is_cut and (began := time.monotonic()) < end:
        await alice.call("tunnel_status")
        flood.slowest = max(flood.slowest, time.monotonic() - began)


@asynccontextmanager
async def _a_flood(link: str, frame: bytes, in_a_piece: int) -> AsyncGenerator[Flood]:
    """A guest that joins, reads nothing more, and floods until it is cut."""
    way, flood = parse(link), Flood()
    async with connect(way.url, compression=None, proxy=None, ping_interval=None, max_size=None) as guest:
        proof = crypto.prove(way.key, json.loads(await guest.recv())["nonce"])
        await guest.send(json.dumps({"t": "auth", "response": proof, "name": "Mallory", "sinceSeq": 0}))
        await guest.recv()
        guest.transport.pause_reading()
        pouring = asyncio.create_task(_pour(guest.transport, frame * in_a_piece, in_a_piece, flood))
        try:
            yield flood
        finally:
            guest.transport.abort()
            await pouring


async def _pour(into: asyncio.Transport, piece: bytes, frames: int, flood: Flood) -> None:
    while not into.is_closing():
        if into.get_write_buffer_size() == 0:
            into.write(piece)
            flood.frames += frames
        await asyncio.sleep(PAUSE_SECONDS)
    flood.is_cut = True
