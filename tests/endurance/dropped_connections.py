"""A connection that breaks, at any byte of the handshake or of a message, loses nothing in silence, and nothing twice.

What was confirmed is numbered, what was not is told to whoever said it, and both sides know that it is over. Whoever was not let
in has changed nothing (LOCK-2, LINK-3); whoever was has left for good (LOCK-1, LINK-1).
"""

import asyncio
from pathlib import Path
from typing import Final

from tests.endurance import holding
from tests.endurance.conversations import AT_ONCE, EARLY, LONGEST_SECONDS, Conversation, Lay, each, spots
from tests.endurance.results import Found, Run, too_few
from tests.io.dialling import dialled
from tests.standins.cable import Deed, cable
from tunnel.io.driver import NotSaidError
from tunnel.spec.v1 import session
from tunnel.spec.v1.refusals import REFUSALS, Failure, Refusal

DEEDS: Final[tuple[Deed, ...]] = ("reset", "close")

WARM_UP: Final = 2 * AT_ONCE
"""So many conversations come before the counting: many side by side take their room at first, and no more later."""


async def run(places: int, folder: Path, lay: Lay = cable) -> Found:
    """Talk, with a break at one byte after the other, by a reset and by a close.

    Args:
        places: at how many at most, evenly spread.
        folder: not needed.
        lay: lays the cable.
    """
    _, where = await spots(DEEDS, places)
    await each(where[:WARM_UP], wrong, _how_far, lay)
    before = await holding.own()
    faults, breaks = await each(where, wrong, _how_far, lay)
    after = await holding.own()
    figures = {"breaks": breaks.total(), **breaks, "MiB more": holding.growth_mib(before, after)}
    faults += too_few("breaks", breaks.total(), len(where)) + holding.leaks(before, after, "the process")
    return Found(figures=figures, faults=faults)


RUN: Final = Run(
    name="dropped-connections",
    claim="Wherever a connection breaks, the host has all that it confirmed, the guest a beginning of that without a gap (SEQ-1), a "
    "say that nobody confirmed is told so, both sides know that it is over, the link lets nobody in twice, and whoever was not in "
    "yet still can be (LOCK-1, LOCK-2, LINK-3).",
    unit="places",
    size=10_000,
    small=40,
    run=run,
    needs=("proc",),
)


async def wrong(talk: Conversation) -> list[str]:
    """What a break must not do, and did."""
    host, guest = talk.numbered
    found: list[str] = []
    if [seq for seq, _ in host] != list(range(1, len(host) + 1)):
        found.append(f"the host's numbers have gaps: {host}")
    if guest != host[: len(guest)]:
        found.append(f"the guest has {guest}, and the host {host}")
    if lost := {seq: text for seq, text in talk.said.items() if (seq, text) not in host}:
        found.append(f"these were confirmed, and the host does not have them: {lost}")
    if len({text for _, text in host}) != len(host):
        found.append(f"something is there twice: {host}")
    if talk.cause is None:
        found.append("the guest does not know that it is over")
    return found + await _afterwards(talk)


async def _afterwards(talk: Conversation) -> list[str]:
    """What the link and the host are good for from then on."""
    match talk.host.state:
        case session.State.WAITING:
            return await _another_gets_in(talk)
        case session.State.VACATED:
            return await _nobody_gets_in(talk) + await _nothing_is_said(talk)
        case state:
            return [f"the host is {state.value}"]


async def _another_gets_in(talk: Conversation) -> list[str]:
    async with dialled(talk.here.link) as carol, asyncio.timeout(LONGEST_SECONDS):
        if not await carol.is_joined():
            return [f"nobody had got in, and now nobody can: {carol.dialer.trouble or carol.guest.refused_because}"]
        texts = carol.texts()
    return [] if EARLY in texts else [f"whoever got in afterwards has only {texts}"]


async def _nobody_gets_in(talk: Conversation) -> list[str]:
    used = REFUSALS[Refusal.JOIN_LINK_ALREADY_USED].text
    async with dialled(talk.here.link) as carol, asyncio.timeout(LONGEST_SECONDS):
        if await carol.is_joined():
            return ["the link let somebody in a second time"]
        return [] if carol.guest.refused_because == used else [f"refused as {carol.guest.refused_because!r}"]


async def _nothing_is_said(talk: Conversation) -> list[str]:
    try:
        seq = await talk.here.relay.driver.say("is anybody there?")
    except NotSaidError as error:
        return [] if error.failure is Failure.PEER_LEFT else [f"the host is told {error.failure.value}"]
    return [f"the host said something to nobody, as number {seq}"]


def _how_far(talk: Conversation) -> str:
    if not talk.was_in:
        return "before the guest was in"
    return "with words that nobody confirmed" if talk.unsaid else "with all words confirmed"
