"""Every target fails on a parser with a bug in it, on an input that its sound parser takes."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv6Address
from typing import Any, cast

import dns.message
import msgspec
import pytest

from tests.fuzz import answer, base64url, codec, doh, ends, environment, link, output, proxy, relay, shown
from tests.fuzz.link import KEY
from tests.fuzz.target import TRACED
from tests.io.wire import Noted
from tunnel.app.settings import Settings, read_settings
from tunnel.core import link as links
from tunnel.core.codec import Unread
from tunnel.core.effects import Ended, Send
from tunnel.core.link import JoinLink
from tunnel.errors import BadLink
from tunnel.io import doh as resolver
from tunnel.io.accepted import Accepted
from tunnel.io.dialer import _Connection
from tunnel.io.proxies import Proxy
from tunnel.io.stream import Stream
from tunnel.io.through import ProxyAnswerError
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import Cause
from tunnel.transport.output import Output

LINK = f"wss://H/t/ab#{KEY}".encode()
BAD_LINK = f"wss://h/t/AB#{KEY}".encode()
SAID_IN_TWO = b"\x00\x00one line\n"


def raises(*_given: object) -> Any:
    raise KeyError("a bug")


def repeats_what_was_pasted(text: str) -> JoinLink:
    try:
        return links.parse(text)
    except BadLink as error:
        raise BadLink(f"{error} Found: {text}") from None


def lowers_the_host(text: str) -> JoinLink:
    found = links.parse(text)
    return JoinLink(base=found.base.lower(), tunnel_id=found.tunnel_id, key=found.key)


def swaps_the_key(text: str) -> JoinLink:
    found = links.parse(text)
    return JoinLink(base=found.base, tunnel_id=found.tunnel_id, key=bytes(KEY_BYTES))


def takes_padding(text: str) -> bytes:
    return urlsafe_b64decode(f"{text}==")


class Forgetful:
    """Lines that are lost when they come in pieces."""

    def __init__(self) -> None:
        self._output = Output()
        self._begun, self._cost = b"", 0

    def feed(self, data: bytes) -> None:
        self._output.end()
        self._output.feed(data)

    def end(self) -> None:
        self._output.end()

    def next(self) -> bytes | None:
        return self._output.next()


class Hoarding(Forgetful):
    """Lines that are never too many."""

    def __init__(self) -> None:
        super().__init__()
        self._cost = 1 << 30


class Deaf:
    """A connection that misses what comes in one byte at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def data_received(self, data: bytes) -> None:
        if len(data) > 1:
            self._connection.data_received(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Staying(Deaf):
    """A connection that does not mind when its peer goes."""

    def data_received(self, data: bytes) -> None:
        self._connection.data_received(data)

    def eof_received(self) -> None:
        self._connection._tell_lost()


def deaf_relay(noted: Noted, sockets: dict[int, Accepted]) -> Accepted:
    return cast(Accepted, Deaf(relay.accepted(noted, sockets)))


def staying_relay(noted: Noted, sockets: dict[int, Accepted]) -> Accepted:
    return cast(Accepted, Staying(relay.accepted(noted, sockets)))


def deaf_guest(url: str) -> _Connection:
    connection = _Connection(url)
    receive = connection.protocol.receive_data

    def receive_more(data: bytes) -> None:
        if len(data) > 1:
            receive(data)

    connection.protocol.receive_data = cast(Any, receive_more)
    return connection


async def repeats_the_answer(stream: Stream, _proxy: Proxy, _host: str, _port: int) -> None:
    raise ProxyAnswerError(f"said {await stream.read(100)!r}")


async def reads_too_much(stream: Stream, _proxy: Proxy, _host: str, _port: int) -> None:
    await asyncio.sleep(0)
    await stream.read(1000)


def other_addresses(_query: dns.message.Message, _body: bytes) -> list[Any]:
    return [IPv6Address("::1")]


def moves_the_cursor(environment: Mapping[str, str]) -> Settings:
    return msgspec.structs.replace(read_settings(environment), problems=("\x1b[2J",))


def shows_as_it_is(text: str, _limit: int) -> str:
    return text


def another_name(_text: str) -> Unread:
    return Unread("auth")


def always_a_challenge(_text: str) -> frames.Challenge:
    return frames.Challenge(nonce="M")


def no_bytes(_text: str) -> bytes:
    return b""


class Spoiled:
    """A reader that reads nothing any more once it was given a record that it does not know."""

    def __init__(self) -> None:
        self._is_spoiled = False

    def __call__(self, query: dns.message.Message, body: bytes) -> list[Any]:
        self._is_spoiled |= body == b"?"
        return [] if self._is_spoiled else resolver._read(query, body)


def chatters(letter: bytes) -> ends.Arranged:
    end = ends.arranged(letter)
    end.receive = lambda _text: [Send(0, frames.Challenge(nonce="x" * 10_000))]
    return end


def goes_on(letter: bytes) -> ends.Arranged:
    end = ends.arranged(letter)
    end.receive = lambda _text: [Ended(Cause.IDLE)]
    return end


def says_it_again(letter: bytes) -> ends.Arranged:
    end = ends.arranged(letter)
    receive = end.receive
    end.receive = lambda text: receive(text) * 10
    return end


Check = Callable[..., None]
BUGS: list[Any] = [
    pytest.param(codec.check, {"from_guest": raises}, b"{}", id="codec: raises"),
    pytest.param(codec.check, {"from_guest": another_name}, b"{}", id="codec: another name"),
    pytest.param(codec.check, {"from_host": always_a_challenge}, b"{}", id="codec: takes anything"),
    pytest.param(
        codec.check,
        {"from_host": always_a_challenge},
        b'{"t":"challenge","nonce":"N"}',
        id="codec: another content",
    ),
    pytest.param(ends.check, {"arrange": raises}, b"s{}", id="ends: raises"),
    pytest.param(ends.check, {"arrange": chatters}, b"s{}", id="ends: sends too much"),
    pytest.param(ends.check, {"arrange": goes_on}, b"s{}\n{}", id="ends: goes on behind its end"),
    pytest.param(ends.check, {"arrange": says_it_again}, b"g" + ends.SEND.encode(), id="ends: does too much"),
    pytest.param(link.check, {"parse": raises}, LINK, id="link: raises"),
    pytest.param(link.check, {"parse": repeats_what_was_pasted}, BAD_LINK, id="link: repeats the key"),
    pytest.param(link.check, {"parse": lowers_the_host}, LINK, id="link: changes the host"),
    pytest.param(link.check, {"parse": swaps_the_key}, LINK, id="link: changes the key"),
    pytest.param(base64url.check, {"decode": raises}, b"AA", id="base64url: raises"),
    pytest.param(base64url.check, {"decode": takes_padding}, b"AB", id="base64url: surplus bits"),
    pytest.param(base64url.check, {"decode": no_bytes}, b"AAA", id="base64url: other bytes"),
    pytest.param(shown.check, {"visible": raises}, b"a", id="shown: raises"),
    pytest.param(shown.check, {"visible": shows_as_it_is}, b"a\x1b[2J", id="shown: moves the cursor"),
    pytest.param(shown.check, {"visible": shows_as_it_is}, b"a" * 500, id="shown: too long"),
    pytest.param(output.check, {"make": raises}, SAID_IN_TWO, id="output: raises"),
    pytest.param(output.check, {"make": Forgetful}, SAID_IN_TWO, id="output: lines fall apart"),
    pytest.param(output.check, {"make": Hoarding}, SAID_IN_TWO, id="output: without a bound"),
    pytest.param(relay.check, {"make": raises}, b"\0\0GET", id="relay: raises"),
    pytest.param(relay.check, {"make": deaf_relay}, b"\7\7o\x81\x81\0\0\0\0a", id="relay: misses single bytes"),
    pytest.param(relay.check, {"make": staying_relay}, b"\7\7GET", id="relay: stays"),
    pytest.param(answer.check, {"make": raises}, b"\0\0HTTP", id="answer: raises"),
    pytest.param(answer.check, {"make": deaf_guest}, b"\7\7o\x81\1a", id="answer: misses single bytes"),
    pytest.param(proxy.check, {"ask": raises}, b"\0\0hHTTP", id="proxy: raises"),
    pytest.param(proxy.check, {"ask": repeats_the_answer}, b"\xff\xff5not a proxy at all", id="proxy: repeats it"),
    pytest.param(proxy.check, {"ask": reads_too_much}, b"\7\7hHTTP/1.1 200 \r\n\r\nbehind", id="proxy: in pieces"),
    pytest.param(doh.check, {"read": raises}, b"4", id="doh: raises"),
    pytest.param(doh.check, {"read": other_addresses}, b"4", id="doh: the other kind"),
    pytest.param(doh.check, {"read": Spoiled()}, b"4?", id="doh: spoiled"),
    pytest.param(environment.check, {"read": raises}, b"HOME=/", id="environment: raises"),
    pytest.param(environment.check, {"read": moves_the_cursor}, b"HOME=/", id="environment: shows anything"),
]


@pytest.mark.parametrize(("check", "bug", "data"), BUGS)
def test_a_parser_with_a_bug_fails_where_the_sound_one_does_not(check: Check, bug: dict[str, Any], data: bytes) -> None:
    check(data)

    with pytest.raises((AssertionError, KeyError)):
        partial(check, **bug)(data)


def test_every_target_can_fail() -> None:
    assert {bug.id.partition(":")[0] for bug in BUGS} == set(TRACED)
