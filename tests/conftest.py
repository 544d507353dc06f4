"""Fixtures for all tests."""

import os

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


# Whoever tests has skills of their own, which stay as they are, whoever starts a server.
os.environ.setdefault("TUNNEL_SKIP_SKILL_INSTALL", "1")


@pytest.fixture
def tunnel() -> Tunnel:
    """A world with a host that has not opened yet."""
    return Tunnel()
