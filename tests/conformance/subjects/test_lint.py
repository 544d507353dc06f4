"""The kit's side of the lines, played against a program."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tunnel_conformance.subjects.lint import lint, main

from tests.conformance.subjects.stage import SOURCES, python
from tests.io.asynchronous import asynchronous

PEER = python("peer.py")


async def linted(*command: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return await lint(command, {}, said.append, seconds=2.0), said


@asynchronous
async def test_a_program_that_keeps_to_the_lines_is_all_right(tmp_path: Path) -> None:
    wrong, said = await linted(*PEER, str(tmp_path / "tunnel"))

    assert wrong == 0
    assert "note   guest status has no closedBecause: cases that ask why a tunnel is over are not testable" in said
    assert {f"ok     {who}" for who in ("host open", "guest join", "guest say", "host listen", "guest close")} <= set(
        said
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("untyped", "guest say: Expected `int`, got `str` - at `$.seq` in its result"),
        ("unnamed", "host open: Object missing required field `joinLink` in its result"),
        ("yes", "host something that there is not is answered with a result"),
        ("stray", "host a line on stdout that is no answer: 'hello'"),
        ("deaf", "host did not hear message 1, 'hello'"),
        ("hasty", "guest did not wait for a message"),
        ("numbered", "host an answer: Expected `int`, got `str` - at `$.id`"),
        ("made up", "guest status: Invalid enum value 'bored' - at `$.closedBecause` in its result"),
        ("mute", "guest is not told why the tunnel is over: closedBecause is None, not 'closed_by_host'"),
        ("refuses", "host open: not today"),
        ("dies", "Its process ended with status 1"),
    ],
)
@asynchronous
async def test_what_is_wrong_is_named(tmp_path: Path, wrong: str, says: str) -> None:
    count, said = await linted(*PEER, str(tmp_path / "tunnel"), wrong)

    assert count >= 1
    assert any(line.startswith("WRONG  ") and says in line for line in said), said


@asynchronous
async def test_one_that_never_runs_is_wrong() -> None:
    assert await linted("no-such-program") == (
        1,
        [
            "WRONG  The command 'no-such-program' cannot be started: no such program: check its name, and that it is on PATH."
        ],
    )


@asynchronous
async def test_the_kit_s_own_other_side_speaks_in_lines_but_has_no_tunnel() -> None:
    command = [sys.executable, "-m", "tunnel_conformance.subjects.lint", "--subject"]
    said: list[str] = []

    wrong = await lint(command, {"PYTHONPATH": SOURCES}, said.append)

    assert wrong == 3
    assert [line for line in said if line.startswith("WRONG")] == [
        "WRONG  host did not hear message 2, 'hello'",
        "WRONG  guest did not hear message 2, 'hello'",
        "WRONG  guest did not wait for a message while it was asked something else",
    ]


def test_the_exit_status_is_the_verdict(tmp_path: Path) -> None:
    good = CliRunner().invoke(main, ["--", *PEER, str(tmp_path / "one")])
    bad = CliRunner().invoke(main, ["--", *PEER, str(tmp_path / "other"), "stray"])
    none = CliRunner().invoke(main, [])

    assert (good.exit_code, bad.exit_code, none.exit_code) == (0, 1, 2)
    assert "All lines are as they should be." in good.output
    assert "1 wrong" in bad.output
    assert "Name the program" in none.output


def test_as_a_subject_it_reads_what_it_is_asked() -> None:
    asked = '{"id":1,"do":"status","args":{}}\n'
    good = CliRunner().invoke(main, ["--subject"], input=asked)
    bad = CliRunner().invoke(main, ["--subject"], input="hello\n" + asked)

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert '"result"' in good.stdout
    assert "WRONG  not JSON: hello" in bad.stderr
