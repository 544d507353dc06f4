"""Whether the engine finds a bug by following what it reaches, and whether it would not find it by luck."""

from tempfile import TemporaryDirectory
from typing import Final

from tests.fuzz.campaign import run
from tests.fuzz.target import PLANTED

RUNS: Final = 200_000
SECONDS: Final = 60


def self_test() -> int:
    """How many of the two are not as they should be."""
    guided, blind = finds(guided=True), finds(guided=False)
    print(f"a bug behind five decisions, within {RUNS} runs: {'found' if guided else 'NOT FOUND'}")
    print(f"the same without looking at what is reached: {'FOUND' if blind else 'not found'}")
    return (not guided) + blind


def finds(*, guided: bool) -> bool:
    """Whether the bug is found that was planted."""
    with TemporaryDirectory() as place:
        options = [f"-runs={RUNS}", "-seed=1", f"-artifact_prefix={place}/"]
        return "Bug" in run(PLANTED, [], options, SECONDS, guided=guided)
