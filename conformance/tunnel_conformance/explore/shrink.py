"""Makes a conversation shorter that an implementation and the tables disagree about.

Hypothesis shrinks one try after the other. Here one try can take minutes, so all shorter conversations of a kind are tried at
once, and the shortest in which the implementation still leaves the tables goes on.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from msgspec import structs

from tunnel_conformance.explore.moves import Move, Plan, passing
from tunnel_conformance.explore.walk import WalkOf

ALL_BELOW: Final = 4
"""Of so few moves every choice is tried."""
PAIRS_BELOW: Final = 8
"""Of so few moves every choice of two."""

PLAINER: Final = {
    ("auth", "padded"): ("wrong",),
    ("auth", "hex"): ("wrong",),
    ("auth", "missing"): ("wrong",),
    ("auth", "replayed"): ("wrong",),
    ("auth", "wrong then right"): ("wrong",),
    ("chat", "forged"): ("plain",),
    ("chat", "unknown"): ("plain",),
    ("chat", "system"): ("plain",),
    ("close", "with a summary"): ("plain",),
    ("tell", "system"): ("plain",),
    ("tell", "forged"): ("plain",),
}
"""Ways of doing something, and which are plainer."""


def size(plan: Plan, walk_of: WalkOf) -> tuple[int, int, int]:
    """What makes a conversation long: its steps, the time that passes, and ways that are not the plainest."""
    walk = walk_of(())
    walk.do_all(plan)
    return len(walk.steps), walk.waited, sum(1 for move in plan for _ in _plainer(move))


def possible(plan: Plan, walk_of: WalkOf) -> Plan | None:
    """What of a plan can be done; None when it would ask too near to a deadline, or nothing is left of it."""
    walk = walk_of(())
    done = walk.do_all(plan)
    return done if done and walk.is_sure else None


def cut(plan: Plan, step: int, walk_of: WalkOf) -> Plan:
    """A plan without the moves behind the one that this step belongs to."""
    walk = walk_of(())
    walk.do_all(plan)
    last = next((number for number, end in enumerate(walk.ends) if step <= end), 0)
    return tuple(walk.done[: last + 1])


def shorter(plan: Plan, walk_of: WalkOf) -> list[Plan]:
    """Shorter conversations that end as this one does, the shortest first."""
    less = [*_choices(plan), *_drops(plan)]
    tried = [*less, *map(_at_once, less), *_plain(plan)]
    found = {done for one in tried if (done := possible(one, walk_of))}
    own = size(plan, walk_of)
    sizes = {one: size(one, walk_of) for one in found}
    return sorted((one for one in found if sizes[one] < own), key=lambda one: (sizes[one], str(one)))


def _choices(plan: Plan) -> Iterator[Plan]:
    *others, last = plan
    most = len(others) if len(others) <= ALL_BELOW else 2 if len(others) <= PAIRS_BELOW else 1
    for number in range(most + 1):
        yield from ((*chosen, last) for chosen in combinations(others, number))


def _drops(plan: Plan) -> Iterator[Plan]:
    others, last = plan[:-1], plan[-1]
    length = len(others) // 2
    while length:
        yield from ((*others[:at], *others[at + length :], last) for at in range(len(others) - length + 1))
        length //= 2


def _at_once(plan: Plan) -> Plan:
    """The same with all time passing in one piece, where it passes last."""
    whole, waits = passing(plan), [at for at, move in enumerate(plan) if move.seconds]
    return tuple(
        structs.replace(move, seconds=whole) if move.seconds else move
        for at, move in enumerate(plan)
        if at not in waits[:-1]
    )


def _plain(plan: Plan) -> Iterator[Plan]:
    for at, move in enumerate(plan):
        yield from ((*plan[:at], plainer, *plan[at + 1 :]) for plainer in _plainer(move))


def _plainer(move: Move) -> Iterator[Move]:
    do = "auth" if move.do == "join" else move.do
    for how in PLAINER.get((do, move.how), ()):
        yield structs.replace(move, how=how)
    if move.do == "vanish":
        yield structs.replace(move, do="leave")
    if move.do == "race" and len(names := move.who.split(", ")) > 2:
        yield structs.replace(move, who=", ".join(names[:2]))


def renamed(plan: Plan, names: str) -> Plan:
    """The same with the peers called A, B, C and so on in the order in which they come."""
    known: dict[str, str] = {}
    for move in plan:
        for name in filter(None, move.who.split(", ")):
            known.setdefault(name, names[len(known)])
    return tuple(
        structs.replace(move, who=", ".join(known[name] for name in move.who.split(", "))) if move.who else move
        for move in plan
    )
