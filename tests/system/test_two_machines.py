"""Two people on two machines, which are joined by a private network, a TLS edge or a proxy: whole conversations.

Each machine is a network namespace, each server a process, and what is between them is the real program.
"""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.app.processes import Server, gone
from tests.standins import cloudflared
from tests.standins.certificates import Authority
from tests.standins.namespaces import Machine, network
from tests.standins.nginx import configured
from tests.system.talking import WELL, a_person, talk

pytestmark = [pytest.mark.anyio, pytest.mark.needs("namespaces")]

NAME = "staging.example"
HTTPS, RELAY, PROXY = 443, 8001, 3128
Proxy = Callable[[Machine, Path], AbstractContextManager[str]]


@contextmanager
def an_edge(
    machine: Machine, folder: Path, authority: Authority, name: str, address: str, relay: int
) -> Generator[None]:
    """Nginx on this machine, in front of its relay."""
    home = folder / "edge"
    home.mkdir()
    command = configured(home, authority.issue(name), relay, address=address, port=HTTPS)
    with machine.running(command, HTTPS, home / "log"):
        yield


@contextmanager
def tinyproxy(machine: Machine, folder: Path) -> Generator[str]:
    """What speaks HTTP; the guest's variable for it."""
    address = machine.addresses["guest"]
    configuration = folder / "tinyproxy.conf"
    configuration.write_text(f"Port {PROXY}\nListen {address}\nTimeout 60\nMaxClients 20\n")
    with machine.running(["tinyproxy", "-d", "-c", str(configuration)], PROXY, folder / "proxy.log"):
        yield f"http://{address}:{PROXY}"


@contextmanager
def microsocks(machine: Machine, folder: Path) -> Generator[str]:
    """What speaks SOCKS 5."""
    address = machine.addresses["guest"]
    with machine.running(["microsocks", "-i", address, "-p", str(PROXY)], PROXY, folder / "proxy.log"):
        yield f"socks5h://{address}:{PROXY}"


@asynccontextmanager
async def a_host_without_tls(machine: Machine, address: str) -> AsyncGenerator[tuple[Server, str]]:
    """A host on a private address, and its link."""
    url = f"http://{address}:{RELAY}"
    async with a_person(*machine.prefix, TUNNEL_TRANSPORT="direct", TUNNEL_URL=url) as alice:
        yield alice, (await alice.call("tunnel_open", goal="pair"))["joinLink"]


@asynccontextmanager
async def a_host_behind_an_edge(machine: Machine) -> AsyncGenerator[tuple[Server, str]]:
    """A host that has a TLS edge in front of it, and its link."""
    where = {"TUNNEL_URL": f"https://{NAME}", "TUNNEL_PORT": str(RELAY)}
    async with a_person(*machine.prefix, TUNNEL_TRANSPORT="direct", **where) as alice:
        yield alice, (await alice.call("tunnel_open", goal="pair"))["joinLink"]


async def test_in_a_private_network_two_machines_need_nothing_between_them() -> None:
    with network(("host", "guest")) as at:
        address = at["host"].addresses["guest"]
        async with a_host_without_tls(at["host"], address) as (alice, link), a_person(*at["guest"].prefix) as bob:
            told = await talk(alice, bob, link)

    assert link.startswith(f"ws://{address}:{RELAY}/t/")
    assert told == WELL


@pytest.mark.needs("nginx")
async def test_a_tls_edge_of_ones_own_leads_to_the_host(tmp_path: Path, authority: Authority) -> None:
    """LINK-12: the link leads to the edge, whose certificate the guest checks."""
    with network(("host", "guest")) as at:
        address = at["host"].addresses["guest"]
        at["guest"].knows({NAME: address})
        with an_edge(at["host"], tmp_path, authority, NAME, address, RELAY):
            trusting = {"TUNNEL_CA_FILE": str(authority.file)}
            async with (
                a_host_behind_an_edge(at["host"]) as (alice, link),
                a_person(*at["guest"].prefix, **trusting) as bob,
                a_person(*at["guest"].prefix) as carol,
            ):
                words = await carol.fail("tunnel_join", joinLink=link)
                told = await talk(alice, bob, link)

    assert link.startswith(f"wss://{NAME}/t/")
    assert words.startswith(f"TLS: the certificate of {NAME} is signed by nobody whom this machine trusts")
    assert told == WELL


