"""Whole conversations by the ways that guests really take: through a TLS edge, through proxies, and after a lookup elsewhere."""

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.io.asynchronous import asynchronous
from tests.io.dialling import dialled, link_to
from tests.io.wire import Opened, opened
from tests.standins.certificates import Authority, Certificate
from tests.standins.doh import doh_server, knows
from tests.standins.nginx import edge
from tests.standins.programs import free_port
from tests.standins.proxies import http_proxy, socks_proxy, this_machine
from tunnel.core.link import JoinLink
from tunnel.io.reach import Address
from tunnel.io.way import Way

Proxies = Callable[[Path, str, str], AbstractContextManager[str]]
NAME, ADDRESS = this_machine()
LONG_AGO, OF_OLD, FAR_AWAY = (datetime(year, 1, 1, tzinfo=UTC) for year in (2001, 2011, 2901))


def trusting(authority: Authority, **environment: str) -> Way:
    return Way(environment=environment, doh_servers=(), ca_file=authority.file)


async def here(_name: str) -> list[Address]:
    return [ip_address(ADDRESS)]


async def knows_nothing(_name: str) -> list[Address]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def converse(relay: Opened, link: JoinLink, way: Way) -> None:
    """Join, say, hear and close; each end has heard everything in the end."""
    async with dialled(link, way) as here:
        assert await here.is_joined(), here.dialer.trouble
        await here.dialer.driver.say("from Bob")
        last = await relay.relay.driver.say("from Alice")
        while here.guest.transcript.last < last:
            await here.dialer.driver.changed()
        heard = here.texts()[1:]
        here.close("bye")
        await here.dialer.closed()
        while "Bob left" not in relay.texts():
            await relay.relay.driver.changed()
    assert heard == ["Bob joined", "from Bob", "from Alice"]
    assert relay.texts()[1:] == [*heard, "bye", "Bob left"]


@asynccontextmanager
async def edged(folder: Path, certificate: Certificate, host: str = NAME) -> AsyncGenerator[tuple[Opened, JoinLink]]:
    """A relay behind an edge, and the link that leads through it."""
    async with opened() as relay:
        with edge(folder, certificate, relay.port, address=ADDRESS) as port:
            yield relay, link_to(port, host, tls=True, key=relay.link.key)


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("protocols", ["TLSv1.2", "TLSv1.3"])
@asynchronous
async def test_a_conversation_goes_through_a_tls_edge(tmp_path: Path, protocols: str) -> None:
    authority = Authority(tmp_path)
    async with opened() as relay:
        with edge(tmp_path, authority.issue(NAME), relay.port, address=ADDRESS, protocols=protocols) as port:
            await converse(relay, link_to(port, NAME, tls=True, key=relay.link.key), trusting(authority))


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("host", [ADDRESS, f"{NAME}."], ids=["an address", "a name with the dot of the root"])
@asynchronous
async def test_the_certificate_is_asked_for_the_host_as_it_is_certified(tmp_path: Path, host: str) -> None:
    """LINK-13: by its name or its address, as it stands in the link."""
    authority = Authority(tmp_path)
    async with edged(tmp_path, authority.issue(NAME, ADDRESS), host) as (relay, link):
        await converse(relay, link, Way(environment={}, doh_servers=(), ca_file=authority.file, lookup=here))


@pytest.mark.needs("nginx")
@asynchronous
async def test_a_certificate_is_said_for_what_it_is(tmp_path: Path) -> None:
    """LINK-13: and nothing is said to who shows it."""
    ours, theirs = Authority(tmp_path), Authority(tmp_path, "theirs")
    cases = [
        (theirs.issue(NAME), ("signed by nobody whom this machine trusts", "TUNNEL_CA_FILE", "do not go on")),
        (ours.issue("other.example"), ("belongs to another name", "do not go on")),
        (ours.issue(NAME, not_before=LONG_AGO, not_after=OF_OLD), ("has expired", "clock")),
        (ours.issue(NAME, not_before=FAR_AWAY), ("is not valid yet", "clock")),
    ]
    for certificate, words in cases:
        async with edged(tmp_path, certificate) as (relay, link), dialled(link, trusting(ours)) as here:
            trouble = await here.trouble()

            assert trouble.startswith("TLS: the certificate of ")
            assert [word for word in words if word not in trouble] == [], trouble
            assert relay.host._connections == {}


