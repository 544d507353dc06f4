"""Between two machines whose network delays every packet, lets some overtake others and loses a few, every number is heard."""

from pathlib import Path
from random import Random
from typing import Final

from tests.endurance.agents import a_pair
from tests.endurance.results import Found, Run, too_few
from tests.standins.namespaces import network
from tests.standins.weather import HERE, Weather, forwarded

SEED: Final = "a wet evening"
DELAY_SECONDS, JITTER_SECONDS = 0.04, 0.02
HELD_SHARE, LOST_SHARE = 0.1, 0.01
RELAY: Final = 8001

MOST_JOINS: Final = 2
"""So often the guest may try to join: a connection must come about within four seconds, and once in 100,000 times it does not."""

DICE_SHARE: Final = 4
"""Chance may hold or lose fewer than are expected, but not so many times fewer."""

AT_ONCE: Final = 4
"""So many messages are on their way together: a packet alone overtakes nobody."""


async def run(exchanges: int, folder: Path) -> Found:
    """Talk, so many times each way, with a few messages at once on the way.

    Args:
        exchanges: how often each side speaks.
        folder: not needed.
    """
    weather = Weather(
        dice=Random(SEED),
        delay_seconds=DELAY_SECONDS,
        jitter_seconds=JITTER_SECONDS,
        held_share=HELD_SHARE,
        lost_share=LOST_SHARE,
    )
    with network(("here", "there")) as at, forwarded(at["here"], at["there"], weather):
        where = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": f"http://{HERE}:{RELAY}"}
        async with a_pair(where, prefixes=(at["here"].prefix, at["there"].prefix), joins=MOST_JOINS) as pair:
            await pair.exchange(exchanges, AT_ONCE)
            faults = await pair.faults()
    return Found(
        figures={
            "packets": weather.packets,
            "packets overtaken": weather.overtaken,
            "packets lost": weather.lost,
            "tries to join": pair.joins,
            **pair.figures(),
        },
        faults=faults + spared(weather),
    )


RUN: Final = Run(
    name="late-packets",
    claim=f"Over a network that delays every packet by {DELAY_SECONDS * 1000:g} to {(DELAY_SECONDS + JITTER_SECONDS) * 1000:g} ms, "
    f"holds {HELD_SHARE:.0%} of them so that others overtake them, and loses {LOST_SHARE:.0%}, every message is heard, once and in "
    "order.",
    unit="exchanges",
    size=200,
    small=5,
    run=run,
    needs=("namespaces", "tun"),
)


def spared(weather: Weather) -> list[str]:
    """Whether too few packets were overtaken, or lost. A small edition has too few packets to count on a loss."""
    overtaken = max(1, int(weather.packets * HELD_SHARE / DICE_SHARE))
    return too_few("packets overtaken", weather.overtaken, overtaken) + too_few(
        "packets lost", weather.lost, int(weather.packets * LOST_SHARE / DICE_SHARE)
    )
