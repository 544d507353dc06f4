"""A transport that an open would fail with is a problem before, and one that is well is said to be so."""

import asyncio
from pathlib import Path

import pytest

from tests.app.doctor.machines import API, machine, the, verdicts
from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, says
from tests.standins.certificates import Authority
from tests.standins.programs import free_port
from tunnel.app.doctor.carrier import carrier
from tunnel.app.doctor.findings import Finding, Verdict


async def looked(home: Path, path: Path | None = None, /, **variables: str) -> list[Finding]:
    return await carrier(machine(home, variables=variables, environment={"PATH": str(path or "")}))


@pytest.mark.parametrize("transport", ["", "cloudflared", "clodflared", "direct", "command"])
@asynchronous
async def test_cloudflared_and_what_cannot_be_chosen_are_for_other_looks(transport: str, tmp_path: Path) -> None:
    assert await looked(tmp_path, TUNNEL_TRANSPORT=transport) == []


@asynchronous
async def test_loopback_can_always_listen(tmp_path: Path) -> None:
    found = the(Verdict.OK, await looked(tmp_path, TUNNEL_TRANSPORT="loopback"))

    assert found.found == "loopback can listen at 127.0.0.1, at a port that the system chooses"


@asynchronous
async def test_an_address_of_another_machine_is_a_problem(tmp_path: Path) -> None:
    said = the(Verdict.PROBLEM, await looked(tmp_path, TUNNEL_TRANSPORT="direct", TUNNEL_URL="http://10.99.99.99:9000"))

    assert said.found == "This machine cannot listen at 10.99.99.99"
    assert said.todo == "Choose one of its own addresses."


@asynchronous
async def test_a_port_that_is_taken_is_a_problem_and_a_free_one_is_given_back(tmp_path: Path) -> None:
    async with answering(says(b"")) as port:
        taken = await looked(tmp_path, TUNNEL_TRANSPORT="direct", TUNNEL_URL=f"http://127.0.0.1:{port}")
    free = free_port()
    well = await looked(tmp_path, TUNNEL_TRANSPORT="direct", TUNNEL_URL=f"http://127.0.0.1:{free}")
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", free)
    server.close()

    assert the(Verdict.PROBLEM, taken).found == f"Port {port} at 127.0.0.1 is taken"
    assert the(Verdict.OK, well).found == f"direct can listen at 127.0.0.1, port {free}"


@pytest.mark.parametrize(
    ("variables", "program"),
    [
        ({"TUNNEL_TRANSPORT": "ngrok"}, "ngrok"),
        ({"TUNNEL_TRANSPORT": "command", "TUNNEL_COMMAND": "carry {port}"}, "carry"),
    ],
    ids=["a preset", "a command"],
)
@asynchronous
async def test_a_program_that_is_not_there_is_a_problem(
    variables: dict[str, str], program: str, tmp_path: Path
) -> None:
    listens, missing = await looked(tmp_path, **variables)
    (tmp_path / program).write_text("#!/bin/sh\n")
    (tmp_path / program).chmod(0o755)
    _, there = await looked(tmp_path, tmp_path, **variables)

    assert verdicts([listens, missing, there]) == ["ok", "problem", "ok"]
    assert missing.found == f"The program {program} is not installed, or not on PATH"
    assert missing.todo
    assert there.found.startswith(f"{tmp_path / program} is there")


@asynchronous
async def test_a_tls_edge_that_answers_is_well_and_one_that_does_not_is_worth_a_note(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    variables = {"TUNNEL_TRANSPORT": "direct", "TUNNEL_PORT": str(free_port()), "TUNNEL_CA_FILE": str(authority.file)}
    async with answering(says(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), authority.issue(API).server()) as port:
        well = await looked(tmp_path, TUNNEL_URL=f"https://{API}:{port}", **variables)
    gone = await looked(tmp_path, TUNNEL_URL=f"https://{API}:{port}", **variables)

    assert verdicts(well) == ["ok", "ok"]
    assert verdicts(gone) == ["ok", "note"]
    assert gone[1].found == f"the TLS edge of TUNNEL_URL: {API} refused the connection"
