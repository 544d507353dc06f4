"""Every run, at a small size: nothing is lost, late or left behind. What has servers of its own runs side by side."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.endurance import crowd
from tests.endurance.__main__ import bounded
from tests.endurance.results import Found, Run
from tests.endurance.runs import RUNS
from tests.needs import is_missing

ALONE = ("cycles", "messages", "cut-frames", "dropped-connections")
"""These look at this process."""

BUSY_SECONDS = 2.0
"""So late may be what is heard while other tests take the machine."""

SMALL = [run for run in RUNS.values() if run.small]
TOGETHER = [run for run in SMALL if run.name not in (*ALONE, "crowd")]


def marked(runs: list[Run]) -> list[object]:
    return [pytest.param(run, marks=[pytest.mark.needs(need) for need in run.needs], id=run.name) for run in runs]


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Found | BaseException]:
    able = [run for run in TOGETHER if not any(map(is_missing, run.needs))]

    async def run_all() -> list[Found | BaseException]:
        folders = [tmp_path_factory.mktemp(run.name) for run in able]
        running = [bounded(run, run.small, folder) for run, folder in zip(able, folders, strict=True)]
        return await asyncio.gather(*running, return_exceptions=True)

    return dict(zip((run.name for run in able), asyncio.run(run_all()), strict=True))


@pytest.mark.parametrize("run", marked([run for run in SMALL if run.name in ALONE]))
def test_nothing_is_lost(run: Run, tmp_path: Path) -> None:
    found = asyncio.run(bounded(run, run.small, tmp_path))

    assert found.faults == []
    assert found.figures


def test_nothing_is_lost_in_a_crowd(tmp_path: Path) -> None:
    found = asyncio.run(crowd.run(crowd.RUN.small, tmp_path, BUSY_SECONDS))

    assert found.faults == []
    assert int(found.figures["connections"]) >= crowd.RUN.small


@pytest.mark.parametrize("run", marked(TOGETHER))
def test_nothing_is_lost_between_servers(happened: Mapping[str, Found | BaseException], run: Run) -> None:
    found = happened[run.name]
    if isinstance(found, BaseException):
        raise found

    assert found.faults == []
    assert found.figures


@pytest.mark.needs("namespaces")
@pytest.mark.needs("nft")
def test_the_network_has_really_lost_packets(happened: Mapping[str, Found | BaseException]) -> None:
    found = happened["lost-packets"]

    assert isinstance(found, Found)
    assert 0 < int(found.figures["packets lost"]) < int(found.figures["packets"])


@pytest.mark.needs("namespaces")
@pytest.mark.needs("tun")
def test_the_network_has_really_let_packets_overtake_others(happened: Mapping[str, Found | BaseException]) -> None:
    found = happened["late-packets"]

    assert isinstance(found, Found)
    assert int(found.figures["packets overtaken"]) > 0
    assert float(found.figures["median ms"]) > 40


def test_what_has_no_small_size_is_tested_elsewhere() -> None:
    assert {name for name, run in RUNS.items() if not run.small} == {"long-sleep", "full-disk", "own-clock"}
