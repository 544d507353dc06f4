"""Rounds alternate, spreads are quartiles, and a missed target is a missed target."""

import pytest

from tests.bench import shown
from tests.bench.record import Figure, figure
from tests.bench.samples import alternating, percentile
from tests.bench.tables import Target


def test_every_other_round_begins_with_the_other_one() -> None:
    assert list(alternating(2)) == ["ours", "bare", "bare", "ours"]


def test_the_median_stands_between_its_quartiles() -> None:
    found = figure([5.0, 1.0, 2.0, 3.0, 4.0], "ms", "make bench")

    assert (found.low, found.median, found.high, found.rounds) == (2.0, 3.0, 4.0, 5)


def test_one_round_has_no_spread() -> None:
    assert shown.figure(figure([1234.4], "ms", "make bench")) == "1,230 ms"


def test_the_tail_is_not_the_worst_one() -> None:
    assert percentile([float(each) for each in range(101)], 99) == 99


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target(measure="m", text="", least=0.6), 0.6, True),
        (Target(measure="m", text="", least=0.6), 0.59, False),
        (Target(measure="m", text="", most=22.0), 22.0, True),
        (Target(measure="m", text="", most=22.0), 22.1, False),
    ],
    ids=["at the least", "below", "at the most", "above"],
)
def test_a_bound_is_part_of_what_is_good(target: Target, value: float, met: bool) -> None:
    assert target.is_met(value) is met


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [(36_123.0, "/s", "36,100/s"), (13.94, "us", "13.9 µs"), (0.4123, "s", "0.412 s"), (0.0, "B", "0 B")],
)
def test_three_digits_count(value: float, unit: str, written: str) -> None:
    assert shown.amount(value, unit) == written


def test_a_spread_is_shown_where_there_is_one() -> None:
    assert shown.figure(Figure(median=2.0, low=1.5, high=3.0, rounds=9, unit="ms", command="")) == "2 ms (1.5 to 3)"
    assert shown.figure(None) == "-"
