"""The demo shows what it claims, and says so with its exit status."""

import os
import re
import subprocess
import sys

import pytest

from tunnel.app.demo import StepFailedError, _expect, _hidden


def run_demo() -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "TUNNEL_TRANSPORT": "loopback", "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-m", "tunnel", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_the_demo_holds_every_step_and_keeps_stdout_clean() -> None:
    done = run_demo()

    assert done.returncode == 0, done.stderr
    assert "10 steps held" in done.stderr
    assert done.stdout == ""
    assert not re.search(r"#[A-Za-z0-9_-]{43}", done.stderr), "a key was shown"


def test_the_demo_never_shows_a_key() -> None:
    link = "ws://127.0.0.1:1/t/ab#" + "k" * 43

    assert _hidden(link) == "ws://127.0.0.1:1/t/ab#" + "*" * 43


def test_a_step_that_does_not_show_its_claim_fails_the_demo() -> None:
    with pytest.raises(StepFailedError, match="saw something else"):
        _expect(held=False, seen="something else")
