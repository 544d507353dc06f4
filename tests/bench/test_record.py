"""The page is what the record gives, every picture shows its figures, and what was wanted was measured and is met."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from tests.bench import page, pictures, record
from tests.bench.record import BUSY, Figure, Machine, Program, Record, Run
from tests.bench.tables import Section, Target, Tried, measures, tried

KEPT = record.read()
WANTED = measures()
RELAY = next(section for section in WANTED.section if section.name == "relay")
HERE = Machine(cpu="a CPU", cores=2, kernel="Linux", python="3.11", packages={})
OURS = Program(version="0.1.0", commit="0123abc")


SOMEBODY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")

NOTHING = Run(date="", machine=HERE, program=OURS, load=0.0, figures={})


def a_run(section: Section, **medians: float) -> Run:
    """A run in which everything took 1, but what is named."""
    names = [*section.measured(), *(each.id for each in section.following())]
    figures = {
        name: Figure(median=1.0, low=0.9, high=1.1, rounds=9, unit=WANTED.unit_of(name), command=section.command)
        for name in names
    }
    figures |= {
        name: structs.replace(figures[name], median=value, low=value, high=value)
        for name, value in ((name.replace("_", "."), value) for name, value in medians.items())
    }
    return Run(date="2026-01-01", machine=HERE, program=OURS, load=0.0, figures=figures)


def of(load: float = 0.0, **medians: float) -> Record:
    return Record(sections={"relay": structs.replace(a_run(RELAY, **medians), load=load)})


def test_the_page_is_what_the_record_gives() -> None:
    """`python -m tests.bench --page` writes it anew, without measuring."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page(KEPT, WANTED, tried())


@pytest.mark.parametrize("section", WANTED.section, ids=lambda section: section.name)
def test_a_picture_shows_the_figures_of_the_record(section: Section) -> None:
    picture = record.ROOT / "docs" / pictures.PICTURES / f"{section.name}.svg"
    run = KEPT.sections.get(section.name)

    assert picture.is_file() is (run is not None and pictures.is_drawn(section))
    assert run is None or not picture.is_file() or pictures.digest_in(picture) == pictures.digest(section, run)


def test_everything_in_the_record_is_announced_with_its_unit_and_its_command() -> None:
    for section in WANTED.section:
        run = KEPT.sections.get(section.name, NOTHING)
        names = {*section.measured(), *(each.id for each in section.following())}

        assert set(run.figures) <= names
        assert all(figure.unit == WANTED.unit_of(name) for name, figure in run.figures.items())
        assert {figure.command for figure in run.figures.values()} <= {section.command}
    assert set(KEPT.sections) <= {section.name for section in WANTED.section}


@pytest.mark.parametrize(
    "section", [each for each in WANTED.section if not each.optional], ids=lambda section: section.name
)
def test_every_section_was_measured_whole(section: Section) -> None:
    """`python -m tests.bench SECTION --write` measures it, on a machine that is left alone."""
    names = {*section.measured(), *(each.id for each in section.following())}

    assert names - set(KEPT.sections.get(section.name, NOTHING).figures) == set()


def test_what_was_measured_was_committed() -> None:
    """Or nobody could measure the same again: `python -m tests.bench SECTION --write` does, when everything is committed."""
    commits = {name: run.program.commit for name, run in KEPT.sections.items()}

    assert [name for name, commit in commits.items() if not commit or commit.endswith(record.DIRTY)] == []


def test_of_a_kernel_the_name_of_its_build_is_neither_kept_nor_shown() -> None:
    """What was recorded with it can still be read."""
    old = structs.replace(HERE, kernel="Linux 6.18.44-fc-v509")
    shown = page.page(Record(sections={"relay": structs.replace(a_run(RELAY), machine=old)}), WANTED, ())

    assert "2 cores, Linux 6.18.44, Python 3.11" in shown
    assert [record.without_build(kernel) for kernel in ("Linux 6.1.0-13-amd64", "Darwin 23.1.0", "Linux")] == [
        "Linux 6.1.0",
        "Darwin 23.1.0",
        "Linux",
    ]
    assert {run.machine.kernel for run in KEPT.sections.values()} == {
        run.machine.system for run in KEPT.sections.values()
    }
    assert record.machine().kernel == record.machine().system


def test_every_target_is_met_or_missed_for_a_reason_that_was_accepted() -> None:
    """What was measured on a busy machine meets nothing."""
    assert page.faults(KEPT, WANTED) == []


@pytest.mark.parametrize(
    ("kept", "accepted", "verdict", "is_fault"),
    [
        (of(relay_cpu=22.0), "", "met", False),
        (of(relay_cpu=22.0), "It is hard", "met", False),
        (of(relay_cpu=22.1), "", "**missed**", True),
        (of(relay_cpu=22.1), "It is hard", "**missed**: It is hard", False),
        (of(relay_cpu=22.0, load=BUSY + 0.01), "", "busy machine: not judged", True),
        (of(relay_cpu=22.0, load=BUSY + 0.01), "It is hard", "busy machine: not judged", True),
        (Record(), "It is hard", "not measured", True),
    ],
    ids=["met", "met after all", "missed", "accepted", "busy", "busy and accepted", "never measured"],
)
def test_a_target_is_judged_by_a_quiet_run(kept: Record, accepted: str, verdict: str, is_fault: bool) -> None:
    target = Target(measure="relay.cpu", text="It takes little", most=22.0, accepted=accepted)

    assert page.verdict(kept, target) == verdict
    assert bool(page.faults(kept, structs.replace(WANTED, target=(target,)))) is is_fault


