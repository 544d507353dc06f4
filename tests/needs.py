"""Tests that need a program beyond Python name it; where it is missing they are left out by name, and in CI that is an error.

Such a test is marked with `@pytest.mark.needs("faketime")`.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

INSTALL: Final = {
    "chromium": "Debian: apt-get install chromium; macOS: brew install chromium",
    "dot": "Debian: apt-get install graphviz; macOS: brew install graphviz",
    "faketime": "Debian: apt-get install faketime; macOS: brew install libfaketime",
    "git": "Debian: apt-get install git; macOS: xcode-select --install",
    "ssh": "Debian: apt-get install openssh-client; macOS has it",
    "ip": "Debian: apt-get install iproute2; network namespaces are Linux only",
    "microsocks": "Debian: apt-get install microsocks; macOS: brew install microsocks",
    "namespaces": "Linux only: run as root, or with CAP_SYS_ADMIN and CAP_NET_ADMIN (Debian: apt-get install iproute2)",
    "nginx": "Debian: apt-get install nginx-light; macOS: brew install nginx",
    "node": "Node 20 or newer, with npm: https://nodejs.org",
    "registry": "the network: packages are installed from the Python Package Index",
    "nft": "Debian: apt-get install nftables; Linux only",
    "proc": "Linux only: what a process has open is read in /proc",
    "ps": "Debian: apt-get install procps; macOS has it",
    "spin": "Debian: apt-get install spin gcc libc6-dev; macOS: brew install spin, and the command line tools",
    "tinyproxy": "Debian: apt-get install tinyproxy; macOS: brew install tinyproxy",
    "tun": "Linux only: run as root, on a kernel that has /dev/net/tun",
}
"""How to install what tests need."""

_LEFT_OUT: Final = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): the test runs a program that may be missing")
    config.stash[_LEFT_OUT] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needed = {program for item in items for program in _needed(item)}
    missing = {program for program in needed if is_missing(program)}
    left_out = [item for item in items if missing & _needed(item)]
    for item in left_out:
        config.stash[_LEFT_OUT].update(missing & _needed(item))
        items.remove(item)
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what it has left out; in CI nothing may be."""
    left_out = session.config.stash[_LEFT_OUT]
    if isinstance(told := getattr(session.config, "workeroutput", None), dict):
        told["left_out"] = dict(left_out)
    elif left_out and os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # pytest-xdist has no types
    """All workers look at the same tests, and leave out the same ones."""
    node.config.stash[_LEFT_OUT] |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for program, tests in sorted(config.stash[_LEFT_OUT].items()):
        missing = "missing in CI" if os.environ.get("CI") == "true" else "left out"
        terminalreporter.write_line(f"{missing}: {tests} tests that need {program}. {INSTALL[program]}", yellow=True)


def is_missing(program: str) -> bool:
    """Whether this machine does not have it, or does not let us use it."""
    if program == "node":
        return shutil.which("npm") is None or not _runs(
            ["node", "-e", "process.exit(+(parseInt(process.versions.node) < 20))"]
        )
    if program == "registry":
        # Something small that is installed anyway is asked for anew, and not installed.
        asked = ["--dry-run", "--no-deps", "--refresh", "--reinstall", "--python", sys.executable, "iniconfig"]
        return not _runs([sys.executable, "-m", "uv", "pip", "install", *asked])
    if program == "spin":
        return shutil.which("spin") is None or shutil.which("gcc") is None
    if program == "proc":
        return not Path("/proc/self/environ").exists()
    if program == "tun":
        return not os.access("/dev/net/tun", os.R_OK | os.W_OK)
    if program != "namespaces":
        return shutil.which(program) is None
    if any(shutil.which(tool) is None for tool in ("ip", "unshare")):
        return True
    # What these tests do first: a machine of its own network, and files of its own.
    tried = ["unshare", "--net", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return not _runs(tried)


def _runs(command: list[str]) -> bool:
    """Whether a command can be run, and ends well."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _needed(item: pytest.Item) -> set[str]:
    return {str(program) for marker in item.iter_markers("needs") for program in marker.args}
