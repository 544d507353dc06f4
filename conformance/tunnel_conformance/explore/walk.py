"""Walks through a conversation beside the tables: each move becomes steps of a case, with what must be seen.

The moments come from the moves alone, or, once a conversation was played, from how long it took: where the tables say
something else then, the machine was too slow and the conversation proves nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tunnel.spec.model import Case, Role, Step
from tunnel_conformance.explore.lives import TICKS, Carrier
from tunnel_conformance.explore.moves import Move, Plan

Args = Mapping[str, str | int | bool]
Offers = list[tuple[int, Move]]
"""What can be done next, each with a weight."""
Do = Callable[[Move], bool]

MOST_WAITED: Final = 2100
"""So many seconds of protocol time pass in one conversation at most: a little more than the longest deadline."""


class UnsureError(Exception):
    """A deadline is too near, or has passed where nobody looked: what must be seen depends on how fast the machine is."""


class Sight(Struct, frozen=True):
    """What must be seen, and at whose connection."""

    by: str
    expect: str
    expects: Args = {}
    tolerate: tuple[str, ...] = ()


UNSEEN: Final = Sight("", "")


class Walk:
    """What the walks beside hosts and beside guests have in common.

    Args:
        role: that is judged.
        moments: when the effect of each step came about, in milliseconds; where there is none, only waiting takes time.
    """

    def __init__(self, role: Role, moments: Sequence[int] = ()) -> None:
        self.role = role
        self.steps: list[Step] = []
        self.carriers: list[tuple[Carrier, ...]] = []
        """For each step, the rows and timers that what must be seen comes from."""
        self.done: list[Move] = []
        self.ends: list[int] = []
        """For each move, how many steps there are when it is done."""
        self.is_sure = True
        """Whether nothing is asked too near to a deadline."""
        self.waited = 0
        self.in_play: set[float] = set()
        """The durations, in seconds, of what the implementation must not run into by being slow."""
        self.verbs: dict[str, Do] = {}
        """Each kind of move, and what does it; it says whether that was possible."""
        self.aims: Sequence[tuple[str, ...]] = ()
        """The moments to which time should pass, one after the other, in several conversations each."""
        self._moments = moments

    def offers(self, *, timed: bool) -> Offers:
        """What can be done next.

        Args:
            timed: whether time may pass.
        """
        raise NotImplementedError

    def probe(self) -> None:
        """Look whether the implementation is still there, in a step of its own."""
        raise NotImplementedError

    def do(self, move: Move) -> bool:
        """Do it, if it is possible where things stand; whether it was."""
        if not self.is_sure or self.waited + move.seconds > MOST_WAITED:
            return False
        try:
            if not self.verbs[move.do](move):
                return False
        except UnsureError:
            self.is_sure = False
            return False
        self.waited += move.seconds
        self.done.append(move)
        self.ends.append(len(self.steps))
        return True

    def do_all(self, plan: Plan) -> Plan:
        """Do what is possible of a plan; all that is done then."""
        for move in plan:
            self.do(move)
        return tuple(self.done)

    def case(self, id: str, title: str, rules: Iterable[str]) -> Case:
        """The case that has come about."""
        needs = ("time",) if self.waited else ()
        return Case(id=id, title=title, judges=self.role, rules=tuple(rules), steps=tuple(self.steps), needs=needs)

    # --- For those who know a role ---

    def _taken(self) -> tuple[Carrier, ...]:
        """The rows that were taken since it was last asked."""
        raise NotImplementedError

    def _moment(self, now: int, seconds: int = 0) -> int:
        """When the effect of the next step comes about."""
        number = len(self.steps)
        return max(now, self._moments[number]) if number < len(self._moments) else now + seconds * TICKS

    def _step(
        self, do: str, args: Args | None = None, seen: Sight = UNSEEN, by: str = "", because: Iterable[Carrier] = ()
    ) -> None:
        """Write a step down, with what must be seen then."""
        self.steps.append(
            Step(
                do=do,
                by=by or seen.by,
                args=dict(args or {}),
                expect=seen.expect,
                expects=dict(seen.expects),
                tolerate=seen.tolerate,
            )
        )
        self.carriers.append(tuple(dict.fromkeys((*self._taken(), *because))))

    def _sees(
        self, do: str, sights: Sequence[Sight], args: Args | None = None, because: Iterable[Carrier] = ()
    ) -> None:
        """Write a step down after which several things must be seen."""
        carriers = (*self._taken(), *because)
        self._step(do, args, sights[0] if sights else UNSEEN, because=carriers)
        for sight in sights[1:]:
            self._step("look", seen=sight, because=carriers)


WalkOf = Callable[[Sequence[int]], Walk]
"""Begins a walk: `HostWalk` or `GuestWalk`."""


def listed(names: Iterable[str]) -> str:
    """Several peers, as `by` has them."""
    return ", ".join(names)
