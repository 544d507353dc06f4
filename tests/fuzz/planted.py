"""A parser with a bug that lies five decisions deep, where only somebody who watches what is reached comes to."""

from collections.abc import Iterator
from typing import Final

from tests.fuzz.target import Target


class Bug(Exception):
    """What has to be found."""


def check(data: bytes) -> None:
    """Each letter is a decision of its own, which a search that is guided climbs like stairs."""
    if data[:1] == b"w" and data[1:2] == b"s" and data[2:3] == b":" and data[3:4] == b"/" and data[4:5] == b"/":
        raise Bug


def seeds() -> Iterator[bytes]:
    """Nothing to begin with."""
    yield from ()


TARGET: Final = Target(check=check, seeds=seeds, longest=16)
