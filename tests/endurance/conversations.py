"""One conversation on one cable: a guest joins, both speak, the guest leaves; and what each side had of it in the end."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from msgspec import Struct, field

from tests.io.dialling import Dialled, dialled, link_to
from tests.io.wire import Opened, opened
from tests.standins.cable import Cable, Deed, Spot, Way, cable
from tunnel.core.host import Host
from tunnel.core.transcript import Transcript
from tunnel.io.driver import Driver, NotSaidError
from tunnel.spec.v1.refusals import Cause

Lay: TypeAlias = Callable[[int, Spot | None], AbstractAsyncContextManager[tuple[int, Cable]]]
"""Lays a cable to a port, on which something happens at a spot; a test may lay another."""

LONGEST_SECONDS = 10.0
"""A conversation that takes longer hangs."""

AT_ONCE = 16
"""So many go on side by side: some wait for a second."""

EARLY, QUESTION, ANSWER, GOODBYE = "before you came", "Which port?", "8443", "thanks, bye"


class Conversation(Struct):
    """What came of it."""

    here: Opened
    bob: Dialled
    wire: Cable
    was_in: bool = False
    said: dict[int, str] = field(default_factory=dict[int, str])
    """What was confirmed to whoever said it, by number."""
    unsaid: list[str] = field(default_factory=list[str])
    """What was not, and what whoever said it was told."""

    async def go_on(self) -> None:
        """From the join to the end."""
        self.was_in = await self.bob.is_joined()
        if self.was_in:
            await self._say(self.bob.dialer.driver, QUESTION)
            await self._say(self.here.relay.driver, ANSWER)
            await self._until_heard(self.host.transcript.last)
            self.bob.close(GOODBYE)
        await self.bob.over()
        # Who is gone is gone within a second, whatever the other side does.
        while self.here.relay.listener._sockets:
            await asyncio.sleep(0.001)

    async def _until_heard(self, last: int) -> None:
        while self.bob.guest.transcript.last < last and self.cause is None:
            await self.bob.dialer.driver.changed()

    async def _say(self, driver: Driver, text: str) -> None:
        try:
            self.said[await driver.say(text)] = text
        except NotSaidError as error:
            self.unsaid.append(f"{text}: {error.failure.value}")

    @property
    def host(self) -> Host:
        """The host's core."""
        return self.here.host

    @property
    def cause(self) -> Cause | None:
        """Why it is over for the guest."""
        return self.bob.dialer.driver.cause

    @property
    def numbered(self) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
        """Numbers and words that the host has, and the guest."""
        return _read(self.host.transcript), _read(self.bob.guest.transcript)


@asynccontextmanager
async def conversation(spot: Spot | None = None, lay: Lay = cable) -> AsyncGenerator[Conversation]:
    """One that is over: of the guest nothing is left but what was said."""
    async with opened() as here:
        await here.relay.driver.say(EARLY)
        async with lay(here.port, spot) as (port, wire), dialled(link_to(port, key=here.link.key)) as bob:
            talk = Conversation(here, bob, wire)
            async with asyncio.timeout(LONGEST_SECONDS):
                await talk.go_on()
            yield talk


async def spots(deeds: tuple[Deed, ...], most: int) -> tuple[dict[Way, int], list[Spot]]:
    """How many bytes a whole conversation has each way; and every place in it at which each of these can happen.

    Args:
        deeds: what happens.
        most: of more places, so many are taken, evenly spread.
    """
    async with conversation() as whole:
        carried = whole.wire.carried
    every = list(_every(carried, deeds))
    step = max(1, -(-len(every) // most))
    return carried, every[::step]


async def each(
    where: Iterable[Spot],
    judge: Callable[[Conversation], Awaitable[list[str]]],
    kind: Callable[[Conversation], str],
    lay: Lay = cable,
) -> tuple[list[str], Counter[str]]:
    """Talk once for each spot; what was wrong, and how many there were of each kind, of those in which it has happened."""
    at_once, faults, kinds = asyncio.Semaphore(AT_ONCE), list[str](), Counter[str]()

    async def one(spot: Spot) -> None:
        async with at_once:
            try:
                async with conversation(spot, lay) as talk:
                    faults.extend(f"{_told(spot)}: {fault}" for fault in await judge(talk))
                    kinds[kind(talk)] += talk.wire.has_happened
            except TimeoutError:
                faults.append(f"{_told(spot)}: somebody waits for ever")

    await asyncio.gather(*map(one, where))
    return faults, kinds


def _told(spot: Spot) -> str:
    return f"{spot.deed} in front of byte {spot.byte} {spot.way}"


def _every(carried: dict[Way, int], deeds: tuple[Deed, ...]) -> Iterator[Spot]:
    for way, size in carried.items():
        for byte in range(size):
            for deed in deeds:
                yield Spot(way, byte, deed)


def _read(transcript: Transcript) -> list[tuple[int, str]]:
    return [(message.seq, transcript.text(message)) for message in transcript.after(0)]
