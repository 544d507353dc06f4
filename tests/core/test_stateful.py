"""Whatever a host, its guest, a thief, a stranger and the wire do, a tunnel keeps its promises and its tables.

The profile `default` plays 300 stories, always the same; HYPOTHESIS_PROFILE=complete plays 10,000.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from tests.core.ledger import ADMITS_IN_TIME, ADMITS_ONCE, NOTHING_ELSE_IS_ACTIVITY
from tests.core.never import ROWS_NEVER_TAKEN
from tests.core.story import ROWS, Story
from tests.core.witness import MACHINES
from tunnel.core.host import Host
from tunnel.core.instant import Instant
from tunnel.core.machine import Machine
from tunnel.spec import model
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import SECONDS

NO_MATTER = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
"""A story may be long, and some of its steps are not possible where it stands."""

PROFILES: Mapping[str, settings] = {
    "default": settings(
        max_examples=300,
        stateful_step_count=100,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=NO_MATTER,
    ),
    "complete": settings(
        max_examples=10_000,
        stateful_step_count=100,
        deadline=None,
        derandomize=os.environ.get("CI") == "true",
        database=None,
        print_blob=True,
        suppress_health_check=NO_MATTER,
    ),
}
CHOSEN = os.environ.get("HYPOTHESIS_PROFILE", "default")
assert CHOSEN in PROFILES, f"HYPOTHESIS_PROFILE is {CHOSEN!r}; it must be one of {', '.join(PROFILES)}"
PROFILE = PROFILES[CHOSEN]
SECONDS_AT_MOST = PROFILE.max_examples
"""One for a story: ten times what it takes."""


# --- What is claimed ----------------------------------------------------------------------------------------------------


@cache
def rows_taken() -> Mapping[str, frozenset[str]]:
    """Play all stories of the profile; the rows of each machine that were taken."""
    run_state_machine_as_test(Story, settings=PROFILE)
    return {name: frozenset(rows) for name, rows in ROWS.items()}


@pytest.mark.timeout(SECONDS_AT_MOST)
def test_whatever_everybody_does_a_tunnel_keeps_its_promises_and_its_tables() -> None:
    """LOCK-1, LOCK-2, LOCK-3, LINK-1, LINK-2, LINK-3, IDLE-1, IDLE-2, SEQ-1, SEQ-3, SEQ-4, SEQ-5, SEQ-6, CLOSE-3, TIME-1."""
    assert rows_taken().keys() == MACHINES.keys()


@pytest.mark.timeout(SECONDS_AT_MOST)
@pytest.mark.parametrize("name", MACHINES)
def test_every_row_is_taken_in_some_story_but_for_those_of_what_cannot_come_about(name: str) -> None:
    rows = {row.id for row in MACHINES[name].transitions}

    assert rows - rows_taken()[name] == ROWS_NEVER_TAKEN[name]


# --- Hosts that are broken on purpose -----------------------------------------------------------------------------------


def with_table(table: model.Machine) -> type[Host]:
    """A host that goes by another table."""

    class BrokenHost(Host):
        def __init__(self, *, key: bytes, goal: str, name: str, entropy: Callable[[int], bytes], now: Instant) -> None:
            super().__init__(key=key, goal=goal, name=name, entropy=entropy, now=now)
            self._session = Machine(table, session.State, session.ACTIONS, SECONDS, now.ticks)

    return BrokenHost


def with_row(id: str, **changes: str | tuple[str, ...]) -> type[Host]:
    """A host in whose table one row says something else."""
    rows = tuple(replace(row, **changes) if row.id == id else row for row in session.MACHINE.transitions)
    return with_table(replace(session.MACHINE, transitions=rows))


def active_when_refusing() -> type[Host]:
    link, idle = session.MACHINE.timers
    generous = replace(idle, restarts_on=(*idle.restarts_on, "refuse"))
    return with_table(replace(session.MACHINE, timers=(link, generous)))


BROKEN: Mapping[str, tuple[type[Host], str]] = {
    "the link comes back when the guest leaves": (with_row("guest-left", to="waiting"), ADMITS_ONCE),
    "the link never expires": (with_row("auth-expired", when="passed(link) and not proof_ok"), ADMITS_IN_TIME),
    "a refused join is activity": (active_when_refusing(), NOTHING_ELSE_IS_ACTIVITY),
    "a second guest gets in beside the first": (with_row("auth-full", do=("admit", "number joined")), ADMITS_ONCE),
}
"""Each with the promise that it breaks."""


def stories_until_found_out(kind: type[Host], promise: str | None, *, compares: bool) -> int:
    """How many stories are played until a host is found out."""
    played: list[Story] = []

    class Suspicion(Story):
        def __init__(self) -> None:
            super().__init__(kind, compares=compares)
            played.append(self)

    quick = settings(PROFILES["default"], phases=[Phase.generate], verbosity=Verbosity.quiet)
    with pytest.raises(AssertionError, match=promise):
        run_state_machine_as_test(Suspicion, settings=quick)
    return len(played)


@pytest.mark.parametrize(("kind", "promise"), BROKEN.values(), ids=BROKEN)
def test_a_host_that_breaks_a_promise_is_found_out_from_outside(kind: type[Host], promise: str) -> None:
    assert stories_until_found_out(kind, promise, compares=False) <= PROFILES["default"].max_examples


@pytest.mark.parametrize(("kind", "promise"), BROKEN.values(), ids=BROKEN)
def test_a_host_that_breaks_a_promise_is_found_out_by_its_tables(kind: type[Host], promise: str) -> None:
    assert stories_until_found_out(kind, None, compares=True) <= PROFILES["default"].max_examples
