"""A moment knows how long ago an earlier one was, on both of its clocks."""

import pytest

from tunnel.core.instant import TICKS_PER_SECOND, Instant, whole_seconds


def test_a_timer_that_was_overslept_is_dated_back_on_both_clocks() -> None:
    """TIME-1."""
    woken = Instant(ticks=100 * TICKS_PER_SECOND, unix_ms=1_700_000_000_000)

    assert woken.back_to(40 * TICKS_PER_SECOND) == Instant(ticks=40 * TICKS_PER_SECOND, unix_ms=1_699_999_940_000)


def test_wall_time_stays_a_whole_number_of_milliseconds() -> None:
    moment = Instant(ticks=2_500_001, unix_ms=10).back_to(0)

    assert (moment.unix_ms, type(moment.unix_ms)) == (8, int)


@pytest.mark.parametrize(
    ("ticks", "seconds"), [(0, 0), (1, 1), (TICKS_PER_SECOND, 1), (TICKS_PER_SECOND + 1, 2), (-5 * TICKS_PER_SECOND, 0)]
)
def test_what_has_a_moment_left_has_a_second_left(ticks: int, seconds: int) -> None:
    assert whole_seconds(ticks) == seconds
