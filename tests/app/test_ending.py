"""Everything is given back once, whoever asks, however often, and whether or not anybody waits."""

import asyncio

import pytest

from tests.app.ends import StillClock
from tunnel.app.ending import Ending
from tunnel.core.host import Host
from tunnel.io.relay import Relay

pytestmark = pytest.mark.anyio


class Tunnel:
    """Something with an ending that the test can hold up."""

    def __init__(self) -> None:
        clock = StillClock()
        self.host = Host(key=bytes(32), goal="", name="", entropy=bytes, now=clock.now())
        self.driver = Relay(self.host, clock, "/t/00").driver
        self.given_back = 0
        self.may_end = asyncio.Event()
        self.ending = Ending(self.driver, lambda: self.host.cause is not None, self._give_back)

    def end(self) -> None:
        self.driver.step(self.host.exit)

    async def _give_back(self) -> None:
        await self.may_end.wait()
        self.given_back += 1


async def test_two_who_ask_wait_for_the_same() -> None:
    tunnel = Tunnel()
    tunnel.end()
    waiting = [asyncio.create_task(tunnel.ending.gone()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not tunnel.ending.is_gone

    tunnel.may_end.set()
    await asyncio.gather(*waiting)

    assert tunnel.given_back == 1
    assert tunnel.ending.is_gone


async def test_who_stops_waiting_does_not_stop_it() -> None:
    tunnel = Tunnel()
    tunnel.end()
    waiting = asyncio.create_task(tunnel.ending.gone())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])

    tunnel.may_end.set()
    await tunnel.ending.gone()

    assert waiting.cancelled()
    assert tunnel.given_back == 1


async def test_a_watched_tunnel_is_given_back_when_it_ends_by_itself() -> None:
    tunnel = Tunnel()
    tunnel.may_end.set()
    tunnel.ending.watch()
    await asyncio.sleep(0)
    assert tunnel.given_back == 0

    tunnel.end()
    while not tunnel.ending.is_gone:
        await asyncio.sleep(0)

    assert tunnel.given_back == 1


async def test_a_tunnel_that_ended_before_it_was_watched_is_given_back() -> None:
    tunnel = Tunnel()
    tunnel.may_end.set()
    tunnel.end()
    tunnel.ending.watch()
    while not tunnel.ending.is_gone:
        await asyncio.sleep(0)

    assert tunnel.given_back == 1
