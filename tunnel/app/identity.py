"""The name by which the peer's person knows this side: git's user name, else the system's, else `anonymous`.

What git prints is input from outside: it is bounded in time and size, and made visible before anybody sees it.
"""

import getpass
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from tunnel.core.text import ANONYMOUS, shown_name
from tunnel.spec.v1.constants import NAME_BYTES

GIT_SECONDS: Final = 2.0
_ASK_GIT: Final = ("git", "config", "user.name")


def run_git(command: Sequence[str]) -> bytes:
    """What the command prints; nothing when it fails, is not there, or takes longer than GIT_SECONDS."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS, check=False)  # noqa: S603 - a fixed command
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def system_user() -> str:
    """The name of the user at the system; empty when it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def display_name(git: Callable[[Sequence[str]], bytes] = run_git, user: Callable[[], str] = system_user) -> str:
    """The display name, safe to show."""
    for found in (git(_ASK_GIT)[: 4 * NAME_BYTES].decode("utf-8", "replace").strip(), user().strip()):
        if found:
            return shown_name(found, NAME_BYTES)
    return ANONYMOUS
