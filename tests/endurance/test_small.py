"""Every run, at a small size: nothing is lost, late or left behind. What has servers of its own runs side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from msgspec import structs

from tests.app.processes import Server
from tests.endurance import crowd, hostile_guest, stopped_process, stopped_reader
from tests.endurance.__main__ import bounded
from tests.endurance.agents import NO_BUDGET, Pair
from tests.endurance.results import Found, Run
from tests.endurance.runs import RUNS
from tests.needs import is_missing
from tests.system.talking import a_person
from tunnel.spec.v1.constants import CLOSE_SECONDS

ALONE = ("cycles", "messages", "cut-frames", "dropped-connections")
"""These look at this process."""

BUSY_SECONDS = 4.0
"""So late may be what is heard while other tests take the machine."""


async def stops(alice: Server, bob: Server, size: int) -> Found:
    link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
    await bob.call("tunnel_join", joinLink=link)
    return await stopped_process.between(Pair(alice, bob), size)


Shared = Callable[[Server, Server, int], Awaitable[Found]]

SHARING: dict[str, Shared] = {
    # This looks at the most memory that its servers ever had.
    "stopped-reader": stopped_reader.between,
    "hostile-guest": lambda alice, _bob, size: hostile_guest.against(
        alice, size, BUSY_SECONDS, cut_seconds=CLOSE_SECONDS + BUSY_SECONDS
    ),
    "crowd": lambda alice, bob, size: crowd.among(alice, bob, size, BUSY_SECONDS),
    "stopped-process": stops,
}
"""These have the same two servers, one after the other: to start some costs more than what they do."""

SMALL = [run for run in RUNS.values() if run.small]
TOGETHER = [run for run in SMALL if run.name not in ALONE]


def marked(runs: list[Run]) -> list[object]:
    return [pytest.param(run, marks=[pytest.mark.needs(need) for need in run.needs], id=run.name) for run in runs]


async def shared(runs: list[Run], folder: Path) -> dict[str, Found]:
    """What has been found by those who share their servers."""
    found: dict[str, Found] = {}
    async with a_person(**NO_BUDGET) as alice, a_person(**NO_BUDGET) as bob:
        for run in runs:

            async def go(size: int, _folder: Path, goes: Shared = SHARING[run.name]) -> Found:
                return await goes(alice, bob, size)

            found[run.name] = await bounded(structs.replace(run, run=go), run.small, folder)
    return found


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Found]:
    able = {run.name: run for run in TOGETHER if not any(map(is_missing, run.needs))}
    others = [run for name, run in able.items() if name not in SHARING]

    async def run_all() -> dict[str, Found]:
        running = [bounded(run, run.small, tmp_path_factory.mktemp(run.name)) for run in others]
        sharing = [able[name] for name in SHARING if name in able]
        sharers = asyncio.create_task(shared(sharing, tmp_path_factory.mktemp("shared")))
        rest = await asyncio.gather(*running)
        return {**await sharers, **{run.name: one for run, one in zip(others, rest, strict=True)}}

    return asyncio.run(run_all())


@pytest.mark.parametrize("run", marked([run for run in SMALL if run.name in ALONE]))
def test_nothing_is_lost(run: Run, tmp_path: Path) -> None:
    found = asyncio.run(bounded(run, run.small, tmp_path))

    assert found.faults == []
    assert found.figures


@pytest.mark.parametrize("run", marked(TOGETHER))
def test_nothing_is_lost_between_servers(happened: Mapping[str, Found], run: Run) -> None:
    assert happened[run.name].faults == []
    assert happened[run.name].figures


@pytest.mark.needs("namespaces")
@pytest.mark.needs("tun")
def test_the_network_has_really_been_slow(happened: Mapping[str, Found]) -> None:
    assert float(happened["late-packets"].figures["median ms"]) > 40


@pytest.mark.needs("namespaces")
@pytest.mark.needs("tun")
@pytest.mark.needs("nft")
def test_where_a_guest_may_try_again_it_is_told_how_often_it_did(happened: Mapping[str, Found]) -> None:
    assert float(happened["lost-packets"].figures["tries to join"]) >= 1
    assert float(happened["late-packets"].figures["tries to join"]) >= 1


def test_what_has_no_small_size_is_tested_elsewhere() -> None:
    assert {name for name, run in RUNS.items() if not run.small} == {"long-sleep", "full-disk", "own-clock"}
