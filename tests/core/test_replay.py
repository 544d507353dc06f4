"""The real host and the real guest do what the tables say: every input, in every place, is replayed on them."""

from collections.abc import Callable

import pytest

from spec.compiler.explore import explore, shortened
from tests.core.never import NEVER, ROWS_NEVER_TAKEN, Never
from tests.core.replay import Replay, explored, play
from tests.core.replaying import BROKEN, replays_until_noticed, tally
from tests.core.witness import MACHINES
from tests.core.worlds import WORLDS, World
from tunnel.spec.v1.constants import SECONDS

pytestmark = pytest.mark.timeout(300)
every_machine = pytest.mark.parametrize("name", MACHINES)


# --- The replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("awake", [True, False], ids=["looking at the clock", "looking only when something happens"])
@every_machine
def test_every_input_in_every_place_does_on_the_real_classes_what_the_tables_say(name: str, *, awake: bool) -> None:
    """TIME-1."""
    found = tally(name, awake=awake)

    assert found.wrong == ()
    assert found.replays > found.edges > len(MACHINES[name].transitions)


@every_machine
def test_no_edge_of_the_exploration_is_left_out(name: str) -> None:
    found = explore(MACHINES[name], shortened(MACHINES[name], SECONDS))

    assert (tally(name, awake=True).places, tally(name, awake=True).edges) == (len(found.places), found.edges)


@every_machine
def test_every_way_leads_to_its_place(name: str) -> None:
    for place, way in explored(name).items():
        world = WORLDS[name]()
        if way:
            play(world, Replay(way[:-1], way[-1]), awake=True, to_the_end=False)
        counts = {verb: min(world.life.at.counts[verb], 2) for verb, _ in place.counts}
        assert (world.life.state, counts) == (place.state, dict(place.counts))


@every_machine
def test_every_row_is_taken_but_for_those_of_what_cannot_come_about(name: str) -> None:
    rows = {row.id for row in MACHINES[name].transitions}

    assert rows - tally(name, awake=True).rows == ROWS_NEVER_TAKEN[name]


@pytest.mark.parametrize("one", NEVER, ids=lambda one: f"{one.machine} {one.events}: {one.because}")
def test_every_reason_why_something_cannot_come_about_is_needed(one: Never) -> None:
    assert tally(one.machine, awake=True).kept_back[one] > 0


# --- The replay can fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "world"), BROKEN.values(), ids=BROKEN)
def test_an_end_that_is_broken_is_noticed(name: str, world: Callable[[], World]) -> None:
    assert replays_until_noticed(name, world) is not None
