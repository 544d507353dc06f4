"""What was measured: for each measure one value a round, ours and the bare one's, of which the record keeps median and spread."""

from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Beside: TypeAlias = Literal["ours", "bare"]

SIDES: Final[tuple[Beside, Beside]] = ("ours", "bare")


class Size(Struct, frozen=True, kw_only=True):
    """How much is done."""

    rounds: int
    """How often each is measured, in turns."""
    starts: int
    """How often each server is started."""
    slow_rounds: int
    """How often what fills a whole transcript is measured."""
    messages: int
    """How many messages are carried in one round."""
    calls: int
    """How many calls are timed one by one in one round."""
    few: int
    """How many calls are timed at each length of the transcript."""
    lengths: tuple[int, ...]
    """How long the transcript is where something is measured that may grow with it."""
    sockets: tuple[int, ...]
    """How many sockets are idle beside a relay."""
    one_function: str
    """The only small function that is timed; empty for all."""

    @property
    def warm(self) -> int:
        """How many calls are made before those that are timed: nobody's first ones are measured."""
        return self.calls // 10


FULL: Final = Size(
    rounds=7,
    starts=11,
    slow_rounds=5,
    messages=20_000,
    calls=1_000,
    few=400,
    lengths=(10, 100, 1_000, 10_000, 99_000),
    sockets=(0, 2, 8, 32),
    one_function="",
)
QUICK: Final = Size(
    rounds=1,
    starts=1,
    slow_rounds=1,
    messages=100,
    calls=10,
    few=2,
    lengths=(10, 100, 1_000),
    sockets=(0, 2),
    one_function="functions.read",
)


class Samples:
    """Values by measure."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, measure: str, beside: Beside, value: float) -> None:
        """One more value; what is measured beside ours gets a name of its own."""
        self.values.setdefault(_name(measure, beside), []).append(value)

    def of(self, measure: str, beside: Beside = "ours") -> list[float]:
        """The values of a measure."""
        return self.values[_name(measure, beside)]


def alternating(rounds: int) -> Iterator[Beside]:
    """Ours and the bare one in turns, and every other round in the other order: what drifts meets both."""
    for each in range(rounds):
        yield from SIDES if each % 2 == 0 else reversed(SIDES)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent are."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _name(measure: str, beside: Beside) -> str:
    return measure if beside == "ours" else f"{measure}.{beside}"


__all__ = ["FULL", "QUICK", "SIDES", "Beside", "Samples", "Size", "alternating", "median", "percentile"]
