"""Runs the official conformance tests of MCP against the server, and compares every check of theirs with what is expected.

Which checks fail and why stands in `mcp_conformance.toml`: one that fails and is not named there is a failure, and so is
one that is named and does not fail. A scenario that passes or fails as a whole would hide the one behind the other.

`python -m tests.app.mcp_conformance` downloads the tests with npx. Node is found on the PATH, or is the program that the
environment variable NODE names.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

PACKAGE: Final = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
SUITES: Final = (("--suite", "active"), ("--requirements", "2026-07-28"))
"""What the package is asked for: the versions with a handshake, and the one without."""

EXPECTED: Final = Path(__file__).with_suffix(".toml")
OLDEST_NODE: Final = 22
SUITE_SECONDS: Final = 600

BAD: Final = frozenset({"FAILURE", "WARNING"})

Check: TypeAlias = tuple[str, str]
"""A scenario, and the id of a check of it."""

_FOLDER: Final = re.compile(r"server-(?P<scenario>.+?)-\d{4}-\d{2}-\d{2}T[\d-]+Z")
_ANNOUNCED: Final = re.compile(r"\((\d+) scenarios\)")


class Unusable(Exception):
    """The tests cannot be run, or have not run to their end; the text says what to do."""


class Suite:
    """What one run of the package has left behind.

    Args:
        folder: where its results are.
        printed: what it said meanwhile.

    Raises:
        Unusable: not every scenario that it announced has left something.
    """

    def __init__(self, folder: Path, printed: str) -> None:
        self.statuses: Counter[str] = Counter()
        self.failed: dict[Check, str] = {}
        """What each failed check says."""
        found = [(_FOLDER.fullmatch(results.parent.name), results) for results in folder.glob("*/checks.json")]
        self.scenarios = len(found)
        announced = _ANNOUNCED.search(printed)
        if announced is None or int(announced[1]) != self.scenarios:
            raise Unusable(f"The tests have not run to their end. The last that they said:\n{printed[-2000:]}")
        for named, results in sorted(found, key=lambda one: one[1]):
            for check in json.loads(results.read_text("utf-8")):
                self.statuses[check["status"]] += 1
                if check["status"] in BAD:
                    self.failed[named["scenario"] if named else "", check["id"]] = check.get("errorMessage", "")


def expected(file: Path = EXPECTED) -> dict[Check, str]:
    """The checks that fail, each with its reason."""
    table = tomllib.loads(file.read_text("utf-8"))
    return {(scenario, check): reason for scenario, checks in table.items() for check, reason in checks.items()}


def differences(reasons: Mapping[Check, str], suites: Iterable[Suite]) -> list[str]:
    """What is not as expected, a sentence each."""
    failed: dict[Check, str] = {}
    for suite in suites:
        failed |= suite.failed
    found = [f"{' / '.join(check)} failed: {failed[check]}" for check in sorted(failed) if check not in reasons]
    stale = [check for check in sorted(reasons) if check not in failed]
    return found + [f"{' / '.join(check)} did not fail: take it out of {EXPECTED.name}." for check in stale]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment in which npx, and whatever it starts, finds the right Node.

    Raises:
        Unusable: there is none, or it is too old.
    """
    node = Path(given.get("NODE") or "node")
    path = f"{node.absolute().parent}{os.pathsep}{given.get('PATH', '')}" if node.parts[1:] else given.get("PATH", "")
    found = {**given, "PATH": path}
    try:
        said = subprocess.run(["node", "--version"], env=found, capture_output=True, text=True, check=True).stdout
        major = int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        said, major = "none", 0
    if major < OLDEST_NODE:
        raise Unusable(
            f"Node {OLDEST_NODE} or newer is needed; found: {said.strip()}. npm has it as a package: `npm install --prefix "
            "DIR node@22`, then `make mcp-conformance NODE=DIR/node_modules/node/bin/node`."
        )
    return found


@contextmanager
def a_mount() -> Generator[str]:
    """The URL of the server, which is ended afterwards."""
    with subprocess.Popen([sys.executable, "-m", "tests.app.http_mount"], stdout=subprocess.PIPE, text=True) as mount:
        try:
            assert mount.stdout
            yield mount.stdout.readline().strip()
        finally:
            mount.terminate()


def run(url: str, asked: tuple[str, ...], folder: Path, found: Mapping[str, str]) -> Suite:
    """Run one suite against the server.

    Raises:
        Unusable: it has not run to its end.
    """
    command = ["npx", "--yes", PACKAGE, "server", "--url", url, *asked, "--output-dir", str(folder)]
    try:
        ran = subprocess.run(command, env=found, capture_output=True, text=True, timeout=SUITE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable(f"npx did not run the tests ({type(error).__name__}). Is it there, and the network?") from None
    return Suite(folder, ran.stdout + ran.stderr)


def main() -> int:
    """Run all suites, and tell; 0 when everything is as expected."""
    reasons = expected()
    suites = list[Suite]()
    try:
        found = environment(os.environ)
        with a_mount() as url, tempfile.TemporaryDirectory() as folder:
            for number, asked in enumerate(SUITES):
                suites.append(run(url, asked, Path(folder, str(number)), found))
                statuses = ", ".join(f"{count} {status}" for status, count in sorted(suites[-1].statuses.items()))
                print(f"{' '.join(asked)}: {suites[-1].scenarios} scenarios, checks: {statuses}", flush=True)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    wrong = differences(reasons, suites)
    print("\n".join([*wrong, f"{len(reasons)} checks are expected to fail; {len(wrong)} are not as expected."]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