PROXIES = [
    pytest.param(tinyproxy, marks=pytest.mark.needs("tinyproxy"), id="tinyproxy"),
    pytest.param(microsocks, marks=pytest.mark.needs("microsocks"), id="microsocks"),
]


@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_guest_whose_only_way_out_is_a_proxy_reaches_a_private_address(tmp_path: Path, proxy: Proxy) -> None:
    with network(("guest", "proxy"), ("proxy", "host")) as at:
        address = at["host"].addresses["proxy"]
        with proxy(at["proxy"], tmp_path) as url:
            async with (
                a_host_without_tls(at["host"], address) as (alice, link),
                a_person(*at["guest"].prefix, all_proxy=url) as bob,
                a_person(*at["guest"].prefix) as carol,
            ):
                words = await carol.fail("tunnel_join", joinLink=link)
                told = await talk(alice, bob, link)
        log = (tmp_path / "proxy.log").read_text()

    # The proxy is really used: there is no other way, and it notes where it leads.
    assert words.startswith(f"TCP: {address} cannot be reached (Network is unreachable).")
    assert address in log
    assert told == WELL


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_guest_whose_only_way_out_is_a_proxy_reaches_an_edge_that_only_the_proxy_can_find(
    tmp_path: Path, authority: Authority, proxy: Proxy
) -> None:
    with network(("guest", "proxy"), ("proxy", "host")) as at:
        address = at["host"].addresses["proxy"]
        at["guest"].knows({})
        at["proxy"].knows({NAME: address})
        trusting = {"TUNNEL_CA_FILE": str(authority.file), "TUNNEL_DOH": "off"}
        with proxy(at["proxy"], tmp_path) as url, an_edge(at["host"], tmp_path, authority, NAME, address, RELAY):
            async with (
                a_host_behind_an_edge(at["host"]) as (alice, link),
                a_person(*at["guest"].prefix, **trusting, https_proxy=url) as bob,
                a_person(*at["guest"].prefix, **trusting) as carol,
            ):
                words = await carol.fail("tunnel_join", joinLink=link)
                told = await talk(alice, bob, link)
        log = (tmp_path / "proxy.log").read_text()

    assert words.startswith(f"DNS: the system's resolver knows no address of {NAME}")
    assert NAME in log or address in log
    assert told == WELL


@pytest.mark.needs("nginx")
async def test_the_address_that_cloudflared_names_leads_through_its_edge(tmp_path: Path, authority: Authority) -> None:
    name, state = "quiet-words.trycloudflare.com", tmp_path / "calls"
    program = cloudflared.install(tmp_path / "bin")
    environment = {
        "TUNNEL_TRANSPORT": "",
        "TUNNEL_SKIP_REACHABILITY_CHECK": "1",
        "PATH": f"{program.parent}:/usr/sbin:/usr/bin:/bin",
        "STANDIN_URL": f"https://{name}",
        "STANDIN_STATE": str(state),
    }
    with network(("host", "guest")) as at:
        address = at["host"].addresses["guest"]
        at["guest"].knows({name: address})
        async with (
            a_person(*at["host"].prefix, **environment) as alice,
            a_person(*at["guest"].prefix, TUNNEL_CA_FILE=str(authority.file)) as bob,
        ):
            opened = await alice.call("tunnel_open", goal="pair")
            (start,) = [call for call in cloudflared.calls(state) if "--url" in call.arguments]
            relay = int(start.arguments[start.arguments.index("--url") + 1].rpartition(":")[2])
            with an_edge(at["host"], tmp_path, authority, name, address, relay):
                told = await talk(alice, bob, opened["joinLink"])
            await gone(start.pid)

    assert opened["transport"] == "cloudflared"
    assert opened["joinLink"].startswith(f"wss://{name}/t/")
    assert told == WELL
