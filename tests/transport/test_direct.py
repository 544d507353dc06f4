"""A guest reaches the relay at an address of this machine, or through a TLS edge, and a link never leads past both."""

import asyncio

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.transport.base import TransportError
from tunnel.transport.direct import direct
from tunnel.transport.setup import Setup


def setup(url: str, port: int = 0) -> Setup:
    return Setup(url=url, port=port)


@pytest.mark.parametrize(
    ("url", "port", "listens_at", "leads_to"),
    [
        ("http://127.0.0.1:8000", 0, ("127.0.0.1", 8000), "http://127.0.0.1:4711"),
        ("http://10.1.2.3:8000", 0, ("10.1.2.3", 8000), "http://10.1.2.3:4711"),
        ("HTTP://10.1.2.3:8000/", 0, ("10.1.2.3", 8000), "http://10.1.2.3:4711"),
        ("http://172.16.0.1:8000", 8000, ("172.16.0.1", 8000), "http://172.16.0.1:4711"),
        ("http://192.168.0.9", 8000, ("192.168.0.9", 8000), "http://192.168.0.9:4711"),
        ("http://192.168.0.9", 0, ("192.168.0.9", 0), "http://192.168.0.9:4711"),
        ("http://100.64.0.1:8000", 0, ("100.64.0.1", 8000), "http://100.64.0.1:4711"),
        ("http://169.254.1.1:8000", 0, ("169.254.1.1", 8000), "http://169.254.1.1:4711"),
        ("http://[::1]:8000", 0, ("::1", 8000), "http://[::1]:4711"),
        ("http://[FD00:0::1]:8000", 0, ("fd00::1", 8000), "http://[fd00::1]:4711"),
        ("http://localhost:8000", 0, ("127.0.0.1", 8000), "http://localhost:4711"),
    ],
)
@asynchronous
async def test_without_tls_the_relay_listens_at_the_private_address_itself(
    url: str, port: int, listens_at: tuple[str, int], leads_to: str
) -> None:
    """LINK-10: shared, link-local and unique local addresses are as private as those of RFC 1918."""
    way = direct(setup(url, port))

    assert way.listens_at == listens_at
    assert await way.start(4711) == leads_to


@pytest.mark.parametrize(
    "url", ["https://tunnel.example.org", "https://tunnel.example.org/", "https://[2001:db8::1]:8443"]
)
@asynchronous
async def test_behind_a_tls_edge_the_relay_listens_where_only_this_machine_reaches_it(url: str) -> None:
    way = direct(setup(url, 4711))

    assert way.listens_at == ("127.0.0.1", 4711)
    assert await way.start(4711) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "port", "said"),
    [
        ("", 0, "The transport direct needs TUNNEL_URL. Set it to http://ADDRESS:PORT"),
        ("https://example.org", 0, "Set TUNNEL_PORT to the port at 127.0.0.1 that it forwards to"),
        ("http://8.8.8.8:8000", 0, "the public address 8.8.8.8 without TLS"),
        ("http://172.32.0.1:8000", 0, "the public address 172.32.0.1 without TLS"),
        ("http://100.128.0.1:8000", 0, "the public address 100.128.0.1 without TLS"),
        ("http://[2001:4860:4860::8888]:80", 0, "the public address 2001:4860:4860::8888 without TLS"),
        ("http://example.org:8000", 0, "the name example.org without TLS"),
        ("http://localhost.example.org:8000", 0, "the name localhost.example.org without TLS"),
        ("http://127.1:8000", 0, "the name 127.1 without TLS"),
        ("http://0.0.0.0:8000", 0, "leads to 0.0.0.0, at which no guest can reach"),
        ("http://[::]:8000", 0, "leads to ::, at which no guest can reach"),
        ("http://224.0.0.1:8000", 0, "leads to 224.0.0.1, at which no guest can reach"),
        ("http://10.0.0.1:8000", 9000, "TUNNEL_URL says port 8000 and TUNNEL_PORT 9000"),
    ],
)
@asynchronous
async def test_a_way_that_no_guest_would_go_is_refused_with_the_next_step(url: str, port: int, said: str) -> None:
    """LINK-12."""
    with pytest.raises(TransportError) as caught:
        direct(setup(url, port))

    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "ftp://example.org",
        "//example.org",
        "http://",
        "http://:8000",
        "http://secret@10.0.0.1:8000",
        "https://me:secret@example.org",
        "http://10.0.0.1:8000/secret",
        "http://10.0.0.1:8000?secret",
        "http://10.0.0.1:8000#secret",
        "http://10.0.0.1:secret",
        "http://10.0.0.1:0",
        "http://10.0.0.1:65536",
        "http://10.0.0.1:99999",
        "http://10.0.0.1:\u0661",
        "http://[secret",
        "http://[::1",
        "http://[1:2]:8000",
        "http://[fe80::1%eth0]:8000",
        "http://a..b:8000",
        "http://-a:8000",
        "http://{port}:8000",
        "http://10.0.0.1\n:8000",
        "http://10.0.0.1 :8000",
        "http://\u202e10.0.0.1:8000",
        "http://\x00",
        "https://" + "x-" * 2_000,
        "https://" + "x" * 4_000 + "!",
        "secret" * 600,
    ],
)
@asynchronous
async def test_what_is_no_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        direct(setup(url, 8000))

    said = str(caught.value)
    assert said.startswith("TUNNEL_URL ")
    assert "http://ADDRESS:PORT" in said
    assert "secret" not in said
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8000", "nothing leaves it"),
        ("http://10.0.0.1:8000", "the private network"),
        ("https://example.org", "the TLS edge at example.org"),
    ],
)
@asynchronous
async def test_it_says_who_can_read_what(url: str, said: str) -> None:
    assert said in direct(setup(url, 8000)).privacy


@asynchronous
async def test_it_is_never_lost_and_has_nothing_to_give_back() -> None:
    way = direct(setup("http://127.0.0.1:8000"))
    await way.stop()
    await way.stop()
    await asyncio.sleep(0)

    assert not way.lost.done()
