"""The command says what there is, runs it within bounds, and ends with what was found."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec import structs

from tests.endurance.__main__ import bounded, listed, main, once, table
from tests.endurance.results import Found, Run, merged
from tests.endurance.runs import RUNS
from tests.needs import INSTALL


async def three(size: int, _folder: Path) -> Found:
    return Found(figures={"things": size, "ms": 1.25}, faults=["one was lost"] if size > 3 else [])


THREE = Run(name="three", claim="All is well.", unit="things", size=3, small=1, run=three)


def test_every_run_is_listed_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    told = capsys.readouterr().out

    assert told.strip() == listed().strip()
    assert [run.name for run in RUNS.values() if run.command() not in told] == []


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_run_names_what_it_needs_and_what_it_claims(run: Run) -> None:
    assert set(run.needs) <= set(INSTALL)
    assert run.claim.endswith(".")
    assert run.command(7) == f"python -m tests.endurance {run.name} --{run.unit} 7"


def test_one_run_is_run_at_the_size_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cut-frames", "--places", "2"]) == 0
    assert "cuts 2" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_size_that_is_none_is_an_error(size: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["cut-frames", f"--places={size}"])


def test_a_run_that_loses_something_is_told_with_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    done = once(THREE, 4)

    assert (done.command, done.faults) == ("python -m tests.endurance three --things 4", ["one was lost"])
    assert "  one was lost" in capsys.readouterr().err
    assert "1 faults" in table([done])
    assert "nothing lost" in table([once(THREE, 3)])


async def hang(_size: int, _folder: Path) -> Found:
    await asyncio.Event().wait()
    raise AssertionError


async def break_off(_size: int, _folder: Path) -> Found:
    raise AssertionError("the output ended")


async def reset(_size: int, _folder: Path) -> Found:
    raise ConnectionResetError("by the peer")


async def wait_in_vain(_size: int, _folder: Path) -> Found:
    async with asyncio.timeout(0):
        await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("goes", "seconds", "fault"),
    [
        (hang, 0.01, "it was not over after 0.01 s"),
        (break_off, 1, "it broke off with AssertionError: the output ended"),
        (reset, 1, "it broke off with ConnectionResetError: by the peer"),
        (wait_in_vain, 1, "it broke off with TimeoutError: "),
    ],
)
def test_a_run_that_does_not_end_or_breaks_off_has_a_fault(
    tmp_path: Path, goes: Callable[[int, Path], Awaitable[Found]], seconds: float, fault: str
) -> None:
    found = asyncio.run(bounded(structs.replace(THREE, run=goes), 1, tmp_path, seconds))

    assert found.faults == [fault]


def test_parts_of_a_run_are_one() -> None:
    one, other = Found(figures={"a": 1}, faults=["x"]), Found(figures={"b": 2}, faults=["y"])

    assert merged(one, other) == Found(figures={"a": 1, "b": 2}, faults=["x", "y"])
