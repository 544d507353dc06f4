"""Names, proxies and ports are tried as the tunnel will use them, and each trouble names its remedy."""

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.app.doctor.machines import API, HURRY, knows, machine, the
from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, says
from tests.standins import doh as server
from tests.standins.certificates import Authority
from tests.standins.programs import free_port
from tunnel.app.doctor.findings import Verdict
from tunnel.app.doctor.network import api, dns, doh, edge, proxy
from tunnel.io.reach import Address

EDGES = ("edge1.example.net", "edge2.example.net")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def hangs(_name: str) -> list[Address]:
    await asyncio.Event().wait()
    return []


async def cannot_exist(name: str) -> list[Address]:
    raise UnicodeError(name)


# --- Names ---------------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_name_that_the_system_knows(tmp_path: Path) -> None:
    assert the(Verdict.OK, await dns(machine(tmp_path))).found == f"the system's resolver knows {API} (127.0.0.1)"


@pytest.mark.parametrize(
    ("lookup", "found"),
    [
        (knows({}), f"knows no address of {API} (Name or service not known)"),
        (cannot_exist, f"knows no address of {API} (it cannot exist)"),
        (hangs, "did not answer within 0.2 s"),
    ],
    ids=["it does not know it", "it cannot be asked", "it hangs"],
)
@asynchronous
async def test_a_resolver_that_does_not_help(lookup: server.Reply, found: str, tmp_path: Path) -> None:
    said = the(Verdict.PROBLEM, await dns(machine(tmp_path, lookup=lookup, patience=HURRY)))

    assert said.found == f"the system's resolver {found}"
    assert said.todo


@asynchronous
async def test_dns_over_https_that_is_off_is_worth_a_note(tmp_path: Path) -> None:
    assert "off" in the(Verdict.NOTE, await doh(machine(tmp_path))).found


@asynchronous
async def test_dns_over_https_that_answers(tmp_path: Path, authority: Authority) -> None:
    tls = authority.issue("127.0.0.1").server()
    async with server.doh_server(tls, server.knows({f"{API}.": ["192.0.2.7"]})) as (url, _):
        at = machine(tmp_path, variables={"TUNNEL_DOH": url, "TUNNEL_CA_FILE": str(authority.file)})

        assert "192.0.2.7" in the(Verdict.OK, await doh(at)).found


@pytest.mark.parametrize(
    ("variables", "environment", "found"),
    [
        ({}, {}, "No server of DNS over HTTPS gave an answer that can be read"),
        ({"TUNNEL_CA_FILE": "/nonesuch"}, {}, "TUNNEL_CA_FILE names"),
        ({}, {"HTTPS_PROXY": "gopher://secret"}, "HTTPS_PROXY names no proxy"),
    ],
    ids=["nobody answers", "a file that is not there", "a proxy that cannot be"],
)
@asynchronous
async def test_dns_over_https_that_does_not_help_is_worth_a_note(
    variables: dict[str, str], environment: dict[str, str], found: str, tmp_path: Path
) -> None:
    url = {"TUNNEL_DOH": f"https://doh.example.net:{free_port()}"}
    names = knows({"doh.example.net": "127.0.0.1"})
    at = machine(tmp_path, variables={**url, **variables}, environment=environment, lookup=names)
    said = the(Verdict.NOTE, await doh(at))

    assert said.found.startswith(found)
    assert "TUNNEL_DOH" in said.todo


# --- The proxy -----------------------------------------------------------------------------------------------------------


@asynchronous
async def test_without_a_proxy_none_is_used(tmp_path: Path) -> None:
    assert the(Verdict.OK, await proxy(machine(tmp_path))).found == "none is used"


@asynchronous
async def test_a_proxy_is_named_without_its_password(tmp_path: Path) -> None:
    at = machine(tmp_path, environment={"https_proxy": "http://user:secret@proxy.example.net:3128"})
    said = the(Verdict.NOTE, await proxy(at))

    assert "the proxy in https_proxy (proxy.example.net:3128)" in said.found
    assert "secret" not in repr(said)
    assert "NO_PROXY" in said.todo
    assert "cloudflared" in said.todo


@asynchronous
async def test_beside_another_transport_a_proxy_says_nothing_of_cloudflared(tmp_path: Path) -> None:
    environment = {"https_proxy": "http://proxy.example.net:3128"}
    at = machine(tmp_path, environment=environment, variables={"TUNNEL_TRANSPORT": "direct"})

    assert the(Verdict.NOTE, await proxy(at)).todo == "To go around it, name hosts in NO_PROXY."


@asynchronous
async def test_a_proxy_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    said = the(Verdict.PROBLEM, await proxy(machine(tmp_path, environment={"HTTPS_PROXY": "gopher://secret"})))

    assert said.found.startswith("HTTPS_PROXY names no proxy")
    assert "secret" not in repr(said)


# --- The way out ---------------------------------------------------------------------------------------------------------


@asynchronous
async def test_an_api_that_answers(tmp_path: Path, authority: Authority) -> None:
    async with answering(says(b"HTTP/1.1 405 No\r\n\r\n"), authority.issue(API).server()) as port:
        at = machine(tmp_path, variables={"TUNNEL_CA_FILE": str(authority.file)}, api_port=port)

        assert the(Verdict.OK, await api(at)).found == f"{API} answers"


@asynchronous
async def test_an_api_that_is_not_reached(tmp_path: Path) -> None:
    said = the(Verdict.PROBLEM, await api(machine(tmp_path, api_port=free_port())))

    assert said.found == f"{API} refused the connection"
    assert "HTTPS_PROXY" in said.todo


@asynchronous
async def test_where_no_name_is_found_the_advice_is_about_names(tmp_path: Path) -> None:
    at = machine(tmp_path, lookup=knows({}))
    findings = [the(Verdict.PROBLEM, await look(at)) for look in (api, edge)]

    assert findings[0].found == f"no address of {API} was found"
    assert findings[1].found == "; ".join(f"no address of {host} was found" for host in EDGES)
    assert all(said.todo.startswith("Check whether this machine is online, and its name servers.") for said in findings)
    assert not any(" out" in said.todo for said in findings)


@pytest.mark.parametrize("there", EDGES)
@asynchronous
async def test_one_host_of_the_edge_is_enough(there: str, tmp_path: Path) -> None:
    async with answering(says(b"")) as port:
        at = machine(tmp_path, edge_port=port, lookup=knows({there: "127.0.0.1"}))

        assert the(Verdict.OK, await edge(at)).found.startswith(f"{there} takes connections")


@asynchronous
async def test_an_edge_that_is_not_reached(tmp_path: Path) -> None:
    async def lookup(name: str) -> list[Address]:
        return await hangs(name) if name == EDGES[1] else [ip_address("127.0.0.1")]

    port = free_port()
    said = the(Verdict.PROBLEM, await edge(machine(tmp_path, edge_port=port, lookup=lookup, patience=HURRY)))

    assert (
        said.found
        == f"{EDGES[0]} refused the connection; the resolver, asked for {EDGES[1]}, did not answer within 0.2 s"
    )
    assert f"TCP (and UDP) {port}" in said.todo


@asynchronous
async def test_the_edge_is_never_tried_through_a_proxy(tmp_path: Path) -> None:
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}"}
    async with answering(says(b"")) as port:
        at = machine(tmp_path, edge_port=port, lookup=knows({EDGES[0]: "127.0.0.1"}), environment=environment)

        the(Verdict.OK, await edge(at))