@pytest.mark.needs("nginx")
@asynchronous
async def test_an_edge_without_its_tunnel_is_said_for_what_it_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with edge(tmp_path, authority.issue(NAME), free_port(), address=ADDRESS) as port:
        async with dialled(link_to(port, NAME, tls=True), trusting(authority)) as here:
            trouble = await here.trouble()

    assert trouble.startswith(
        f"WebSocket: {NAME.lower()} answered with status 502: an edge is there, and no tunnel behind it."
    )


@pytest.mark.needs("nginx")
@asynchronous
async def test_an_edge_with_another_tunnel_behind_it_is_said_for_what_it_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with edged(tmp_path, authority.issue(NAME)) as (_, link):
        other = JoinLink(base=link.base, tunnel_id="ffff", key=link.key)
        async with dialled(other, trusting(authority)) as here:
            assert "answered with status 404. The tunnel is probably closed" in await here.trouble()


# --- Proxies ---------------------------------------------------------------------------------------------------------

PROXIES = [
    pytest.param(http_proxy, marks=pytest.mark.needs("tinyproxy"), id="HTTP"),
    pytest.param(socks_proxy, marks=pytest.mark.needs("microsocks"), id="SOCKS"),
]


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("user", ["", "bob"], ids=["without a user", "with a user"])
@asynchronous
async def test_a_conversation_goes_through_a_proxy(tmp_path: Path, proxy: Proxies, user: str) -> None:
    """The name is resolved behind the proxy: here nobody knows it."""
    authority = Authority(tmp_path)
    with proxy(tmp_path, user, "secret" if user else "") as url:
        way = trusting(authority, HTTPS_PROXY=url.replace("://", f"://{user}:secret@") if user else url)
        async with edged(tmp_path, authority.issue(NAME)) as (relay, link):
            await converse(relay, link, way)


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("password", ["", "wrong"], ids=["no password", "a wrong password"])
@asynchronous
async def test_a_proxy_that_does_not_know_us_is_said_for_what_it_is(
    tmp_path: Path, proxy: Proxies, password: str
) -> None:
    """LINK-9: and no password is repeated."""
    with proxy(tmp_path, "bob", "secret") as url:
        way = Way(
            environment={"ALL_PROXY": url.replace("://", f"://bob:{password}@") if password else url}, doh_servers=()
        )
        async with dialled(link_to(443, NAME, tls=True), way) as here:
            trouble = await here.trouble()

    assert trouble.startswith("Proxy: the proxy in ALL_PROXY (127.0.0.1:")
    assert "USER:PASSWORD@HOST:PORT" in trouble
    assert "bob" not in trouble
    assert not password or password not in trouble


@pytest.mark.parametrize("proxy", PROXIES)
@asynchronous
async def test_a_proxy_that_does_not_reach_the_host_is_said_for_what_it_is(tmp_path: Path, proxy: Proxies) -> None:
    with proxy(tmp_path, "", "") as url:
        async with dialled(
            link_to(free_port(), NAME, tls=True), Way(environment={"https_proxy": url}, doh_servers=())
        ) as here:
            trouble = await here.trouble()

    assert trouble.startswith("Proxy: the proxy in https_proxy (127.0.0.1:")
    assert "did not get through to the host" in trouble
    assert trouble.endswith("ask for a new link.")


# --- DNS over HTTPS --------------------------------------------------------------------------------------------------


@pytest.mark.needs("nginx")
@asynchronous
async def test_a_name_that_the_system_does_not_know_is_found_elsewhere(tmp_path: Path) -> None:
    """The edge is asked for the link's own name, whatever its address is."""
    authority = Authority(tmp_path)
    tls = authority.issue("127.0.0.1").server()
    async with doh_server(tls, knows({"fresh.example.": [ADDRESS]})) as (url, questions):
        way = Way(environment={}, doh_servers=(url,), ca_file=authority.file, lookup=knows_nothing)
        async with edged(tmp_path, authority.issue("fresh.example"), "fresh.example") as (relay, link):
            await converse(relay, link, way)

    assert sorted(questions) == ["fresh.example. IN A", "fresh.example. IN AAAA"]
