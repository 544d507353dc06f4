"""Where a link may lead without TLS (LINK-10, LINK-12): judged by addresses, in whichever spelling, and never by a name."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_LOOPBACK: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))

# Most systems connect to it as to the loopback address. It is none, and in a link it means another machine to everybody.
_UNSPECIFIED: Final = tuple(map(ip_network, ("0.0.0.0/32", "::/128")))

# Not `is_private` of the standard library: that counts addresses for documentation and benchmarks too, and no shared ones.
_PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
            "fc00::/7",  # RFC 4193
            "100.64.0.0/10",  # RFC 6598
            *("169.254.0.0/16", "fe80::/10"),  # link-local: RFC 3927, RFC 4291
        ),
    )
)
_LOCALHOST: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_NUMERIC: Final = re.compile(r"[0-9a-fx.]+")


def may_go_plain(host: str) -> bool | None:
    """Whether a host in a link may be dialled without TLS; None for a name, which must be resolved first.

    Args:
        host: without brackets and port.
    """
    known = known_addresses(host)
    return all(map(is_private, known)) if known else None


def is_private(address: Address) -> bool:
    """Whether the traffic to an address stays on the machine or in a private network."""
    return any(bare(address) in network for network in (*_LOOPBACK, *_PRIVATE))


def is_loopback(address: Address) -> bool:
    """Whether an address is this machine's own; the unspecified one is, where it can be dialled at all."""
    return any(bare(address) in network for network in (*_LOOPBACK, *_UNSPECIFIED))


def is_this_machine(host: str) -> bool:
    """Whether a host in a link means this machine, without asking a resolver."""
    return any(map(is_loopback, known_addresses(host)))


def known_addresses(host: str) -> list[Address]:
    """The addresses that a host means by itself, so that no resolver is asked; none for a name."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return [*_LOCALHOST]
    try:
        return [ip_address(name)]
    except ValueError:
        pass
    try:
        # 127.1 and 0x7f000001 are addresses to the system's resolver, which ignores what stands behind a blank.
        return [IPv4Address(socket.inet_aton(name))] if _NUMERIC.fullmatch(name) else []
    except OSError:
        return []


def bare(address: Address) -> Address:
    """An IPv4 address also when it is written as an IPv6 one."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
