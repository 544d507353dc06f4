"""`tunnel-mcp doctor` prints what it found, says how it went by its status, and shows a person that it is alive."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.app.doctor.machines import machine
from tests.io.asynchronous import asynchronous
from tests.standins.programs import free_port
from tunnel.app.doctor.checks import TITLES
from tunnel.app.doctor.command import examined, run
from tunnel.app.doctor.surroundings import Surroundings


def loopback(home: Path) -> Surroundings:
    return machine(home, variables={"TUNNEL_TRANSPORT": "loopback"}, api_port=free_port())


def test_without_a_problem_its_status_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(json=False, at=loopback(tmp_path)) == 0

    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].startswith("No problem, ")
    assert printed.err == ""


def test_with_a_problem_its_status_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(json=True, at=machine(tmp_path, api_port=free_port())) == 1

    rows = json.loads(capsys.readouterr().out)
    assert {row["check"] for row in rows} == set(TITLES) - {"transport"}
    assert "problem" in {row["verdict"] for row in rows}


@asynchronous
async def test_a_person_sees_what_is_waited_for(tmp_path: Path) -> None:
    screen = io.StringIO()
    await examined(loopback(tmp_path), Console(file=screen, force_terminal=True, width=200))

    assert "looking, for at most 15 s: " in screen.getvalue()


@asynchronous
async def test_who_is_no_terminal_sees_nothing(tmp_path: Path) -> None:
    log = io.StringIO()
    await examined(loopback(tmp_path), Console(file=log))

    assert log.getvalue() == ""


def test_a_transport_with_which_an_open_fails_at_once_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_URL": "http://10.99.99.99:9000"}

    assert run(json=False, at=machine(tmp_path, variables=variables, api_port=free_port())) == 1
    assert "This machine cannot listen at 10.99.99.99" in capsys.readouterr().out


@pytest.mark.needs("namespaces")
def test_the_command_looks_at_the_machine_that_it_runs_on(tmp_path: Path) -> None:
    """In a network in which nothing is: not even a resolver."""
    environment = {**os.environ, "HOME": str(tmp_path), "TUNNEL_TRANSPORT": "loopback"}
    command = ["unshare", "--net", sys.executable, "-m", "tunnel", "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=20)

    verdicts = {row["check"]: row["verdict"] for row in json.loads(done.stdout)}
    assert done.stderr == ""
    assert (verdicts["python"], verdicts["transport"], verdicts["cloudflared"], verdicts["clock"]) == (
        *("ok", "ok", "note", "note"),
    )
    assert done.returncode == 0
