"""What is known of the internet has the form in which it is used."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest

from tunnel.io.internet import (
    CLOUDFLARED_DOWNLOADS,
    CLOUDFLARED_MANUAL,
    CLOUDFLARED_SHA256,
    CLOUDFLARED_URL,
    CLOUDFLARED_VERSION,
    DOH_SERVERS,
    EDGE_HOSTS,
    EDGE_PORT,
    QUICK_TUNNEL_API,
)


def test_resolvers_are_reached_by_address_over_https() -> None:
    for server in DOH_SERVERS:
        parts = urlsplit(server)
        assert parts.scheme == "https"
        assert ip_address(parts.hostname or "").is_global


def test_there_is_more_than_one_operator_to_ask() -> None:
    assert len({server.split(".")[0] for server in DOH_SERVERS}) > 1


def test_what_is_downloaded_or_read_comes_over_https() -> None:
    assert CLOUDFLARED_DOWNLOADS.startswith("https://github.com/cloudflare/cloudflared/")
    assert CLOUDFLARED_MANUAL.startswith("https://developers.cloudflare.com/")


def test_quick_tunnels_are_asked_for_where_no_tunnel_is() -> None:
    assert not re.search(CLOUDFLARED_URL, f"https://{QUICK_TUNNEL_API}/tunnel")
    assert QUICK_TUNNEL_API.endswith(".trycloudflare.com")


def test_the_edge_is_several_hosts_at_a_port_of_its_own() -> None:
    assert len({host.partition(".")[2] for host in EDGE_HOSTS}) == 1 < len(set(EDGE_HOSTS))
    assert EDGE_PORT == 7844


def test_the_release_is_one_version_whose_files_all_have_a_checksum() -> None:
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", CLOUDFLARED_VERSION)
    for name, checksum in CLOUDFLARED_SHA256.items():
        assert re.fullmatch(r"cloudflared-(linux|darwin|windows)-(amd64|arm64)(\.tgz|\.exe)?", name)
        assert re.fullmatch(r"[0-9a-f]{64}", checksum)
    assert len(set(CLOUDFLARED_SHA256.values())) == len(CLOUDFLARED_SHA256)


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("|  https://quiet-words.trycloudflare.com      |", "https://quiet-words.trycloudflare.com"),
        ("INF https://a1-b2.trycloudflare.com.", "https://a1-b2.trycloudflare.com"),
        ('{"message":"https://a.trycloudflare.com"}', "https://a.trycloudflare.com"),
        ("https://apis.trycloudflare.com", "https://apis.trycloudflare.com"),
        ('Post "https://api.trycloudflare.com/tunnel": dial tcp: i/o timeout', None),
        ("Requesting new quick Tunnel on trycloudflare.com...", None),
        ("https://trycloudflare.com", None),
        ("http://quiet-words.trycloudflare.com", None),
        ("https://quiet-words.trycloudflare.community", None),
        ("https://quiet-words.trycloudflare.com.example.net", None),
        ("https://quiet-words.trycloudflare.com-x.example.net", None),
        ("https://quiet-words.trycloudflare_com", None),
        ("https://developers.cloudflare.com/cloudflare-one/", None),
    ],
)
def test_the_public_url_is_told_from_others(line: str, url: str | None) -> None:
    found = re.search(CLOUDFLARED_URL, line)

    assert (found and found[0]) == url
