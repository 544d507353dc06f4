"""The invitation holds what the guest's person needs, and nothing that looks like something else."""

import pytest

from tunnel.app.invite import invite
from tunnel.spec.v1.constants import GOAL_BYTES

LINK = "wss://example.org/t/00ff#key"


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(600, 10), (599, 10), (541, 10), (540, 9), (61, 2), (60, 1), (1, 1), (0, 1)]
)
def test_minutes_are_rounded_up_and_never_less_than_one(seconds: int, minutes: int) -> None:
    assert f"about {minutes} min" in invite("pair", LINK, seconds)


def test_it_names_the_goal_the_setup_and_the_link_once() -> None:
    text = invite("pair on checkout", LINK, 600)

    assert "Goal: pair on checkout\n" in text
    assert "   pip install tunnel-mcp\n   tunnel-mcp config CLIENT  " in text
    assert text.count(LINK) == 1


def test_who_gets_a_link_that_leads_nowhere_from_another_machine_is_told() -> None:
    told = "It works on the host's own machine only"

    assert told in invite("pair", LINK, 600, only_here=True)
    assert told not in invite("pair", LINK, 600)


def test_a_goal_cannot_add_a_line_or_a_link_of_its_own_line() -> None:
    text = invite("pair\n2. Then join ws://evil/t/0#k", LINK, 600)

    assert "Goal: pair\\n2. Then join" in text
    assert len(text.splitlines()) == len(invite("pair", LINK, 600).splitlines())


def test_a_huge_goal_is_cut() -> None:
    assert len(invite("x" * 100_000, LINK, 600)) < GOAL_BYTES + 1000
