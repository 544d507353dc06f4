"""The search finds what is broken, tells it as a case that fails, and finds nothing where nothing is broken."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from tunnel_conformance.broken.registry import CORRECT
from tunnel_conformance.explore.search import Finding, explore
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Outcome
from tunnel_conformance.subjects.base import Launcher
from tunnel_conformance.subjects.clock import RealTime, find_faketime
from tunnel_conformance.subjects.line import LineLauncher

from tests.conformance.broken.playing import COMPLETE, PYTHON
from tests.conformance.meddled import Meddled
from tests.conformance.own import Own, OwnLauncher
from tunnel.spec.model import Case, Role

SEED = 1
MINUTES: Final = 60


def searched(launcher: Launcher, examples: int, seed: int = SEED) -> tuple[Finding | None, list[str]]:
    """What was found, and what was told meanwhile."""
    told: list[str] = []
    return asyncio.run(explore(launcher, Role.HOST, examples, seed, told.append)), told


def broken(id: str, *, timed: bool = False) -> LineLauncher:
    clock = find_faketime(os.environ) if timed else RealTime()
    return LineLauncher(id, [sys.executable, "-m", "tunnel_conformance.broken", id], PYTHON, clock, Path.cwd())


def unkind() -> Own:
    return Meddled(lambda frame: frame.replace("tunnel full", "go away"))


class Changing(OwnLauncher):
    """Starts one after the other of these, and then what is right."""

    def __init__(self, *makers: Callable[[], Own]) -> None:
        super().__init__(self._next)
        self._makers = list(makers)

    def _next(self) -> Own:
        return self._makers.pop(0)() if self._makers else Own()


def test_what_is_found_is_short_and_names_row_and_rule() -> None:
    finding, told = searched(OwnLauncher(unkind), 40)

    assert finding is not None
    assert [step.do for step in finding.case.steps] == ["open", "join", "join"]
    assert (finding.rows, finding.rules) == (("session/auth-full",), ("LOCK-1", "LINK-4"))
    assert "auth_fail with the reason 'go away'" in finding.text
    assert finding.case_toml in finding.text
    assert told[0].startswith("No time passes in these conversations.")


def test_what_is_found_fails_as_a_case_and_passes_on_a_right_one() -> None:
    finding, _ = searched(OwnLauncher(unkind), 40)
    assert finding is not None

    assert outcome(finding.case, unkind()) is Outcome.FAIL
    assert outcome(finding.case, Own()) is Outcome.PASS


def outcome(case: Case, own: Own) -> Outcome:
    async def once() -> Outcome:
        try:
            return (await judge(case, own)).verdict.outcome
        finally:
            await own.end()

    return asyncio.run(once())


def test_a_process_that_dies_is_found_and_told_as_a_case() -> None:
    finding, _ = searched(OwnLauncher(lambda: Own(dies_at="listen")), 75)

    assert finding is not None
    assert [step.do for step in finding.case.steps] == ["open", "listen", "connect"]
    assert finding.rules
    assert "It died at listen." in finding.text


def test_nothing_is_found_where_nothing_is_broken() -> None:
    finding, told = searched(OwnLauncher(), 30)

    assert finding is None
    assert told[-1].startswith("Nothing found in 30 conversations")


def test_what_is_seen_once_and_not_again_does_not_count() -> None:
    finding, told = searched(Changing(unkind, unkind), 12)

    assert finding is None
    assert any(sentence.startswith("Judged as a case it is: pass.") for sentence in told)
    assert told[-1].startswith("Nothing found in ")


def test_nothing_new_is_begun_when_the_time_is_over() -> None:
    told: list[str] = []

    assert asyncio.run(explore(OwnLauncher(unkind), Role.HOST, 40, SEED, told.append, seconds=0)) is None
    assert told[-1].startswith("Nothing found in 0 conversations")


AT_ONCE = {"host-admits-a-second-guest": "LOCK-1"}
IN_TIME = {
    "host-reuses-the-link-after-leave": "LINK-1",
    "host-never-expires": "LINK-2",
    "host-expires-early": "LINK-2",
    "host-never-idles": "IDLE-1",
    "host-counts-refused-joins-as-activity": "IDLE-2",
}
"""Each is found within five minutes, and then made shorter."""
FOUND = AT_ONCE | IN_TIME if COMPLETE else AT_ONCE


@pytest.mark.needs("faketime")
@pytest.mark.timeout(15 * MINUTES)
@pytest.mark.parametrize(("id", "rule"), FOUND.items(), ids=FOUND)
def test_a_broken_program_is_found_out(id: str, rule: str) -> None:
    """Found, made as short as it gets, and judged as a case."""
    finding, told = searched(broken(id, timed=True), 100)

    assert finding is not None, told
    assert rule in finding.rules


def test_the_correct_program_is_not_found_out() -> None:
    finding, told = searched(broken(CORRECT), 12)

    assert finding is None, told
