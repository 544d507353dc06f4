"""A conversation arrives whole wherever the network cuts it: at every byte, from the first request to the last goodbye."""

from pathlib import Path
from typing import Final

from tests.endurance.conversations import ANSWER, EARLY, GOODBYE, QUESTION, Conversation, Lay, each, spots
from tests.endurance.results import Found, Run, too_few
from tests.standins.cable import cable
from tunnel.spec.v1.refusals import Cause

AS_IT_GOES: Final = ["tunnel opened \u2014 goal: a goal", EARLY, "Bob joined", QUESTION, ANSWER, GOODBYE, "Bob left"]
"""What the host has in the end. Its guest has everything but its own goodbye, and what came behind that."""


async def run(places: int, folder: Path, lay: Lay = cable) -> Found:
    """Talk, with a cut at one byte after the other.

    Args:
        places: at how many at most, evenly spread.
        folder: not needed.
        lay: lays the cable.
    """
    carried, where = await spots(("cut",), places)
    faults, cuts = await each(where, wrong, lambda _: "cuts", lay)
    return Found(
        figures={"bytes to the host": carried["to host"], "bytes to the guest": carried["to guest"], **cuts},
        faults=faults + too_few("cuts", cuts["cuts"], len(where)),
    )


RUN: Final = Run(
    name="cut-frames",
    claim="A conversation that the network cuts in two, at any byte of either direction, is the same conversation.",
    unit="places",
    size=10_000,
    small=40,
    run=run,
)


async def wrong(talk: Conversation) -> list[str]:
    """What is not as it is without a cut."""
    host, guest = talk.numbered
    found: list[str] = []
    if [text for _, text in host] != AS_IT_GOES:
        found.append(f"the host has {host}")
    if guest != host[: len(guest)] or len(guest) < AS_IT_GOES.index(GOODBYE):
        found.append(f"the guest has {guest}")
    if talk.said != {4: QUESTION, 5: ANSWER} or talk.unsaid:
        found.append(f"what was said has the numbers {talk.said}, and this was not said: {talk.unsaid}")
    if talk.cause is not Cause.CLOSED_BY_GUEST:
        found.append(f"it is over because of {talk.cause}")
    return found
