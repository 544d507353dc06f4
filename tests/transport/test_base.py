"""Every transport keeps the promises that the relay relies on."""

import asyncio

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.errors import NetworkFault
from tunnel.transport.base import TransportError
from tunnel.transport.choose import TRANSPORTS

EVERY = pytest.mark.parametrize("name", list(TRANSPORTS))


def test_a_transport_that_fails_is_the_networks_fault() -> None:
    assert issubclass(TransportError, NetworkFault)


@EVERY
@asynchronous
async def test_it_says_in_a_sentence_who_can_see_what(name: str) -> None:
    privacy = TRANSPORTS[name]().privacy

    assert privacy[0].isupper()
    assert privacy.endswith(".")


@EVERY
@asynchronous
async def test_it_is_not_lost_before_it_has_begun(name: str) -> None:
    lost = TRANSPORTS[name]().lost

    assert isinstance(lost, asyncio.Future)
    assert not lost.done()


@EVERY
@asynchronous
async def test_it_can_be_stopped_at_any_time_and_again(name: str) -> None:
    """CLOSE-2."""
    transport = TRANSPORTS[name]()

    await transport.stop()
    await transport.stop()
