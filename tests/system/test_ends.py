"""However a session or its process ends, and at whatever stage: within two seconds nothing of it is left (CLOSE-2).

Every cell of the table is a server process of its own, with a stand-in for cloudflared and a session log. The cells run side
by side once, and each test looks at one. With `-s` the table is printed.
"""

import asyncio
import re
from collections.abc import Mapping

import pytest

from tests.system.cells import CELLS, GONE_SECONDS, IMPOSSIBLE, WAYS, Cell, Outcome, outcome, table

pytestmark = [pytest.mark.needs("proc"), pytest.mark.needs("faketime")]

AT_ONCE = 6
"""So many servers are started side by side: on a busy machine more would be slower than what is measured."""

WHY = {
    "close": "closed_by_host",
    "EOF": "process_exit",
    "SIGTERM": "process_exit",
    "SIGINT": "process_exit",
    "SIGKILL": "host_gone",
    "crash": "transport_lost",
    "idle": "idle",
}
"""How a guest is told of each end of its host."""


KINDS = {
    "child": re.compile(r"^process .* tunnel --url "),
    "guard": re.compile(r"^process .*/guard\.py "),
    "port": re.compile(r"^LISTEN 127\.0\.0\.1:"),
    "connection": re.compile(r"^ESTABLISHED "),
    "log": re.compile(r"^file .*\.jsonl$"),
}
"""What can be left."""

THERE = {
    "host opening": {"child", "guard", "port"},
    "host waiting": {"child", "guard", "port", "log"},
    "host joining": {"child", "guard", "port", "log", "connection"},
    "host talking": {"child", "guard", "port", "log", "connection"},
    "host closing": {"child", "guard"},
    "guest dialling": {"connection"},
    "guest joining": {"connection"},
    "guest talking": {"connection", "log"},
    "guest closing": {"connection"},
}
"""What there is at each stage, beside the server itself."""


def is_late(seen: Outcome | BaseException) -> bool:
    return isinstance(seen, Outcome) and seen.seconds >= GONE_SECONDS


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Cell, Outcome | BaseException]:
    folder = tmp_path_factory.mktemp("cells")
    # Those that wait for time to pass come first, while nobody else makes them late, and do not count.
    ups = {cell: asyncio.Event() for cell in CELLS if cell.way == "idle"}
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, cell: Cell) -> Outcome:
        if up := ups.get(cell):
            try:
                return await outcome(cell, folder / str(number), up)
            finally:
                up.set()
        for up in ups.values():
            await up.wait()
        async with at_once:
            return await outcome(cell, folder / str(number))

    async def run() -> dict[Cell, Outcome | BaseException]:
        cells = (one(number, cell) for number, cell in enumerate(CELLS))
        seen = dict(zip(CELLS, await asyncio.gather(*cells, return_exceptions=True), strict=True))
        # Its neighbours may be why a cell was late: alone it has no such excuse.
        for number, cell in enumerate(cell for cell, found in seen.items() if is_late(found)):
            seen[cell] = await outcome(cell, folder / f"again-{number}")
        return seen

    seen = asyncio.run(run())
    print(f"\n{table(seen)}")
    return seen


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.stage}, {cell.way}")
def test_within_two_seconds_of_the_end_nothing_is_left(
    outcomes: Mapping[Cell, Outcome | BaseException], cell: Cell
) -> None:
    """CLOSE-2."""
    seen = outcomes[cell]
    if isinstance(seen, BaseException):
        raise seen

    # Each of these was there just before, so that it could have been left.
    assert {kind for kind, pattern in KINDS.items() if any(map(pattern.search, seen.during))} == THERE[cell.stage]
    assert seen.left == []
    assert seen.seconds < GONE_SECONDS
    assert seen.after_next == []


@pytest.mark.parametrize("way", WAYS)
def test_a_guest_is_told_of_every_end_of_its_host(outcomes: Mapping[Cell, Outcome | BaseException], way: str) -> None:
    """CLOSE-5."""
    seen = outcomes[Cell("host talking", way)]

    assert isinstance(seen, Outcome)
    assert seen.told == WHY[way]


@pytest.mark.parametrize("way", [way for way in WAYS if ("guest talking", way) not in IMPOSSIBLE and way != "idle"])
def test_a_host_is_told_of_every_end_of_its_guest(outcomes: Mapping[Cell, Outcome | BaseException], way: str) -> None:
    seen = outcomes[Cell("guest talking", way)]

    assert isinstance(seen, Outcome)
    assert seen.told == "peer_left"
