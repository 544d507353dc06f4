"""A home that is read-only, full, or gets full while people talk costs the log, which its person is told, and not one message.

In `make test` the same homes are `tests/system/test_surroundings.py`'s, in one conversation each.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.endurance.agents import a_pair
from tests.endurance.results import Found, Run, merged
from tests.system.test_surroundings import HOMES, a_home_on

GETS_FULL: Final = ("size=64k", "No space left on device")
WORDS: Final = "no log of this session is kept"
LONG_TEXT: Final = 4_000
"""So many characters have some messages: a log of them fills a small disk soon."""


async def run(exchanges: int, folder: Path) -> Found:
    """Talk with each kind of home.

    Args:
        exchanges: how often each side speaks.
        folder: where the homes are.
    """
    homes = HOMES | {"gets full": GETS_FULL}
    found = [await _talked(name, *home, exchanges, folder) for name, home in homes.items()]
    return merged(*found)


RUN: Final = Run(
    name="full-disk",
    claim="With a home that is read-only, full, or gets full meanwhile every message is heard, and the person is told that there is no log.",
    unit="exchanges",
    size=100,
    small=0,
    run=run,
    needs=("namespaces",),
)


async def _talked(name: str, options: str, why: str, exchanges: int, folder: Path) -> Found:
    home = {"HOME": str(folder), "TUNNEL_SESSION_LOG": "1"}
    async with a_pair(home, home, prefixes=(a_home_on(options), a_home_on(options))) as pair:
        for number in range(exchanges):
            await pair.tell(pair.guest, pair.host, f"{number} " + "x" * LONG_TEXT)
            await pair.exchange(1)
        faults = await pair.faults()
        logs = {agent.name: agent.server.log.decode() for agent in (pair.host, pair.guest)}
    faults += untold(logs, why)
    return Found(figures={f"messages, {name}": pair.messages}, faults=[f"{name}: {fault}" for fault in faults])


def untold(logs: Mapping[str, str], why: str) -> list[str]:
    """Who did not tell its person."""
    words = f"{WORDS} ({why})"
    return [f"{who} did not say: {words}" for who, log in logs.items() if words not in log]
