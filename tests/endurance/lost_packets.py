"""Between two machines whose network loses one packet in ten, two agents talk, and every number is heard."""

from pathlib import Path
from typing import Final

from tests.endurance.agents import a_pair
from tests.endurance.results import Found, Run
from tests.standins.namespaces import network
from tests.standins.weather import loss, lost

PERCENT: Final = 10.0
"""So many packets are lost, on each way."""

PATIENCE_SECONDS: Final = 15.0
"""What is not heard so long after everything was said is lost."""

RELAY: Final = 8001


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
            async with a_pair(where, prefixes=(host.prefix, guest.prefix)) as pair:
                await pair.exchange(exchanges)
                faults = await pair.faults(PATIENCE_SECONDS)
            seen = [lost(host), lost(guest)]
    return Found(
        figures={
            "packets": sum(one.packets for one in seen),
            "packets lost": sum(one.dropped for one in seen),
            **pair.figures(),
        },
        faults=faults,
    )


RUN: Final = Run(
    name="lost-packets",
    claim=f"Over a network that loses {PERCENT:g} % of the packets on each way, every message is heard, once and in order.",
    unit="exchanges",
    size=500,
    small=20,
    run=run,
    needs=("namespaces", "nft"),
)
