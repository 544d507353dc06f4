"""The page is what the record gives, every picture shows its figures, and no paper claims what the last run did not give."""

from pathlib import Path

import pytest
from msgspec import structs

from tests.bench import claims, page, pictures, record
from tests.bench.record import Figure, Machine, Record, Run
from tests.bench.tables import Section, Tried, measures, tried

KEPT = record.read()
WANTED = measures()
RELAY = next(section for section in WANTED.section if section.name == "relay")
HERE = Machine(cpu="a CPU", cores=2, kernel="Linux", python="3.11", load=0.0, packages={})


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
    return Run(date="2026-01-01", machine=HERE, figures=figures)


def of(**medians: float) -> Record:
    return Record(sections={"relay": a_run(RELAY, **medians)})


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
        run = KEPT.sections.get(section.name, Run(date="", machine=HERE, figures={}))
        names = {*section.measured(), *(each.id for each in section.following())}

        assert set(run.figures) <= names
        assert all(figure.unit == WANTED.unit_of(name) for name, figure in run.figures.items())
        assert {figure.command for figure in run.figures.values()} <= {section.command}
    assert set(KEPT.sections) <= {section.name for section in WANTED.section}


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

    assert "| Look less | relay.cpu | 22 µs | 30 µs | rejected | It was slower. |" in page.page(
        Record(), WANTED, (attempt,)
    )


def test_what_was_tried_is_measured_by_what_there_is() -> None:
    assert [each.what for each in tried() if not WANTED.unit_of(each.measure)] == []


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


def test_a_section_that_gave_nothing_is_taken_out() -> None:
    assert of().with_run("relay", Run(date="", machine=HERE, figures={})) == Record()


# --- What papers claim ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), claims.papers().items(), ids=lambda value: value if len(value) < 60 else "")
def test_a_paper_claims_what_was_measured_last_and_no_other_figure(name: str, text: str) -> None:
    assert claims.wrong(text, KEPT) == []
    assert claims.unmarked(text) == []


@pytest.mark.parametrize(
    ("text", "median", "is_wrong"),
    [
        ("takes 14 µs <!-- measured: relay.cpu -->", 14.4, False),
        ("takes 14 µs <!-- measured: relay.cpu -->", 14.6, True),
        ("takes 14 ms <!-- measured: relay.cpu -->", 14.0, True),
        ("takes `14 us` <!-- measured: relay.cpu -->", 14.0, False),
        ("carries 36,000/s <!-- measured: relay.rate -->", 36_400.0, False),
        ("carries 36,000/s <!-- measured: relay.rate -->", 36_600.0, True),
        ("carries about 36,000 messages\na second <!-- measured: relay.rate -->", 40_000.0, False),
        ("carries about 36,000 messages a second <!-- measured: relay.rate -->", 50_000.0, True),
        ("within 2 x <!-- measured: relay.echo.p50.ratio -->", 1.9, False),
        ("within 2 x <!-- measured: relay.echo.p50.ratio -->", 2.1, True),
        ("at least 0.6 x <!-- measured: relay.rate.ratio -->", 0.61, False),
        ("at least 0.6 x <!-- measured: relay.rate.ratio -->", 0.59, True),
        ("in two seconds <!-- measured: start.tools -->", 1.0, True),
        ("many <!-- measured: relay.rate -->", 1.0, True),
    ],
)
def test_a_claim_is_held_to_the_digits_it_has(text: str, median: float, is_wrong: bool) -> None:
    name = text.partition("measured: ")[2].removesuffix(" -->").replace(".", "_")
    kept = of(**({name: median} if name.startswith("relay") else {}))

    assert bool(claims.wrong(text, kept)) is is_wrong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It starts in 0.3 s.", ["0.3 s"]),
        ("It starts in three minutes.", ["three minutes"]),
        ("It carries 36,000 messages a second.", ["36,000 messages a second"]),
        ("It holds 77 MiB.", ["77 MiB"]),
        ("It starts in 0.3 s <!-- measured: start.tools -->.", []),
        ("A listen waits 45 s, the link is good for 10 minutes, 8 MiB may wait.", []),
        ("Version 2.3.0, chapter 3, three tests, 5 steps.", []),
    ],
)
def test_a_figure_that_nobody_vouches_for_is_found(text: str, found: list[str]) -> None:
    assert claims.unmarked(text) == found
