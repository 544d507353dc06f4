"""What the documentation shows of endurance is what was recorded, of every run, at its full size, and nothing was lost."""

from pathlib import Path

import pytest
from msgspec import structs

from tests.endurance.records import (
    PAGE,
    ElsewhereError,
    Record,
    Recorded,
    machine,
    merged,
    read,
    versions,
    write,
    written,
)
from tests.endurance.runs import RUNS

RUN = Recorded(name="cycles", command="a command", seconds=1.0, figures={"cycles": 9}, faults=[])


def test_the_page_is_what_was_recorded() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(read())


def test_every_run_is_recorded_at_its_full_size_and_nothing_was_lost() -> None:
    record = read()

    assert [run.command for run in record.runs] == [run.command() for run in RUNS.values()]
    assert [run.name for run in record.runs if run.faults] == []


def test_a_figure_that_is_changed_in_the_record_changes_the_page() -> None:
    record = read()
    first, *others = record.runs
    other = structs.replace(first, figures={**first.figures, "cycles": 17})

    assert written(structs.replace(record, runs=[other, *others])) != written(record)


def test_what_is_run_again_takes_the_place_of_what_was_recorded() -> None:
    before = Record(date="a day", machine={}, versions={}, runs=[RUN, structs.replace(RUN, name="crowd")])
    now = structs.replace(before, date="another day", runs=[structs.replace(RUN, seconds=2.0)])
    both = merged(before, now)

    assert [(run.name, run.seconds) for run in both.runs] == [("cycles", 2.0), ("crowd", 1.0)]
    assert both.date == "another day"


def test_one_run_is_not_recorded_beside_those_of_another_machine(tmp_path: Path) -> None:
    record, page = tmp_path / "record.json", tmp_path / "page.md"
    write((structs.replace(RUN, name=name) for name in RUNS), "a day", record, page)
    write([structs.replace(RUN, seconds=3.0)], "another day", record, page)
    again = read(record)
    record.write_text(record.read_text().replace(machine()["memory"], "1 GiB"))

    assert [run.seconds for run in again.runs][:2] == [3.0, 1.0]
    assert (again.machine, again.versions) == (machine(), versions())
    assert "| `a command` | 3.0 | cycles 9 | nothing lost |" in page.read_text()
    with pytest.raises(ElsewhereError, match="record all runs anew"):
        write([RUN], "a third day", record, page)


def test_of_all_runs_each_is_recorded_as_soon_as_it_is_over(tmp_path: Path) -> None:
    """What was recorded elsewhere makes way for the first; the later ones come beside it."""
    record, page = tmp_path / "record.json", tmp_path / "page.md"
    write((structs.replace(RUN, name=name) for name in RUNS), "a day", record, page)
    record.write_text(record.read_text().replace(machine()["memory"], "1 GiB"))
    write([RUN], "another day", record, page, is_one_of_all=True)
    write([structs.replace(RUN, name="crowd")], "another day", record, page, is_one_of_all=True)

    assert [run.name for run in read(record).runs] == ["cycles", "crowd"]
