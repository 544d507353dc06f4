"""Accounts for every number of a tunnel: each was given once and in order to whoever listens, with the words that were said (SEQ-1)."""

from collections.abc import Iterable, Mapping
from itertools import groupby

MOST_NAMED = 5
"""So many of one kind are named; of the others it is said how many there are."""


def faults_of(said: Mapping[int, str], heard: Iterable[tuple[int, str]], last: int, who: str) -> list[str]:
    """What is wrong with what one side heard.

    Args:
        said: the words that were said, by the numbers that they got.
        heard: numbers and words in the order in which they were heard, from the first message of the tunnel on.
        last: the last number that was given.
        who: heard it.
    """
    found, words, before = _Faults(who), dict[int, str](), 0
    for seq, text in heard:
        if seq in words:
            found.note("was heard twice", seq)
        elif seq < before:
            found.note("was heard out of its order", seq)
        words.setdefault(seq, text)
        before = max(before, seq)
    for seq in range(1, last + 1):
        if seq not in words:
            found.note("was never heard", seq)
        elif seq in said and words[seq] != said[seq]:
            found.note("was heard with other words", seq)
    for seq in words.keys() - set(range(1, last + 1)):
        found.note("was heard and never said", seq)
    return found.told()


def strays_of(said: Mapping[int, str], last: int) -> list[str]:
    """Numbers that were confirmed to who said something, and lie beyond the last one."""
    return [f"number {seq} was confirmed, and the last number is {last}" for seq in said if seq > last]


def runs_of(numbers: Iterable[int]) -> str:
    """Numbers in a few words: 3, 5 to 9, 12."""
    parts: list[str] = []
    for _, group in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        parts.append(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}")
    named, rest = parts[:MOST_NAMED], len(parts) - MOST_NAMED
    return ", ".join(named) + (f" and {rest} more" if rest > 0 else "")


class _Faults:
    def __init__(self, who: str) -> None:
        self._who = who
        self._numbers: dict[str, list[int]] = {}

    def note(self, what: str, seq: int) -> None:
        self._numbers.setdefault(what, []).append(seq)

    def told(self) -> list[str]:
        return [f"{self._who}: number {runs_of(numbers)} {what}" for what, numbers in self._numbers.items()]
