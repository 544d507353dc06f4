"""Fixtures for all tests."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: tests also wait, for processes and sockets."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What the tests themselves hold, in each worker, stays until its end.

    A full collection that goes through all of it stops everything for a third of a second, in the midst of a conversation.
    """
    gc.collect()
    gc.freeze()


# A busy machine must not fail what is right: how long a draw or an example takes is nobody's promise.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
def tunnel() -> Tunnel:
    """A world with a host that has not opened yet."""
    return Tunnel()
