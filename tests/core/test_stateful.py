"""Whatever a host, its guest, a thief, a stranger and the wire do, a tunnel keeps its promises and its tables.

The profile `default` plays 300 stories, always the same; HYPOTHESIS_PROFILE=complete plays 10,000.
"""

import os
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.broken_ends import (
    CarelessGuest,
    CredulousGuest,
    HastyGuest,
    SkippingHost,
    active_when_refusing,
    guest_with_row,
    with_row,
)
from tests.core.ledger import (
    ADMITS_IN_TIME,
    ADMITS_ONCE,
    ALL_IS_ANSWERED,
    EVERY_NUMBER_IN_ORDER,
    NOTHING_ELSE_IS_ACTIVITY,
    ONLY_ITS_ECHO,
    SHOWS_WHAT_IT_SAID,
    TAKES_WHAT_WAS_NUMBERED,
)
from tests.core.never import ROWS_NEVER_TAKEN
from tests.core.story import ROWS, Story
from tests.core.witness import MACHINES
from tunnel.core.guest import Guest
from tunnel.core.host import Host

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
AT_ONCE = 500
"""So many stories are one run of Hypothesis, which remembers all that it drew until a run ends: ten thousand would be more than
many a machine holds. Runs share out among workers, too."""

RUNS = range(0, PROFILE.max_examples, AT_ONCE)
"""Each by the story with which it begins."""

SECONDS_AT_MOST = AT_ONCE
"""One for a story: ten times what it takes."""


# --- What is claimed ----------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What was played."""

    stories: int
    """Those that came to their end."""
    rows: Mapping[str, frozenset[str]]
    """The rows of each machine that were taken, in these stories or in others before them."""


@cache
def told(begun: int) -> Told:
    """Play the stories of a run. Those of the first one are always the same."""
    ended = count()

    class Ending(Story):
        def ends_well(self) -> None:
            next(ended)

    is_known = PROFILE.derandomize or begun == RUNS[0]
    run = settings(PROFILE, max_examples=min(AT_ONCE, PROFILE.max_examples - begun))
    run_state_machine_as_test(seed(begun)(Ending) if is_known else Ending, settings=run)
    return Told(next(ended), {name: frozenset(rows) for name, rows in ROWS.items()})


@pytest.mark.timeout(SECONDS_AT_MOST)
@pytest.mark.parametrize("begun", RUNS)
def test_whatever_everybody_does_a_tunnel_keeps_its_promises_and_its_tables(begun: int) -> None:
    """LOCK-1, LOCK-2, LOCK-3, LINK-1, LINK-2, LINK-3, IDLE-1, IDLE-2, SEQ-1, SEQ-3, SEQ-4, SEQ-5, SEQ-6, CLOSE-3, TIME-1."""
    assert told(begun).stories >= min(AT_ONCE, PROFILE.max_examples - begun)


@pytest.mark.timeout(SECONDS_AT_MOST)
@pytest.mark.parametrize("name", MACHINES)
def test_every_row_is_taken_in_some_story_but_for_those_of_what_cannot_come_about(name: str) -> None:
    rows = {row.id for row in MACHINES[name].transitions}

    assert rows - told(RUNS[0]).rows[name] == ROWS_NEVER_TAKEN[name]


# --- Ends that are broken on purpose ------------------------------------------------------------------------------------

HOSTS: Mapping[str, tuple[type[Host], str]] = {
    "the link comes back when the guest leaves": (with_row("guest-left", to="waiting"), ADMITS_ONCE),
    "the link never expires": (with_row("auth-expired", when="passed(link) and not proof_ok"), ADMITS_IN_TIME),
    "a refused join is activity": (active_when_refusing(), NOTHING_ELSE_IS_ACTIVITY),
    "a second guest gets in beside the first": (with_row("auth-full", do=("admit", "number joined")), ADMITS_ONCE),
    "a host skips a number": (SkippingHost, EVERY_NUMBER_IN_ORDER),
}
GUESTS: Mapping[str, tuple[type[Guest], str]] = {
    "a guest believes in an echo": (CredulousGuest, TAKES_WHAT_WAS_NUMBERED),
    "a guest passes over a hole": (guest_with_row("msg-missing", to="=", do=("take",)), TAKES_WHAT_WAS_NUMBERED),
    "a guest takes a number twice": (guest_with_row("msg-stale", do=("take",)), TAKES_WHAT_WAS_NUMBERED),
    "a guest shows what is forged": (guest_with_row("msg-forged", do=("take",)), SHOWS_WHAT_IT_SAID),
    "a guest needs no echo": (HastyGuest, ONLY_ITS_ECHO),
    "a guest forgets what it said": (CarelessGuest, ALL_IS_ANSWERED),
}
"""Each with the promise that it breaks."""

BROKEN = {title: (host, Guest, promise) for title, (host, promise) in HOSTS.items()} | {
    title: (Host, guest, promise) for title, (guest, promise) in GUESTS.items()
}


def find_out(host: type[Host], guest: type[Guest], promise: str | None, *, compares: bool) -> None:
    """Play the stories of the profile `default`, but no more than until a broken end is found out; it is a failure if it is not."""

    class Suspicion(Story):
        def __init__(self) -> None:
            super().__init__(host, guest, compares=compares)

    quick = settings(PROFILES["default"], phases=[Phase.generate], verbosity=Verbosity.quiet)
    with pytest.raises(AssertionError, match=promise):
        run_state_machine_as_test(seed(0)(Suspicion), settings=quick)


@pytest.mark.parametrize(("host", "guest", "promise"), BROKEN.values(), ids=BROKEN)
def test_an_end_that_breaks_a_promise_is_found_out_from_outside(
    host: type[Host], guest: type[Guest], promise: str
) -> None:
    """LOCK-1, LINK-1, LINK-2, IDLE-2, SEQ-1, SEQ-3, SEQ-4, SEQ-5, SEQ-6."""
    find_out(host, guest, promise, compares=False)


@pytest.mark.parametrize(("host", "guest", "promise"), BROKEN.values(), ids=BROKEN)
def test_an_end_that_breaks_a_promise_is_found_out_by_its_tables(
    host: type[Host], guest: type[Guest], promise: str
) -> None:
    find_out(host, guest, None, compares=True)
