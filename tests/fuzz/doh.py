"""What a resolver of DNS over HTTPS answers is addresses of the kind that was asked for, or an error that is expected.

The first byte says what was asked for: `6` for IPv6, anything else for IPv4.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.fuzz.target import Target
from tunnel.io import doh
from tunnel.io.doh import DohError

NAME: Final = "host.example."
Read = Callable[[dns.message.Message, bytes], list[IPv4Address | IPv6Address]]


def check(data: bytes, read: Read = doh._read) -> None:
    """LINK-10: no answer leads anywhere else, and none breaks the guest."""
    query, kind = asked(data[:1])
    found: list[IPv4Address | IPv6Address] = []
    with suppress(DohError, dns.exception.DNSException):
        found = read(query, data[1:])
    _is_not_spoiled(read)
    assert all(isinstance(address, kind) for address in found), f"{found} for a question of {kind.__name__}"


def _is_not_spoiled(read: Read) -> None:
    """What is read once must not change how the next answer is read."""
    for letter, answer in GOOD.items():
        query, kind = asked(letter)
        assert read(query, answer) == [kind(ADDRESSES[letter])], "a good answer is not read any more"


def asked(letter: bytes) -> tuple[dns.message.Message, type[IPv4Address | IPv6Address]]:
    """The question, and what an answer to it is."""
    if letter == b"6":
        return dns.message.make_query(NAME, dns.rdatatype.AAAA, id=0), IPv6Address
    return dns.message.make_query(NAME, dns.rdatatype.A, id=0), IPv4Address


def answered(letter: bytes) -> bytes:
    """A good answer, behind an alias."""
    answer = dns.message.make_response(asked(letter)[0])
    kind = "AAAA" if letter == b"6" else "A"
    rows = [(NAME, "CNAME", "second.example."), ("second.example.", kind, ADDRESSES[letter])]
    answer.answer = [dns.rrset.from_text(name, 60, "IN", kind, value) for name, kind, value in rows]
    return answer.to_wire()


ADDRESSES: Final = {b"4": "10.0.0.2", b"6": "fd00::2"}
GOOD: Final = {letter: answered(letter) for letter in ADDRESSES}


def seeds() -> Iterator[bytes]:
    """Answers of resolvers."""
    yield from (letter + answer for letter, answer in GOOD.items())
    for letter, kind, rows in (
        (b"4", "A", [(NAME, "A", "10.0.0.1"), (NAME, "A", "192.0.2.7")]),
        (b"6", "AAAA", [(NAME, "AAAA", "fd00::1")]),
        (b"4", "A", [(NAME, "CNAME", NAME)]),
        (b"4", "A", []),
    ):
        answer = dns.message.make_response(dns.message.make_query(NAME, kind, id=0))
        answer.answer = [dns.rrset.from_text(name, 60, "IN", kind, value) for name, kind, value in rows]
        yield letter + answer.to_wire()
        answer.set_rcode(dns.rcode.NXDOMAIN)
        yield letter + answer.to_wire()
        answer.flags |= dns.flags.TC
        yield letter + answer.to_wire()


WORDS: Final = (
    b"\x04host\x07example\x00",
    b"\xc0\x0c",
    b"\x00\x01\x00\x01",
    b"\x00\x1c\x00\x01",
    b"\x00\x05\x00\x01",
    b"\x00\x29",
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS, longest=512)
