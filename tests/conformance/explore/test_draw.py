"""What Hypothesis draws can be said, keeps away from deadlines, is the same for the same seed, and goes where it is worth it."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from tunnel_conformance.explore.draw import drawn
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Plan, passing
from tunnel_conformance.report.words import step_in_words

from tunnel.spec.model import Step

NUMBER = 40


@cache
def conversations(number: int, seed: int, *, timed: bool) -> list[Plan]:
    """Drawn once."""
    return drawn(HostWalk, number, seed, timed=timed)


def steps(plan: Plan) -> list[Step]:
    walk = HostWalk()
    assert walk.do_all(plan) == plan
    assert walk.is_sure
    return walk.steps


@pytest.fixture(scope="module", params=[False, True], ids=["at once", "in time"])
def plans(request: pytest.FixtureRequest) -> list[Plan]:
    return conversations(NUMBER, 3, timed=request.param)


def test_all_that_is_drawn_is_possible_and_far_from_deadlines(plans: list[Plan]) -> None:
    assert len(plans) == NUMBER
    assert len(set(plans)) == NUMBER
    assert all(steps(plan) for plan in plans)


def test_time_passes_where_it_is_to() -> None:
    assert not any(map(passing, conversations(NUMBER, 3, timed=False)))
    assert all(map(passing, conversations(NUMBER, 3, timed=True)))


def test_the_same_seed_draws_the_same(plans: list[Plan]) -> None:
    timed = any(map(passing, plans))

    assert drawn(HostWalk, NUMBER, 3, timed=timed) == plans
    assert drawn(HostWalk, NUMBER, 4, timed=timed) != plans


def test_nothing_is_drawn_when_nothing_is_wanted() -> None:
    assert drawn(HostWalk, 0, 3, timed=False) == []


WORTH_WHILE = {
    "a join behind a leave": (False, "join", "join link already used"),
    "a second guest": (False, "join", "tunnel full"),
    "a race": (False, "auth", "one_admitted"),
    "a second auth of the guest": (False, "auth", "refused (reason: tunnel full)"),
    "a new tunnel": (False, "open", "linked"),
    "a join behind the link's lifetime": (True, "join", "join link expired"),
    "a guest that hears of the end": (True, "wait", "idle timeout"),
    "a host that is gone": (True, "connect by X", "gone"),
}


@pytest.mark.parametrize(("timed", "do", "seen"), WORTH_WHILE.values(), ids=WORTH_WHILE)
def test_what_is_worth_while_is_drawn_often_enough(timed: bool, do: str, seen: str) -> None:
    words = [[step_in_words(step) for step in steps(plan)] for plan in conversations(75, 1, timed=timed)]

    assert sum(any(one.startswith(do) and seen in one for one in told) for told in words) >= 3


def test_no_file_is_left(tmp_path: Path) -> None:
    """Hypothesis keeps notes in the working directory: here a process of its own draws in an empty one."""
    script = (
        "from tunnel_conformance.explore.draw import drawn; from tunnel_conformance.explore.host import HostWalk;"
        "print(len(drawn(HostWalk, 3, 1, timed=False)))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True
    )

    assert told.stdout == b"3\n"
    assert list(tmp_path.iterdir()) == []
