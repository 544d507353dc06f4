"""A hundred thousand messages each way, through tunnels that are filled to the last number: all are heard, once and in order.

Both ends are the app's, and between them is a real WebSocket.
"""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from tests.endurance.accounts import faults_of, strays_of
from tests.endurance.holding import MIB
from tests.endurance.results import Found, Run
from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.errors import TunnelError
from tunnel.io.clock import SystemClock
from tunnel.spec.v1.constants import TRANSCRIPT_MESSAGES
from tunnel.transport.base import Transport
from tunnel.transport.loopback import Loopback

AT_ONCE: Final = 100
"""So many are on their way from each side."""

PATIENCE_SECONDS: Final = 30.0
"""What takes longer is not waited for."""

NOTICES: Final = 2
"""With so many messages of its own a tunnel begins."""


async def run(
    messages: int,
    folder: Path,
    transport: Callable[[], Transport] = Loopback,
    patience: float = PATIENCE_SECONDS,
) -> Found:
    """Say so many from each side, in as many tunnels as they need.

    Args:
        messages: how many each way.
        folder: not needed.
        transport: makes the host's transport.
        patience: how long a side is waited for.
    """
    began, tunnels, faults, most = time.monotonic(), 0, list[str](), 0
    room = (TRANSCRIPT_MESSAGES - NOTICES) // 2
    for left in range(messages, 0, -room):
        tunnel = _Tunnel(transport(), patience)
        faults += await tunnel.carry(min(left, room))
        tunnels, most = tunnels + 1, max(most, psutil.Process().memory_info().rss)
        if faults:
            break
    seconds = time.monotonic() - began
    return Found(
        figures={
            "messages each way": messages,
            "tunnels": tunnels,
            "messages/s": round(2 * messages / seconds),
            "MiB at most": round(most / MIB),
        },
        faults=faults,
    )


RUN: Final = Run(
    name="messages",
    claim="Every message gets one number and is heard by both sides, once and in order (SEQ-1); a tunnel that holds as many as it "
    "may refuses the next one, to either side (SIZE-10).",
    unit="messages",
    size=100_000,
    small=500,
    run=run,
)


class _Tunnel:
    """One tunnel, filled from both sides at once."""

    def __init__(self, transport: Transport, patience: float) -> None:
        self._patience = patience
        self._transport = transport
        self._said: dict[int, str] = {}
        self._lost: list[str] = []

    async def carry(self, messages: int) -> list[str]:
        """Say so many from each side; what is wrong with the account."""
        clock = SystemClock()
        host = Hosting("endure", "Alice", self._transport, clock, os.urandom)
        guest = Joining(await host.open(), "Bob", clock, os.urandom)
        await guest.join()
        try:
            last = NOTICES + 2 * messages
            listening = [asyncio.create_task(_heard(end, last, self._patience)) for end in (host, guest)]
            await asyncio.gather(self._talk(host, "host", messages), self._talk(guest, "guest", messages))
            at_host, at_guest = await asyncio.gather(*listening)
            found = self._lost + strays_of(self._said, last)
            found += faults_of(self._said, at_host, last, "the host")
            found += faults_of(self._said, at_guest, last, "the guest")
            if last == TRANSCRIPT_MESSAGES:
                found += [*await _is_full(host, "the host"), *await _is_full(guest, "the guest")]
            return found
        finally:
            await asyncio.gather(guest.close(""), host.close(""))

    async def _talk(self, end: Hosting | Joining, name: str, messages: int) -> None:
        for first in range(0, messages, AT_ONCE):
            texts = [f"{name} {number}" for number in range(first, min(first + AT_ONCE, messages))]
            seqs = await asyncio.gather(*(end.say(text, self._patience) for text in texts), return_exceptions=True)
            unsaid: dict[str, list[str]] = {}
            for text, seq in zip(texts, seqs, strict=True):
                if not isinstance(seq, int):
                    unsaid.setdefault(str(seq), []).append(text)
                elif seq in self._said:
                    self._lost.append(f"number {seq} was given twice: to {self._said[seq]!r} and to {text!r}")
                else:
                    self._said[seq] = text
            self._lost += [f"{len(lost)} were not said, {lost[0]!r} first: {why}" for why, lost in unsaid.items()]
            if self._lost:
                return


async def _heard(end: Hosting | Joining, last: int, patience: float) -> list[tuple[int, str]]:
    """What a side hears, from the first message to the last; less when no more comes."""
    heard: list[tuple[int, str]] = []
    cursor = 0
    while cursor < last:
        portion = await end.listen(cursor, patience)
        if not portion.messages:
            break
        heard += [(message.seq, message.text) for message in portion.messages]
        cursor = portion.cursor
    return heard


async def _is_full(end: Hosting | Joining, who: str) -> list[str]:
    """Whether one more is refused."""
    try:
        seq = await end.say("one more")
    except TunnelError as error:
        return [] if str(error).startswith("transcript_full") else [f"{who} refuses one more in other words: {error}"]
    return [f"{who} has said one more than a tunnel holds, as number {seq}"]
