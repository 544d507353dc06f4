"""A close that would be long, so that nobody takes a busy machine for a wait."""

import pytest

from tests.io.wire import LATE_SECONDS
from tunnel.io import accepted, dialer


@pytest.fixture
def closes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for CLOSE_SECONDS waits for LATE_SECONDS instead."""
    for module in (accepted, dialer):
        monkeypatch.setattr(module, "CLOSE_SECONDS", LATE_SECONDS)
