"""Loopback starts nothing, loses nothing, and leads to the relay's own port."""

import asyncio

from tests.io.asynchronous import asynchronous
from tunnel.core.link import mint
from tunnel.transport.loopback import Loopback

KEY = bytes(32)


@asynchronous
async def test_it_leads_to_the_port_itself() -> None:
    assert await Loopback().start(4711) == "http://127.0.0.1:4711"


@asynchronous
async def test_its_address_makes_a_join_link() -> None:
    """LINK-6."""
    url = await Loopback().start(4711)

    assert mint(url, "00112233aabbccdd", KEY).url == "ws://127.0.0.1:4711/t/00112233aabbccdd"


@asynchronous
async def test_it_is_never_lost() -> None:
    loopback = Loopback()
    await loopback.start(4711)
    await loopback.stop()
    await asyncio.sleep(0)

    assert not loopback.lost.done()
