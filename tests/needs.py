"""Tests that need a program beyond Python name it; where it is missing they are left out by name, and in CI that is an error.

Such a test is marked with `@pytest.mark.needs("faketime")`.
"""

import os
import shutil
from collections import Counter
from typing import Final

import pytest

INSTALL: Final = {
    "faketime": "Debian: apt-get install faketime; macOS: brew install libfaketime",
    "git": "Debian: apt-get install git; macOS: xcode-select --install",
}
"""How to install what tests need."""

_LEFT_OUT: Final = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): the test runs a program that may be missing")
    config.stash[_LEFT_OUT] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = {program for program in INSTALL if shutil.which(program) is None}
    left_out = [item for item in items if missing & _needed(item)]
    if left_out and os.environ.get("CI") == "true":
        raise pytest.UsageError("missing in CI: " + "; ".join(f"{name} ({INSTALL[name]})" for name in sorted(missing)))
    for item in left_out:
        config.stash[_LEFT_OUT].update(missing & _needed(item))
        items.remove(item)
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for program, tests in sorted(config.stash[_LEFT_OUT].items()):
        terminalreporter.write_line(f"left out: {tests} tests that need {program}. {INSTALL[program]}", yellow=True)


def _needed(item: pytest.Item) -> set[str]:
    return {str(program) for marker in item.iter_markers("needs") for program in marker.args}
