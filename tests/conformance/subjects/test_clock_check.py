"""Whether an implementation's clock goes as fast as it was told to, and why it does not."""

import os

import pytest
from tunnel_conformance.subjects.base import Launcher
from tunnel_conformance.subjects.clock import Clock, Constants, FakeTime, RealTime, find_faketime
from tunnel_conformance.subjects.clock_check import check_clock
from tunnel_conformance.subjects.line import LineLauncher

from tests.conformance.subjects.stage import ours, python
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Role

SPEED = 15.0
FAST = 60.0
SLACK_SECONDS = 0.3
"""For checks that fail: they end sooner."""

ROLES = [Role.HOST, Role.GUEST]

both = pytest.mark.parametrize("role", ROLES)
needs_faketime = pytest.mark.needs("faketime")


def clocked(how: str, clock: Clock) -> Launcher:
    return LineLauncher(how, python("clocked.py", how), {}, clock)


@needs_faketime
@both
@asynchronous
async def test_ours_can_be_sped_up(role: Role) -> None:
    assert await check_clock(ours(find_faketime(os.environ)), SPEED, role) is None


@both
@asynchronous
async def test_one_with_a_clock_of_its_own_is_sped_up_by_its_variable(role: Role) -> None:
    assert await check_clock(clocked("loop", Constants("SPEED")), SPEED, role) is None


@both
@asynchronous
async def test_a_variable_that_does_nothing_is_named(role: Role) -> None:
    trouble = await check_clock(clocked("loop", Constants("HASTE")), FAST, role, SLACK_SECONDS)

    assert "told to go 60 times as fast and goes in real time or not at all" in str(trouble)
    assert "Check that the variable" in str(trouble)


@needs_faketime
@both
@asynchronous
async def test_a_wait_on_a_thread_with_a_time_limit_is_named(role: Role) -> None:
    trouble = await check_clock(clocked("thread", find_faketime(os.environ)), FAST, role, SLACK_SECONDS)

    assert "a wait on a thread with a time limit, which hangs" in str(trouble)


@needs_faketime
@asynchronous
async def test_a_program_that_does_not_load_the_library_is_named() -> None:
    trouble = await check_clock(clocked("sleep", find_faketime(os.environ)), FAST, Role.GUEST, SLACK_SECONDS)

    assert "libfaketime is not loaded in sleep" in str(trouble)


@asynchronous
async def test_who_hangs_up_on_nobody_but_listens_in_time_has_a_fast_clock() -> None:
    """AUTH-3 is judged by its case."""
    assert await check_clock(clocked("lazy", Constants("SPEED")), FAST, Role.HOST, SLACK_SECONDS) is None


@both
@asynchronous
async def test_what_does_not_wait_at_all_says_nothing_of_its_clock(role: Role) -> None:
    assert "goes in real time or not at all" in str(
        await check_clock(clocked("hasty", Constants("SPEED")), SPEED, role)
    )


@pytest.mark.parametrize(
    ("role", "why"), [(Role.HOST, "it opens no tunnel: no"), (Role.GUEST, "it did not dial the link")]
)
@asynchronous
async def test_one_that_cannot_be_observed_is_named(role: Role, why: str) -> None:
    trouble = await check_clock(clocked("refuses", Constants("SPEED")), SPEED, role)

    assert "Its clock could not be observed" in str(trouble)
    assert why in str(trouble)


@both
@asynchronous
async def test_one_that_does_not_start_is_named(role: Role) -> None:
    trouble = await check_clock(LineLauncher("none", ["no-such-program"], {}, Constants("SPEED")), SPEED, role)

    assert "could not be started" in str(trouble)
    assert "no such program" in str(trouble)


@asynchronous
async def test_without_the_library_that_is_the_trouble() -> None:
    assert "apt-get install faketime" in str(await check_clock(clocked("loop", FakeTime(None)), SPEED))


@asynchronous
async def test_at_real_speed_there_is_nothing_to_check() -> None:
    assert await check_clock(LineLauncher("none", ["no-such-program"], {}, RealTime()), 1.0) is None


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("deaf", "The clock of its relay goes 60 times as fast, but its agent's listen of 60 s did not end in time."),
        ("mute", "The clock of its relay goes 60 times as fast"),
        ("dies", "With a clock 60 times as fast it could not be observed. Its process ended with status 1."),
    ],
)
@asynchronous
async def test_what_is_odd_about_a_host_is_named(how: str, says: str) -> None:
    assert says in str(await check_clock(clocked(how, Constants("SPEED")), FAST, Role.HOST, SLACK_SECONDS))
