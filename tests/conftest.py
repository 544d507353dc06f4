"""Fixtures for all tests."""

import pytest

from tests.conversation import Tunnel
from tests.needs import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "tunnel",
]


@pytest.fixture
def tunnel() -> Tunnel:
    """A world with a host that has not opened yet."""
    return Tunnel()
