"""Every transport keeps the promises that the relay relies on."""

import asyncio
from ipaddress import ip_address

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.errors import NetworkFault
from tunnel.transport.base import TransportError
from tunnel.transport.choose import TRANSPORTS
from tunnel.transport.setup import Setup

SETUP = Setup(command="carry {port}", url="http://127.0.0.1:8000")
"""With it every transport can be chosen."""

EVERY = pytest.mark.parametrize("name", list(TRANSPORTS))


def test_a_transport_that_fails_is_the_networks_fault() -> None:
    assert issubclass(TransportError, NetworkFault)


@EVERY
@asynchronous
async def test_it_says_in_a_sentence_who_can_see_what(name: str) -> None:
    privacy = TRANSPORTS[name](SETUP).privacy

    # It may begin with a name that is written small.
    assert len(privacy) > 40
    assert privacy.endswith(".")


@EVERY
@asynchronous
async def test_it_says_where_the_relay_must_listen(name: str) -> None:
    address, port = TRANSPORTS[name](SETUP).listens_at

    assert ip_address(address).is_loopback
    assert 0 <= port <= 65_535


@EVERY
@asynchronous
async def test_it_is_not_lost_before_it_has_begun(name: str) -> None:
    lost = TRANSPORTS[name](SETUP).lost

    assert isinstance(lost, asyncio.Future)
    assert not lost.done()


@EVERY
@asynchronous
async def test_it_can_be_stopped_at_any_time_and_again(name: str) -> None:
    """CLOSE-2."""
    transport = TRANSPORTS[name](SETUP)

    await transport.stop()
    await transport.stop()
