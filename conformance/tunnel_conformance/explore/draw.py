"""Has Hypothesis draw conversations: each is a walk beside the tables, so nothing is drawn that cannot be said there."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, zip_longest
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from tunnel_conformance.explore.moves import Move, Plan
from tunnel_conformance.explore.walk import Walk, WalkOf

LENGTHS: Final = tuple(range(2, 11))
"""How much is done where no time passes."""
BEFORE: Final = (0, 1, 2)
BETWEEN: Final = (1, 2)
"""How much is done before time passes, and behind it: it takes minutes to try whether it could be left out."""

NO_MATTER: Final = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
"""A conversation may be long, and the tables are walked through for each."""

TRIES: Final = 2
"""So many times as many are drawn as are wanted: some are the same."""


def drawn(walk_of: WalkOf, number: int, with_seed: int, *, timed: bool) -> list[Plan]:
    """So many different conversations; the same ones for the same seed.

    Args:
        walk_of: begins a walk.
        number: how many; fewer when there are no more.
        with_seed: what chance begins with.
        timed: whether time passes in each.
    """
    # Hypothesis keeps notes where it runs, whether or not it is told to remember examples: nothing is left there.
    with TemporaryDirectory() as notes:
        set_hypothesis_home_dir(notes)
        try:
            return _draw(walk_of, number, with_seed, timed=timed)
        finally:
            set_hypothesis_home_dir(None)


def _draw(walk_of: WalkOf, number: int, with_seed: int, *, timed: bool) -> list[Plan]:
    if not timed:
        return _drawn(number, str(with_seed), lambda data: _at_once(walk_of(()), data))
    aims = walk_of(()).aims
    each = -(-number // len(aims))
    rows = [_drawn(each, f"{with_seed} {aim}", lambda data, aim=aim: _in_time(walk_of(()), data, aim)) for aim in aims]
    # What is played first aims at one deadline each.
    return list(dict.fromkeys(plan for row in zip_longest(*rows) for plan in row if plan))[:number]


def _drawn(number: int, with_seed: str, draw: Callable[[st.DataObject], Plan]) -> list[Plan]:
    found: dict[Plan, None] = {}

    # Only drawn here. They are played many at a time, and that Hypothesis does not do.
    @seed(with_seed)
    @settings(
        max_examples=TRIES * max(1, number),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=NO_MATTER,
    )
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        if plan := draw(data):
            found.setdefault(plan)

    collect()
    return list(found)[:number]


def _at_once(walk: Walk, data: st.DataObject) -> Plan:
    for _ in range(data.draw(st.sampled_from(LENGTHS))):
        _go_on(walk, data, [(weight, move) for weight, move in walk.offers(timed=False) if not move.seconds])
    return tuple(walk.done)


def _in_time(walk: Walk, data: st.DataObject, aim: Sequence[str]) -> Plan:
    numbers = BEFORE
    for moment in aim:
        _act(walk, data, numbers)
        spans = [(weight, move) for weight, move in walk.offers(timed=True) if move.seconds]
        _go_on(walk, data, [(weight, move) for weight, move in spans if move.how == moment] or spans)
        numbers = BETWEEN
    _act(walk, data, numbers)
    return tuple(walk.done) if walk.is_sure and walk.waited else ()


def _act(walk: Walk, data: st.DataObject, numbers: Sequence[int]) -> None:
    for _ in range(data.draw(st.sampled_from(numbers))):
        _go_on(walk, data, [(weight, move) for weight, move in walk.offers(timed=True) if not move.seconds])


def _go_on(walk: Walk, data: st.DataObject, offers: list[tuple[int, Move]]) -> None:
    if offers:
        ends = list(accumulate(weight for weight, _ in offers))
        at = data.draw(st.integers(0, ends[-1] - 1))
        walk.do(offers[bisect_right(ends, at)][1])
