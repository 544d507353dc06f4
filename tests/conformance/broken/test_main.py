"""The command that runs broken implementations."""

import os
import subprocess
import sys

from tunnel_conformance.broken.registry import BROKEN

from tests.conformance.broken.playing import PYTHON

COMMAND = (sys.executable, "-m", "tunnel_conformance.broken")


def ran(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words], check=False, input=given, capture_output=True, env={**os.environ, **PYTHON}, timeout=30
    )


def test_it_lists_them_all_with_what_they_do_wrong() -> None:
    lines = ran("--list").stdout.decode().splitlines()

    assert [line.split()[0] for line in lines] == [broken.id for broken in BROKEN]
    assert all(broken.doc in line for broken, line in zip(BROKEN, lines, strict=True))


def test_it_shows_who_is_to_fail_what() -> None:
    lines = ran("--kills").stdout.decode().splitlines()

    assert any(line.startswith("lock-after-leave ") and "host-reuses-the-link-after-leave" in line for line in lines)


def test_a_name_that_nobody_has_is_an_error_with_a_hint() -> None:
    found = ran("host-never-expire")

    assert found.returncode == 2
    assert b"did you mean 'host-never-expires'?" in found.stderr


def test_without_a_name_it_is_the_correct_one() -> None:
    assert ran(given=b'{"id":7,"do":"status","args":{}}\n').stdout.startswith(b'{"id":7,"result":')


def test_it_serves_mcp_where_that_is_asked_for() -> None:
    hello = (
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
        b'"clientInfo":{"name":"test","version":"0"}}}\n'
    )

    assert b'"serverInfo"' in ran("--mcp", "host-trusts-from", given=hello).stdout
