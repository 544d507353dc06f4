"""Python, the system and the environment are judged by what the rest of the program would say of them."""

import tomllib
from pathlib import Path

import pytest

from tests.app.doctor.machines import machine, the, verdicts
from tests.io.asynchronous import asynchronous
from tunnel.app.doctor.findings import Verdict
from tunnel.app.doctor.machine import OLDEST_PYTHON, WHOSE, environment, python

ROOT = Path(__file__).parents[3]


def test_the_oldest_python_is_the_one_that_the_package_says() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert package["requires-python"] == f">={'.'.join(map(str, OLDEST_PYTHON))}"


@pytest.mark.parametrize(
    ("version", "system", "verdict", "found"),
    [
        ((3, 11, 0), "linux", Verdict.OK, "3.11.0"),
        ((3, 14, 2), "darwin", Verdict.OK, "3.14.2"),
        ((3, 10, 9), "linux", Verdict.PROBLEM, "3.10.9 is too old"),
        ((3, 12, 0), "windows", Verdict.PROBLEM, "3.12.0 on Windows"),
    ],
)
@asynchronous
async def test_python_and_system(version: tuple[int, ...], system: str, verdict: Verdict, found: str) -> None:
    assert the(verdict, await python(machine(None, python=version, system=system))).found.startswith(found)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"TUNNEL_TRANSPORT": "clodflared"}, "There is no transport called 'clodflared'"),
        ({"TUNNEL_TRANSPORT": "direct"}, "needs TUNNEL_URL"),
        ({"TUNNEL_TRANSPORT": "command"}, "TUNNEL_COMMAND"),
    ],
)
@asynchronous
async def test_a_transport_that_cannot_be_used_is_a_problem(
    tmp_path: Path, variables: dict[str, str], found: str
) -> None:
    assert found in the(Verdict.PROBLEM, await environment(machine(tmp_path, variables=variables))).found


@asynchronous
async def test_every_variable_that_makes_no_sense_is_a_problem(tmp_path: Path) -> None:
    at = machine(tmp_path, variables={"TUNNEL_PORT": "x", "TUNNEL_BUDGET": "y"})
    findings = await environment(at)

    assert verdicts(findings) == ["problem", "problem"]
    assert all(finding.todo for finding in findings)


@asynchronous
async def test_good_variables_are_good(tmp_path: Path) -> None:
    found = the(Verdict.OK, await environment(machine(tmp_path, variables={"TUNNEL_TRANSPORT": "loopback"})))

    assert found.found == f"the transport is loopback; {WHOSE}"


@pytest.mark.parametrize(
    ("more", "verdict"), [({}, "ok"), ({"TUNNEL_PORT": "x"}, "problem"), ({"TUNNEL_TRANSPORT": "x"}, "problem")]
)
@asynchronous
async def test_a_misspelt_variable_is_worth_a_note(more: dict[str, str], verdict: str, tmp_path: Path) -> None:
    findings = await environment(machine(tmp_path, variables={"TUNNEL_BUDGETT": "3", **more}))

    assert verdicts(findings) == [verdict, "note"]
    assert "Did you mean TUNNEL_BUDGET?" in findings[1].found


@asynchronous
async def test_links_that_are_given_out_early_are_worth_a_note(tmp_path: Path) -> None:
    assert verdicts(await environment(machine(tmp_path, variables={"TUNNEL_SKIP_REACHABILITY_CHECK": "1"}))) == [
        "ok",
        "note",
    ]
