"""Every measurement runs, in a size in which it measures nothing, and gives what its table announces."""

import time
from pathlib import Path

import pytest
from tunnel_conformance.cli import commands

from tests.bench import __main__ as bench
from tests.bench import functions_timed, kit, others, profiled, record
from tests.bench.record import Run, figures, read
from tests.bench.samples import QUICK, Samples
from tests.bench.tables import Section, measures
from tests.bench.test_record import a_run

WANTED = measures()
NEEDED = [section for section in WANTED.section if not section.optional and section.name != "kit"]


def units(section: Section) -> dict[str, str]:
    return {each: WANTED.unit_of(each) for each in [*section.measured(), *(one.id for one in section.following())]}


def at_once(section: Section, *_: object) -> Run:
    """A run in which nothing is measured."""
    return a_run(section)


def announced(section: Section) -> set[str]:
    """What a quick run can give: of lengths and sockets it has the first ones only, and of functions one."""
    if section.name == "functions":
        return {QUICK.one_function}
    few = {*map(str, (*QUICK.lengths, *QUICK.sockets))}
    pointed = [measure for measure in section.measure if measure.points]
    beyond = {
        each
        for measure in pointed
        for each in measure.ids()
        if each.removesuffix(".bare").rpartition(".")[2] not in few
    }
    return {*section.measured()} - beyond


@pytest.mark.parametrize("section", NEEDED, ids=lambda section: section.name)
def test_a_measurement_gives_what_its_table_announces(section: Section) -> None:
    found = bench.run(section, QUICK, WANTED, "2026-01-01").figures

    assert announced(section) <= set(found)
    assert set(found) <= {*section.measured(), *(one.id for one in section.following())}
    # So few messages may fit into memory that the process had already.
    assert {name for name in announced(section) if found[name].median <= 0} <= {"memory.message"}


def test_every_function_that_is_announced_can_be_called() -> None:
    functions = functions_timed.functions()
    (section,) = (each for each in WANTED.section if each.name == "functions")

    assert set(functions) == set(section.measured())
    assert all(function() for function in functions.values())


def test_the_kit_knows_what_it_is_asked_for() -> None:
    """A run takes minutes; that its command is understood is seen at once."""
    asked = kit.command(*kit.WITHOUT_TIME)
    context = commands.commands[asked[3]].make_context("host", asked[4:])

    assert context.params["time"] == "none"
    assert asked[-2:] == ["-m", "tunnel"]


@pytest.mark.parametrize("section", WANTED.section, ids=lambda section: section.name)
def test_what_follows_from_two_measures_follows_round_by_round(section: Section) -> None:
    """Twice as much as the other in each round is a ratio of two, however far the rounds lie apart."""
    samples = Samples()
    for name in section.measured():
        samples.values[name] = [1.0, 100.0] if name.endswith(".bare") else [2.0, 200.0]
    found = figures(section, samples, units(section))

    assert {name: each.median for name, each in found.items() if name.endswith(".ratio")} == {
        f"{name.removesuffix('.bare')}.ratio": 2.0 for name in section.measured() if name.endswith(".bare")
    }


def test_nothing_is_announced_twice() -> None:
    names = [name for section in WANTED.section for name in units(section)]

    assert len(names) == len(set(names))
    assert {target.measure for target in WANTED.target} <= set(names)
    assert all((target.least is None) != (target.most is None) for target in WANTED.target)


def test_nothing_is_kept_of_a_busy_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["start", "--write", "--date", "2026-01-01"], tmp_path, lambda: 1.5, list) == 1
    assert "others keep 1.5 cores busy" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("allowed", [[], ["--busy"]], ids=["quiet", "busy and allowed"])
def test_nothing_is_kept_of_what_is_not_committed(
    allowed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = ["tunnel/core/host.py", "README.md", "Makefile", "pyproject.toml"]

    assert bench.main(["start", "--write", "--date", "2026-01-01", *allowed], tmp_path, float, lambda: changed) == 1
    assert "tunnel/core/host.py, README.md, Makefile and 1 more. Nobody could" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs("git")
@pytest.mark.parametrize("dated", [[], ["--date", "2026-01-01"]], ids=["of no date", "dated"])
def test_nothing_is_kept_of_what_is_no_commit(
    dated: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["start", "--write", *dated]

    assert bench.main(arguments, tmp_path, float, lambda: record.changed(tmp_path), at_once) == 1
    assert "git names no commit: fatal: not a git repository" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_changed_while_it_is_measured_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks = iter([[], ["Makefile"]])

    assert bench.main(["start", "--write", "--date", "2026-01-01"], tmp_path, float, lambda: next(looks), at_once) == 1
    assert "not kept: start. not as they were committed: Makefile" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_committed_and_measured_on_a_quiet_machine_is_kept(tmp_path: Path) -> None:
    assert bench.main(["start", "--write", "--date", "2026-01-01"], tmp_path, float, list, at_once) == 0
    assert list(read(tmp_path / "docs" / "bench" / "recorded.json").sections) == ["start"]


def test_a_profile_names_the_functions_that_take_most(capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["relay", "--profile", "--quick"]) == 0

    shown = capfd.readouterr().err
    assert "Ordered by: internal time" in shown
    assert f"due to restriction <{profiled.SHOWN}>" in shown
    assert "/tunnel/core/" in shown


@pytest.mark.parametrize(
    "arguments", [["relay", "--profile", "--write"], ["--profile"], ["start", "--profile"]], ids=" ".join
)
def test_a_profile_is_of_the_relay_and_is_not_kept(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(arguments) == 2
    assert "Try: python -m tests.bench relay --profile" in capsys.readouterr().err


def test_others_are_all_but_this_process_and_its_children() -> None:
    began = others.Moment(ticks=100.0, all=1_000.0, own=50.0)

    assert others.cores(began, others.Moment(ticks=110.0, all=1_018.0, own=53.0)) == 1.5
    assert others.cores(began, others.Moment(ticks=110.0, all=1_003.0, own=53.1)) == 0.0


def test_what_this_process_works_is_its_own() -> None:
    began, until = others.moment(), time.process_time() + 0.1
    while time.process_time() < until:
        pass
    ended = others.moment()

    assert ended.own - began.own >= 0.05
    assert ended.all - began.all >= 0.05


def test_a_quick_run_is_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["relay", "--quick", "--write"]) == 2
    assert "nothing worth keeping" in capsys.readouterr().err
