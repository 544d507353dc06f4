"""Lifetimes run on a clock that counts suspend; wall time is only shown."""

import sys
import time

import pytest

from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.io.clock import COUNTS_SUSPEND, SystemClock


def test_lifetimes_run_on_the_clock_that_counts_suspend() -> None:
    """TIME-2."""
    expected = {"linux": getattr(time, "CLOCK_BOOTTIME", -1), "darwin": getattr(time, "CLOCK_MONOTONIC_RAW", -1)}

    assert expected.get(sys.platform) == COUNTS_SUSPEND


def test_ticks_are_read_from_that_clock() -> None:
    """TIME-2: with a clock that stands still while the process sleeps, the difference shows."""
    clock = SystemClock(time.CLOCK_PROCESS_CPUTIME_ID)

    before = time.process_time_ns()
    ticks = clock.now().ticks
    after = time.process_time_ns()

    assert before <= ticks <= after


@pytest.mark.parametrize("clock", [SystemClock(), SystemClock(None)], ids=["as on this system", "where there is none"])
def test_ticks_never_go_back_and_are_not_wall_time(clock: SystemClock) -> None:
    """TIME-2."""
    first, second = clock.now(), clock.now()

    assert 0 <= second.ticks - first.ticks < 60 * TICKS_PER_SECOND
    assert abs(first.ticks // 1_000_000 - first.unix_ms) > 1_000_000_000


def test_unix_time_is_the_wall_clocks() -> None:
    before = time.time()
    unix_ms = SystemClock().now().unix_ms
    after = time.time()

    assert int(before * 1000) <= unix_ms <= after * 1000
