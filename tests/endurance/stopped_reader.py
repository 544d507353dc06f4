"""A peer that stops reading is hung up on, whoever speaks to it is told so soon, and what waits for it takes bounded memory (SIZE-9)."""

import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct
from websockets.asyncio.client import connect

from tests.app.processes import Server
from tests.endurance.agents import NO_BUDGET
from tests.endurance.holding import MIB
from tests.endurance.results import Found, Run
from tests.system.stages import _a_host_that_stops_reading as a_host_that_stops_reading
from tests.system.talking import a_person
from tunnel import crypto
from tunnel.core.link import parse
from tunnel.spec.v1.constants import OUTBOX_BYTES

TEXT_BYTES: Final = 100_000
AT_ONCE: Final = 2 * OUTBOX_BYTES // TEXT_BYTES
"""So many are said together: a guest's wait for their echo, and all of them are more than may wait."""

TOLD_SECONDS: Final = 10.0
"""So soon after the first word that is not read whoever speaks is told."""

MOST_BYTES: Final = 8 * OUTBOX_BYTES
"""So much more memory a side may take: its client writes it twice as much as may wait, and some of that is there as it came, as it
was said, as it is kept and as it goes out."""


class Stuck(Struct):
    """How one side fared that spoke to a peer that does not read."""

    said: int
    words: str
    """With which a say failed."""
    closed_because: str | None
    seconds: float
    """How long all of it took."""
    bytes: int
    """By how much its memory had grown at the most."""


async def run(rounds: int, folder: Path) -> Found:
    """Speak to a guest that stops reading, and to a host that does.

    Args:
        rounds: how often each.
        folder: not needed.
    """
    async with a_person(**NO_BUDGET) as alice, a_person(**NO_BUDGET) as bob:
        return await between(alice, bob, rounds)


async def between(alice: Server, bob: Server, rounds: int) -> Found:
    """Let these speak: a host, and a guest."""
    hosts, guests = list[Stuck](), list[Stuck]()
    for _ in range(rounds):
        link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
        async with _a_guest_that_stops_reading(link):
            hosts.append(await _speak(alice))
        await alice.call("tunnel_close")
        async with a_host_that_stops_reading() as link:
            await bob.call("tunnel_join", joinLink=link)
            guests.append(await _speak(bob))
        await bob.call("tunnel_close")
    figures = _figures("host", hosts) | _figures("guest", guests)
    faults = [fault for stuck in hosts for fault in wrong("the host", stuck, "peer_left", "peer_left")]
    faults += [fault for stuck in guests for fault in wrong("the guest", stuck, "unconfirmed", "host_slow")]
    return Found(figures={"rounds": rounds, **figures}, faults=faults)


RUN: Final = Run(
    name="stopped-reader",
    claim=f"Whoever speaks to a peer that has stopped reading is told so within {TOLD_SECONDS:g} s, and has taken no more than "
    f"{MOST_BYTES // MIB} MiB for what waits (SIZE-9).",
    unit="rounds",
    size=10,
    small=1,
    run=run,
    needs=("proc",),
)


@asynccontextmanager
async def _a_guest_that_stops_reading(link: str) -> AsyncGenerator[None]:
    way = parse(link)
    async with connect(
        way.url, compression=None, proxy=None, ping_interval=None, max_size=None, max_queue=None
    ) as guest:
        proof = crypto.prove(way.key, json.loads(await guest.recv())["nonce"])
        await guest.send(json.dumps({"t": "auth", "response": proof, "name": "Bob", "sinceSeq": 0}))
        await guest.recv()
        guest.transport.pause_reading()
        yield
        guest.transport.abort()


async def _speak(server: Server) -> Stuck:
    """Say more than may wait for somebody who does not read."""
    before, began = psutil.Process(server.process.pid).memory_info().rss, time.monotonic()
    saying = [await server.begin_call("tunnel_say", text="x" * TEXT_BYTES) for _ in range(AT_ONCE)]
    answers = [(await server.answer_to(request))["result"] for request in saying]
    seconds = time.monotonic() - began
    refused = [answer["content"][0]["text"] for answer in answers if answer.get("isError")]
    because = (await server.call("tunnel_status"))["closedBecause"]
    grown = _most_bytes(server.process.pid) - before
    return Stuck(len(answers) - len(refused), refused[0] if refused else "", because, seconds, grown)


def _most_bytes(pid: int) -> int:
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def _figures(who: str, stuck: list[Stuck]) -> dict[str, int | float]:
    return {
        f"s until the {who} was told": max(one.seconds for one in stuck),
        f"MiB more at the {who}": round(max(one.bytes for one in stuck) / MIB, 1),
    }


def wrong(who: str, stuck: Stuck, words: str, because: str) -> list[str]:
    found: list[str] = []
    if not stuck.words.startswith(f"{words}: ") or stuck.closed_because != because:
        found.append(f"{who} said {stuck.said} messages and is told {stuck.words!r}, because of {stuck.closed_because}")
    if stuck.seconds > TOLD_SECONDS:
        found.append(f"{who} was told after {stuck.seconds:.1f} s, and {TOLD_SECONDS:g} s are allowed")
    if stuck.bytes > MOST_BYTES:
        found.append(f"{who} took {stuck.bytes / MIB:.1f} MiB more, and {MOST_BYTES / MIB:g} MiB are allowed")
    return found
