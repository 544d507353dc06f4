"""A join that fails says at which stage, what was found, and what to do: for every stage, from a real server on a real network.

One guest after the other fails on the way to one host. With `-s` the table of what they are told is printed.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from tests.app.processes import Server
from tests.standins.certificates import Authority, Certificate
from tests.standins.namespaces import Machine, network
from tests.standins.nginx import configured
from tests.system.talking import a_person
from tunnel import crypto
from tunnel.spec.v1.constants import KEY_BYTES

pytestmark = [pytest.mark.needs("namespaces"), pytest.mark.needs("nginx"), pytest.mark.needs("tinyproxy")]

NAME, OTHER_NAME, NOBODY = "staging.example", "other.example", "nobody.example"
EDGE, OLD_EDGE, RELAY, DEAF, PROXY, CLOSED = 443, 8443, 8001, 8002, 3128, 9
ANOTHER_KEY = crypto.encode_base64url(bytes(KEY_BYTES))
DEAF_PROGRAM = "import socket, sys, time; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); time.sleep(120)"

CASES = {
    "no join link": "The join link",
    "without TLS into the internet": "Link",
    "a name that nobody knows": "DNS",
    "nobody listens": "TCP",
    "no way there": "TCP",
    "a proxy that is not there": "Proxy",
    "a proxy that forbids it": "Proxy",
    "a variable that names no proxy": "Proxy",
    "a certificate of an authority that nobody trusts": "TLS",
    "a certificate of another name": "TLS",
    "a certificate that has expired": "TLS",
    "no TLS": "TLS",
    "an edge with no tunnel behind it": "WebSocket",
    "a relay with another tunnel": "WebSocket",
    "a server that does not answer": "WebSocket",
    "a wrong key": "auth",
    "a link that is used": "auth",
}
"""What is wrong, and which stage is named."""


async def said_to_guests(folder: Path) -> dict[str, str]:
    """What they are told, by case."""
    authority = Authority(folder)
    with ExitStack() as undoing:
        at = undoing.enter_context(network(("host", "guest")))
        host, guest = at["host"], at["guest"]
        address = host.addresses["guest"]
        guest.knows({NAME: address, OTHER_NAME: address})
        for command, port in services(host, address, folder, authority):
            undoing.enter_context(host.running(command, port, folder / f"{port}.log"))
        url = f"http://{address}:{RELAY}"
        async with a_person(*host.prefix, TUNNEL_TRANSPORT="direct", TUNNEL_URL=url) as alice:
            link = (await alice.call("tunnel_open", goal="pair"))["joinLink"]
            groups = await asyncio.gather(*(fail_at(guest, *group) for group in guests(address, link, authority)))
    return {case: words for group in groups for case, words in group.items()}


def services(host: Machine, address: str, folder: Path, authority: Authority) -> Iterator[tuple[list[str], int]]:
    """What runs at the host beside its relay: commands, and where they listen."""

    def an_edge(port: int, certificate: Certificate) -> tuple[list[str], int]:
        home = folder / f"edge-{port}"
        home.mkdir()
        return configured(home, certificate, RELAY, address=address, port=port), port

    year_before = datetime(2011, 1, 1, tzinfo=UTC)
    yield an_edge(EDGE, authority.issue(NAME))
    yield an_edge(OLD_EDGE, authority.issue(NAME, not_before=datetime(2001, 1, 1, tzinfo=UTC), not_after=year_before))
    yield [sys.executable, "-c", DEAF_PROGRAM, address, str(DEAF)], DEAF
    configuration = folder / "tinyproxy.conf"
    configuration.write_text(f"Port {PROXY}\nListen {address}\nMaxClients 20\nConnectPort 563\n")
    yield ["tinyproxy", "-d", "-c", str(configuration)], PROXY


Group = tuple[dict[str, str], dict[str, str]]


def guests(address: str, link: str, authority: Authority) -> Iterator[Group]:
    """The environment of each guest, and the links with which it fails."""
    base, _, key = link.partition("#")
    path = f"/t/{base.rpartition('/')[2]}#{key}"
    off = {"TUNNEL_DOH": "off"}
    yield (
        off,
        {
            "no join link": f"see https://{NAME}{path}",
            "without TLS into the internet": f"ws://8.8.8.8{path}",
            "a name that nobody knows": f"wss://{NOBODY}{path}",
            "nobody listens": f"ws://{address}:{CLOSED}{path}",
            "no way there": f"ws://192.168.77.1{path}",
            "a certificate of an authority that nobody trusts": f"wss://{NAME}{path}",
            "no TLS": f"wss://{NAME}:{RELAY}{path}",
            "a relay with another tunnel": f"ws://{address}:{RELAY}/t/00ff#{key}",
            "a wrong key": f"{base}#{ANOTHER_KEY}",
            "a link that is used": link,
        },
    )
    yield (
        {**off, "TUNNEL_CA_FILE": str(authority.file)},
        {
            "a certificate of another name": f"wss://{OTHER_NAME}{path}",
            "a certificate that has expired": f"wss://{NAME}:{OLD_EDGE}{path}",
            "an edge with no tunnel behind it": f"wss://{NAME}{path}",
            "a server that does not answer": f"ws://{address}:{DEAF}{path}",
        },
    )
    through = f"wss://{NAME}{path}"
    yield {"https_proxy": f"http://{address}:{CLOSED}"}, {"a proxy that is not there": through}
    yield {"https_proxy": f"http://{address}:{PROXY}"}, {"a proxy that forbids it": through}
    yield {"https_proxy": "gopher://bob:secret@proxy"}, {"a variable that names no proxy": through}


async def fail_at(guest: Machine, variables: dict[str, str], links: dict[str, str]) -> dict[str, str]:
    async with a_person(*guest.prefix, **variables) as bob:
        return {case: await failed(bob, case, link) for case, link in links.items()}


async def failed(guest: Server, case: str, link: str) -> str:
    if case == "a link that is used":
        await guest.call("tunnel_join", joinLink=link)
        await guest.call("tunnel_close")
    return await guest.fail("tunnel_join", joinLink=link)


def table(words: Mapping[str, str]) -> str:
    console = Console(width=150, color_system=None)
    rows = Table("stage", "what is wrong", "what the guest's agent is told", box=box.ASCII2, show_lines=True)
    for case, stage in CASES.items():
        rows.add_row(stage, case, words.get(case, ""))
    with console.capture() as text:
        console.print(rows)
    return text.get()


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    told = asyncio.run(said_to_guests(tmp_path_factory.mktemp("stages")))
    print(f"\n{table(told)}")
    return told


@pytest.mark.parametrize(("case", "stage"), CASES.items(), ids=CASES)
def test_a_join_that_fails_names_the_stage_and_the_next_step(words: Mapping[str, str], case: str, stage: str) -> None:
    """LINK-10, LINK-11: and it never repeats the key."""
    told = words[case]
    found, _, next_step = told.partition(". ")

    assert found.lower().startswith(stage.lower())
    assert next_step.endswith((".", "!"))
    assert told.isprintable()
    assert ANOTHER_KEY not in told
    assert "secret" not in told
    assert "#" not in told
