"""`--explore` takes the place of the cases: its exit status says whether a conversation was found that the tables do not have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN = (sys.executable, "-m", "tunnel_conformance.broken")


def kit(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "conformance")])}
    command = [sys.executable, "-m", "tunnel_conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def explored(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return kit("host", "--explore", "30", "--control", "line", "--time", "none", *options, "--", *BROKEN, name)


def test_a_host_that_leaves_its_tables_is_found_and_the_shortest_conversation_is_printed_as_a_case() -> None:
    """LOCK-1."""
    done = explored("host-admits-a-second-guest")

    assert done.returncode == 1, done.stderr
    assert "LOCK-1" in done.stdout
    assert done.stdout.count("[[cases]]") == 1
    assert "tunnel-conformance host --cases explored.toml --control line -- " in done.stdout
    assert '{ do = "join", by = "B", expect = "refused", expects = { reason = "tunnel full" } }' in done.stdout


def test_nothing_is_found_on_a_host_that_keeps_to_them() -> None:
    done = explored("correct", "--seed", "3")

    assert done.returncode == 0, done.stderr
    assert "Nothing was found with seed 3" in done.stdout


def test_what_is_no_implementation_is_not_explored() -> None:
    done = kit(
        "guest", "--explore", "5", "--control", "line", "--time", "none", "--", sys.executable, "-c", "print('hello')"
    )

    assert done.returncode == 3
    assert "HARNESS" in done.stderr


@pytest.mark.parametrize(("option", "value"), [("--only", "LOCK-1"), ("--junit", "x.xml"), ("--ndjson", "x.ndjson")])
def test_what_belongs_to_cases_is_a_mistake_beside_it(option: str, value: str) -> None:
    done = kit("host", "--explore", "5", option, value, "--", "true")

    assert done.returncode == 2
    assert f"leave out {option}" in done.stderr
