"""The cloudflared that would be run is named, asked for its version, and never believed more than it says."""

import json
from pathlib import Path

import pytest

from tests.app.doctor.machines import machine, the, verdicts
from tests.io.asynchronous import asynchronous
from tests.standins.cloudflared import calls, install
from tunnel.app.doctor.findings import Verdict
from tunnel.app.doctor.program import cloudflared
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.io.internet import CLOUDFLARED_MANUAL, CLOUDFLARED_VERSION
from tunnel.transport.asset import Machine


def with_path(home: Path | None, folder: Path, **variables: str) -> Surroundings:
    return machine(home, environment={"PATH": str(folder), **variables}, version_seconds=5.0)


@asynchronous
async def test_the_one_on_path_is_named_with_its_version(tmp_path: Path) -> None:
    program, state = install(tmp_path / "bin"), tmp_path / "state"
    at = with_path(tmp_path, program.parent, STANDIN_STATE=str(state), TUNNEL_TOKEN="secret")
    found = the(Verdict.OK, await cloudflared(at))

    assert found.found == f"{program}, version 2026.6.1"
    (call,) = calls(state)
    assert "secret" not in json.dumps(call.environment)


@asynchronous
async def test_the_one_at_home_is_found(tmp_path: Path) -> None:
    program = install(tmp_path / ".tunnel" / "bin")

    assert str(program) in the(Verdict.OK, await cloudflared(machine(tmp_path, version_seconds=5.0))).found


@pytest.mark.parametrize(("mode", "seconds"), [("impostor", 5.0), ("mute", 0.3)])
@asynchronous
async def test_another_program_of_its_name_is_a_problem(mode: str, seconds: float, tmp_path: Path) -> None:
    program = install(tmp_path / "bin")
    environment = {"PATH": str(program.parent), "STANDIN_MODE": mode}
    found = the(Verdict.PROBLEM, await cloudflared(machine(tmp_path, environment=environment, version_seconds=seconds)))

    assert "does not answer like cloudflared" in found.found
    assert CLOUDFLARED_MANUAL in found.todo


@asynchronous
async def test_none_is_a_note_because_it_will_be_downloaded(tmp_path: Path) -> None:
    found = the(Verdict.NOTE, await cloudflared(machine(tmp_path)))

    assert f"version {CLOUDFLARED_VERSION} is downloaded" in found.found
    assert not (tmp_path / ".tunnel").exists()


@asynchronous
async def test_none_and_nowhere_to_put_it_is_a_problem() -> None:
    assert "HOME" in the(Verdict.PROBLEM, await cloudflared(machine(None))).found


@asynchronous
async def test_none_and_none_for_this_machine_is_a_problem(tmp_path: Path) -> None:
    at = machine(tmp_path, machine=Machine("Plan9", "mips"))

    assert "none can be downloaded for Plan9" in the(Verdict.PROBLEM, await cloudflared(at)).found


@asynchronous
async def test_one_that_cannot_be_run_is_a_problem_at_home_and_passed_over_on_path(tmp_path: Path) -> None:
    for folder in (tmp_path / "bin", tmp_path / ".tunnel" / "bin"):
        install(folder).chmod(0o600)
    findings = await cloudflared(with_path(tmp_path, tmp_path / "bin"))

    assert verdicts(findings) == ["problem", "note"]
    assert "it is passed over" in findings[1].found
