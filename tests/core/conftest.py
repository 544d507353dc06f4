"""What all tests of the core share."""

import pytest

from tunnel.core import machine


@pytest.fixture(scope="session", autouse=True)
def _machines_are_built_anew() -> None:
    """Who runs these tests once more in the same process, with a mutant of the code, must not get the machines of before."""
    machine._shared.cache_clear()
