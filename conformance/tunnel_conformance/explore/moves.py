"""A conversation before it is a case: what is done, move by move. What must be seen is not said here; the tables say it."""

from msgspec import Struct


class Move(Struct, frozen=True):
    """One thing that is done."""

    do: str
    who: str = ""
    """The peer of the kit that does it, or several."""
    how: str = ""
    """In which of several ways; the first way is the plainest."""
    seconds: int = 0
    """Of protocol time, when it passes."""


Plan = tuple[Move, ...]
"""What is done once the implementation is ready."""


def passing(plan: Plan) -> int:
    """How many seconds of protocol time pass."""
    return sum(move.seconds for move in plan)