def test_the_page_says_what_was_measured_and_beside_whom() -> None:
    assert "tunnel 0.1.0, 0123abc; a CPU" in page.page(of(), WANTED, ())
    assert "others kept 0.0 cores busy.\n" in page.page(of(), WANTED, ())
    assert "others kept 1.5 cores busy: busy machine, not judged." in page.page(of(load=1.5), WANTED, ())


def test_what_holds_nothing_of_ours_stands_beside_it() -> None:
    talk = next(each for each in WANTED.section if each.name == "talk")

    assert "| two bare calls, one at each of two servers, median |  | 1 ms (0.9 to 1.1) |  |" in page.page(
        Record(sections={"talk": a_run(talk)}), WANTED, ()
    )


def test_a_missed_target_is_shown_as_missed() -> None:
    met, missed = of(relay_cpu=22.0), of(relay_cpu=22.1)

    row = "| It takes at most 22 us of CPU a message | ≤ 22 µs | 22 µs (22 to 22) | met |"
    assert row in page.page(met, WANTED, ())
    assert row.replace("| met |", "| **missed** |").replace("22 µs (22 to 22)", "22.1 µs (22.1 to 22.1)") in page.page(
        missed, WANTED, ()
    )


def test_what_was_not_measured_is_shown_as_such() -> None:
    assert "not measured" in page.page(Record(), WANTED, ())


def test_what_was_tried_is_shown_whatever_came_of_it() -> None:
    attempt = Tried(what="Look less", measure="relay.cpu", before=22.0, after=30.0, kept=False, why="It was slower.")
    row = (
        "| Look less | `relay.cpu` | 22 µs | 30 µs | rejected | It was slower. | none | `python -m tests.bench relay` |"
    )

    assert row in page.page(Record(), WANTED, (attempt,))


def test_what_was_tried_is_measured_by_what_there_is_and_what_was_kept_has_a_commit() -> None:
    assert tried()
    assert [each.what for each in tried() if not WANTED.unit_of(each.measure)] == []
    assert [each.what for each in tried() if each.kept is not bool(each.commit)] == []


def test_a_picture_is_the_same_every_time_and_another_for_other_figures(tmp_path: Path) -> None:
    one, other = a_run(RELAY), a_run(RELAY, relay_rate=2.0)
    first = pictures.draw(RELAY, one, tmp_path).read_bytes()
    again = pictures.draw(RELAY, one, tmp_path).read_bytes()
    different = pictures.draw(RELAY, other, tmp_path)

    assert first == again
    assert different.read_bytes() != first
    assert pictures.digest_in(different) == pictures.digest(RELAY, other) != pictures.digest(RELAY, one)


def test_a_picture_of_what_grows_has_a_line_for_each(tmp_path: Path) -> None:
    growth = next(section for section in WANTED.section if section.name == "growth")
    picture = pictures.draw(growth, a_run(growth), tmp_path).read_text(encoding="utf-8")

    assert [measure.what for measure in growth.measure if f">{measure.what}<" not in picture] == []
    assert "messages in the transcript" in picture


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record.write(of(), tmp_path / "bench" / "recorded.json")

    assert record.read(tmp_path / "bench" / "recorded.json") == of()
    assert record.read(tmp_path / "nothing.json") == Record()


@pytest.mark.needs("git")
def test_what_is_changed_is_what_a_run_does_not_write_itself(tmp_path: Path) -> None:
    measured, written = tmp_path / "measured.py", tmp_path / "docs" / "speed.md"
    written.parent.mkdir()
    measured.touch()
    written.touch()
    for asked in (["init"], ["add", "."], [*SOMEBODY, "commit", "--message", "Begin"]):
        subprocess.run(["git", *asked], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "new.py").touch()
    written.write_text("measured anew", encoding="utf-8")
    before = record.changed(tmp_path)
    measured.write_text("changed", encoding="utf-8")

    assert (before, record.changed(tmp_path)) == ([], ["measured.py"])


def nothing_at_all(_root: Path, _patch: pytest.MonkeyPatch) -> None:
    pass


def no_commit_yet(root: Path, _patch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init"], cwd=root, check=True, capture_output=True)


def of_another_owner(root: Path, patch: pytest.MonkeyPatch) -> None:
    no_commit_yet(root, patch)
    patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def no_git(root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PATH", str(root))


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("happens", "found"),
    [
        (nothing_at_all, "fatal: not a git repository"),
        (no_commit_yet, "fatal: ambiguous argument 'HEAD'"),
        (of_another_owner, "fatal: detected dubious ownership"),
        (no_git, "there is no git. "),
    ],
    ids=["an export", "no commit yet", "another owner", "no git"],
)
def test_where_git_names_no_commit_nothing_counts_as_committed(
    happens: Callable[[Path, pytest.MonkeyPatch], None], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happens(tmp_path, monkeypatch)

    with pytest.raises(record.NoCommitError, match=f"git names no commit: {found}.*measure in a clone"):
        record.changed(tmp_path)
    assert record.program(tmp_path).commit == ""


def test_a_section_that_gave_nothing_is_taken_out() -> None:
    assert of().with_run("relay", NOTHING) == Record()
