"""No paper claims what no run gave, and every other figure in one is the program's own, by its name."""

import pytest

from tests.bench import claims, record
from tests.bench.own import OWN, Own
from tests.bench.record import BUSY
from tests.bench.tables import measures, tried
from tests.bench.test_record import of
from tests.bench.written import figures, in_base
from tests.endurance import records
from tests.fuzz import record as fuzzed

PAPERS = claims.papers()


@pytest.mark.parametrize(("name", "text"), PAPERS.items(), ids=lambda value: value if len(value) < 60 else "")
def test_a_paper_claims_what_was_measured_last_and_no_other_figure(name: str, text: str) -> None:
    assert claims.wrong(text, record.read()) == []
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
        ("carries 36k msgs/s <!-- measured: relay.rate -->", 36_400.0, False),
        ("takes 14 s <!-- measured: relay.rate -->", 14.0, True),
        ("less than 15 µs <!-- measured: relay.cpu -->", 14.0, False),
        ("less than 15 µs <!-- measured: relay.cpu -->", 4.9, True),
        ("twice as fast <!-- measured: relay.rate.ratio -->", 2.1, False),
        ("twice as fast <!-- measured: relay.rate.ratio -->", 2.6, True),
        ("within 2 x <!-- measured: relay.echo.p50.ratio -->", 1.9, False),
        ("within 2 x <!-- measured: relay.echo.p50.ratio -->", 2.1, True),
        ("at least 0.6 x <!-- measured: relay.rate.ratio -->", 0.61, False),
        ("at least 0.6 x <!-- measured: relay.rate.ratio -->", 0.59, True),
        ("at least 0.6 x <!-- measured: relay.rate.ratio -->", 1.9, True),
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
        ("It starts in 1 s.", ["1 s"]),
        ("A call ends within 2 s.", ["2 s"]),
        ("It starts in three minutes.", ["three minutes"]),
        ("It takes 14 microseconds.", ["14 microseconds"]),
        ("It costs a microsecond a message.", ["a microsecond"]),
        ("It takes 1.13 milliseconds.", ["1.13 milliseconds"]),
        ("It takes 20 msec.", ["20 msec"]),
        ("It takes **1.5** s, or 10-50 ms.", ["1.5** s", "50 ms"]),
        ("It takes 7&nbsp;ms.", ["7 ms"]),
        ("It carries 36,000 messages a second.", ["36,000 messages a second"]),
        ("It carries 36,000 messages per second.", ["36,000 messages per second"]),
        ("It carries 36k msgs/s.", ["36k msgs/s"]),
        ("It carries 36,000/s.", ["36,000/s"]),
        ("It holds 77 MiB.", ["77 MiB"]),
        ("It uses 8 MiB.", ["8 MiB"]),
        ("It holds 1 GiB.", ["1 GiB"]),
        ("It is 3 x faster.", ["3 x"]),
        ("It is three times as fast.", ["three times as"]),
        ("It is twice as fast.", ["twice as fast"]),
        ("It lost 0.0 %.", ["0.0 %"]),
        ("It lives through 1,000 cycles.", ["1,000 cycles"]),
        ("It lives through a thousand cycles.", ["a thousand cycles"]),
        ("Of 100,000 messages, none lost.", ["100,000 messages"]),
        ("It starts in 0.3 s <!-- measured: start.tools -->.", []),
        ("The link is good for 10 minutes, and a join takes 20 s at most.", []),
        ("A link is made in 10 minutes, and a say in 20 s.", ["10 minutes", "20 s"]),
        ("Version 2.3.0, chapter 3, three tests, 5 steps, the wrong ones, used twice.", []),
    ],
)
def test_a_figure_that_nobody_vouches_for_is_found(text: str, found: list[str]) -> None:
    assert claims.unmarked(text) == found


def test_no_claim_rests_on_a_busy_machine() -> None:
    text = "takes 14 µs <!-- measured: relay.cpu -->"

    assert claims.wrong(text, of(relay_cpu=14.0, load=BUSY)) == []
    assert "a busy machine" in claims.wrong(text, of(relay_cpu=14.0, load=BUSY + 0.01))[0]


def test_what_a_page_tells_beside_its_figures_is_read_as_a_paper() -> None:
    told = [
        *(section.how for section in measures().section),
        *(target.accepted for target in measures().target),
        *(each.why for each in tried()),
        "What it endures",
    ]

    assert [each for each in told if not any(each in text for text in PAPERS.values())] == []


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.words)
def test_a_figure_of_the_program_itself_is_its_number(own: Own) -> None:
    ((_, number, unit),) = figures(own.words)

    assert any(own.words in claims.without_marks(text) for text in PAPERS.values())
    assert not own.is_ or in_base(number, unit)[1] == own.value
    assert not own.file or own.says in (record.ROOT / own.file).read_text(encoding="utf-8")
    assert bool(own.is_) + bool(own.file and own.says) + bool(own.why) == 1


def test_a_mark_names_what_was_endured_and_what_was_fuzzed() -> None:
    run = next(each for each in records.read().runs if each.name == "cycles")
    runs = fuzzed.read()["link"].runs
    cycles, per_cycle = int(run.figures["cycles"]), run.figures["ms per cycle"]

    assert claims.wrong(f"{cycles:,} cycles <!-- measured: endurance.cycles.cycles -->", of()) == []
    assert claims.wrong(f"{cycles + 1:,} cycles <!-- measured: endurance.cycles.cycles -->", of()) != []
    assert claims.wrong(f"{per_cycle} ms <!-- measured: endurance.cycles.ms_per_cycle -->", of()) == []
    assert claims.wrong(f"{per_cycle} s <!-- measured: endurance.cycles.ms_per_cycle -->", of()) != []
    assert claims.wrong(f"{runs:,} runs <!-- measured: fuzz.link.runs -->", of()) == []
    (fault,) = claims.wrong(f"{runs + 1:,} runs <!-- measured: fuzz.link.runs -->", of())
    assert f"(python -m tests.fuzz link --seconds {fuzzed.read()['link'].seconds})" in fault
    assert claims.wrong("1 runs <!-- measured: fuzz.link.nothing -->", of()) != []
