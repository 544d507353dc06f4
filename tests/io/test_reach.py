"""What stays on this machine or in its network is known by its address, in whichever spelling."""

from ipaddress import ip_address

import pytest

from tunnel.io.reach import is_loopback, is_private, is_this_machine, known_addresses, may_go_plain


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("128.0.0.0", False),
        ("0.0.0.0", False),
        ("0.0.0.1", False),
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("9.255.255.255", False),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.167.255.255", False),
        ("192.168.0.0", True),
        ("192.168.255.255", True),
        ("192.169.0.0", False),
        ("100.63.255.255", False),
        ("100.64.0.0", True),
        ("100.127.255.255", True),
        ("100.128.0.0", False),
        ("169.253.255.255", False),
        ("169.254.0.0", True),
        ("169.254.255.255", True),
        ("169.255.0.0", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("8.8.8.8", False),
        ("::1", True),
        ("::", False),
        ("::2", False),
        ("fc00::", True),
        ("fdff:ffff::1", True),
        ("fe00::", False),
        ("fe80::1", True),
        ("fe80::1%eth0", True),
        ("febf::1", True),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("2606:4700::1111", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::10.0.0.1", False),
        ("2002:a00:1::", False),
    ],
)
def test_an_address_is_private_or_is_not(address: str, private: bool) -> None:
    """LINK-10: loopback, link-local, RFC 1918, RFC 4193, RFC 6598; and nothing that only sounds like them."""
    assert is_private(ip_address(address)) is private


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("127.0.0.1", True),
        ("127.1", True),
        ("127.0.0.1.", True),
        ("0x7f000001", True),
        ("0X7F.1", True),
        ("0177.0.0.1", True),
        ("2130706433", True),
        ("0.0.0.0", False),
        ("0", False),
        ("::", False),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("10.0.0.1", True),
        ("0xa000001", True),
        ("8.8.8.8", False),
        ("8.8.8.8.", False),
        ("134744072", False),
        ("0x8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2606:4700::1111", False),
        ("host.example", None),
        ("localhost.example.com", None),
        ("notlocalhost", None),
        ("127.0.0.1.example.com", None),
        ("10.0.0.1 8.8.8.8", None),
        ("256.0.0.1", None),
        ("fe", None),
        ("", None),
        (".", None),
    ],
)
def test_a_literal_host_is_judged_and_a_name_is_not(host: str, plain: bool | None) -> None:
    """LINK-10, LINK-12."""
    assert may_go_plain(host) is plain


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.2", True),
        ("127.1", True),
        ("localhost", True),
        ("a.localhost", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
        ("host.example", False),
        ("", False),
    ],
)
def test_this_machine_is_known_in_every_spelling(host: str, own: bool) -> None:
    assert is_this_machine(host) is own


def test_a_private_address_is_not_this_machine() -> None:
    assert not is_loopback(ip_address("10.0.0.1"))
    assert is_loopback(ip_address("::ffff:127.0.0.1"))


def test_localhost_needs_no_resolver() -> None:
    """RFC 6761 section 6.3: whoever answers for it could be anybody."""
    assert [str(address) for address in known_addresses("localhost")] == ["127.0.0.1", "::1"]
    assert known_addresses("host.example") == []
