"""Fixtures for the tests of whole systems."""

from pathlib import Path

import pytest

from tests.standins.certificates import Authority


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are coroutines run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
