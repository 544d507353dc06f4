"""What was replayed, and how soon a broken end is noticed. `python -m tests.core.replaying` prints it, and what stories take."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from time import perf_counter
from typing import NamedTuple

from spec.compiler.report import table
from tests.core.broken_ends import (
    BluntHost,
    CarelessGuest,
    CredulousGuest,
    ForgetfulHost,
    ForgivingHost,
    SilentHost,
    SleepyHost,
)
from tests.core.never import Never
from tests.core.replay import Replay, every_edge, explored, play, replays
from tests.core.witness import MACHINES
from tests.core.worlds import WORLDS, ConnectionWorld, GuestWorld, SessionWorld, World


class Tally(NamedTuple):
    """What was replayed."""

    places: int
    edges: int
    replays: int
    rows: frozenset[str]
    kept_back: Counter[Never]
    """How many inputs each reason has kept from coming about."""
    wrong: tuple[tuple[Replay, str], ...]
    """Inputs that came about although they cannot, or did not although they can."""


@cache
def tally(name: str, *, awake: bool) -> Tally:
    """Replay everything on the real classes; a difference from the tables is an error at once."""
    played_so_far = 0
    rows: set[str] = set()
    kept_back: Counter[Never] = Counter()
    wrong: list[tuple[Replay, str]] = []
    for replay in replays(name, awake=awake):
        played = play(WORLDS[name](), replay, awake=awake)
        played_so_far += 1
        rows |= played.rows
        kept_back.update(played.never)
        if played.came_about and played.never:
            wrong.append((replay, f"it came about, and is listed as {played.never[0].because!r}"))
        elif not (played.came_about or played.never):
            wrong.append((replay, "it did not come about, and no reason is listed"))
    edges = sum(1 for _ in every_edge(name))
    return Tally(len(explored(name)), edges, played_so_far, frozenset(rows), kept_back, tuple(wrong))


BROKEN: Mapping[str, tuple[str, Callable[[], World]]] = {
    "a link that comes back": ("session", lambda: SessionWorld(ForgetfulHost)),
    "a host that ends late": ("session", lambda: SessionWorld(SleepyHost)),
    "a host that does not tell of a leave": ("session", lambda: SessionWorld(SilentHost)),
    "a host that hangs up before it says why": ("connection", lambda: ConnectionWorld(BluntHost)),
    "a host that bears a flood": ("connection", lambda: ConnectionWorld(ForgivingHost)),
    "a guest that believes in an echo": ("guest", lambda: GuestWorld(CredulousGuest)),
    "a guest that forgets what it said": ("guest", lambda: GuestWorld(CarelessGuest)),
}


def replays_until_noticed(name: str, world: Callable[[], World]) -> int | None:
    """How many replays are played until one differs from the tables."""
    for count, replay in enumerate(replays(name, awake=True), 1):
        try:
            play(world(), replay, awake=True)
        except AssertionError:
            return count
    return None


def main() -> None:
    """Replay everything, notice every broken end, play the stories; a table of each."""
    print(
        table([("replayed", "places", "edges", "replays", "rows taken"), *(_replayed(name) for name in MACHINES)]), "\n"
    )
    print(table([("noticed", "after replays", "seconds"), *(_noticed(title) for title in BROKEN)]), "\n")
    from tests.core.test_stateful import RUNS, told

    played = [told(begun) for begun in RUNS]
    stories, taken = sum(run.stories for run in played), played[-1].rows
    rows = [(name, f"{len(taken[name])} of {len(MACHINES[name].transitions)}") for name in MACHINES]
    print(table([(f"{stories:,} stories", "rows taken"), *rows]))


def _replayed(name: str) -> tuple[object, ...]:
    found = tally(name, awake=True)
    rows = f"{len(found.rows)} of {len(MACHINES[name].transitions)}"
    return name, found.places, found.edges, found.replays + tally(name, awake=False).replays, rows


def _noticed(title: str) -> tuple[object, ...]:
    began = perf_counter()
    count = replays_until_noticed(*BROKEN[title])
    return title, "never" if count is None else count, f"{perf_counter() - began:.2f}"


if __name__ == "__main__":
    main()
