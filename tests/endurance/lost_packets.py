"""Between two machines whose network loses one packet in ten, two agents talk, and every number is heard."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.endurance.agents import a_pair
from tests.endurance.results import Found, Run, too_few
from tests.standins.namespaces import network
from tests.standins.weather import Lost, loss, lost

PERCENT: Final = 10.0
"""So many packets are lost, on each way."""

PATIENCE_SECONDS: Final = 15.0
"""What is not heard so long after everything was said is lost."""

RELAY: Final = 8001

MOST_JOINS: Final = 5
"""So often the guest may try to join: a connection must come about within four seconds, and once in 150 times packets are lost so
that it does not."""

DICE_SHARE: Final = 8
"""Chance may lose fewer than are expected, but not so many times fewer."""

COUNTED_PACKETS: Final = 200
"""So many have come on one way before too few losses on it are no chance: then it is one in sixty million."""


async def run(exchanges: int, folder: Path, percent: float = PERCENT) -> Found:
    """Talk, so many times each way.

    Args:
        exchanges: how often each side speaks.
        folder: not needed.
        percent: how many packets are lost.
    """
    with network(("host", "guest")) as at:
        host, guest = at["host"], at["guest"]
        where = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": f"http://{host.addresses['guest']}:{RELAY}"}
        with loss(host, percent), loss(guest, percent):
            async with a_pair(where, prefixes=(host.prefix, guest.prefix), joins=MOST_JOINS) as pair:
                await pair.exchange(exchanges)
                faults = await pair.faults(PATIENCE_SECONDS)
            seen = [lost(host), lost(guest)]
    return Found(
        figures={
            "packets": sum(one.packets for one in seen),
            "packets lost": sum(one.dropped for one in seen),
            "tries to join": pair.joins,
            **pair.figures(),
        },
        faults=faults + spared(seen),
    )


RUN: Final = Run(
    name="lost-packets",
    claim=f"Over a network that loses {PERCENT:g} % of the packets on each way, every message is heard, once and in order.",
    unit="exchanges",
    size=500,
    small=40,
    run=run,
    needs=("namespaces", "nft"),
)


def spared(seen: Iterable[Lost]) -> list[str]:
    """Whether too few packets were lost: on either way, or, where there are too few to count on that, on both."""
    seen, least = list(seen), PERCENT / 100 / DICE_SHARE
    found = too_few("packets lost", sum(one.dropped for one in seen), 1)
    return found + [
        fault
        for one in seen
        if one.packets >= COUNTED_PACKETS
        for fault in too_few("packets lost on one way", one.dropped, int(one.packets * least))
    ]
