"""Who follows a tunnel hears of every change in time, of many at once as one, and of nothing after the end."""

import asyncio
import math
from collections.abc import Callable

import pytest
from msgspec import structs

from tests.io.asynchronous import asynchronous, skipping
from tunnel.app.changes import Changes
from tunnel.app.results import State, Status
from tunnel.app.tools import NO_TUNNEL


class Following:
    """A tunnel that changes when the test says so."""

    def __init__(self) -> None:
        self.state: State = "waiting_for_guest"
        self.last = 1
        self.expires_at: float | None = None
        self.comes_due: Callable[[], None] = lambda: None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_over(self) -> bool:
        return self.state == "closed"

    def status(self) -> Status:
        self.comes_due()
        left = None
        if self.expires_at is not None:
            left = max(0, math.ceil(self.expires_at - asyncio.get_running_loop().time()))
        return structs.replace(NO_TUNNEL, state=self.state, last_seq=self.last, link_expires_in_sec=left)

    async def changed(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def change(self, state: State, last: int) -> None:
        self.state, self.last = state, last
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting = []


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def noting(told: list[tuple[str, int]], tunnel: Following) -> Callable[[], "asyncio.Future[None]"]:
    def listener() -> "asyncio.Future[None]":
        told.append((tunnel.state, tunnel.last))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    return listener


@asynchronous
async def test_every_change_is_told_until_the_end() -> None:
    changes, tunnel, told = Changes(), Following(), list[tuple[str, int]]()
    changes.listen(noting(told, tunnel))
    changes.follow(tunnel)
    await settled()
    tunnel.change("connected", 2)
    await settled()
    tunnel.change("closed", 3)
    await settled()

    assert told == [("waiting_for_guest", 1), ("connected", 2), ("closed", 3)]


@asynchronous
async def test_what_changes_beside_a_tunnel_is_told_whether_there_is_one_or_not() -> None:
    changes, tunnel, told = Changes(), Following(), list[tuple[str, int]]()
    changes.listen(noting(told, tunnel))
    changes.note()
    changes.note()
    await settled()
    assert len(told) == 1
    changes.follow(tunnel)
    await settled()
    changes.note()
    await settled()
    changes.end()
    changes.note()
    changes.follow(tunnel)
    await settled()

    assert told == [("waiting_for_guest", 1)] * 3


@skipping
async def test_that_a_link_has_expired_is_told_when_it_has_though_nothing_happens() -> None:
    loop, changes, tunnel, told = asyncio.get_running_loop(), Changes(), Following(), list[tuple[float, int | None]]()
    begun = loop.time()
    tunnel.expires_at = begun + 100.5

    async def listener() -> None:
        told.append((loop.time() - begun, tunnel.status().link_expires_in_sec))

    changes.listen(listener)
    changes.follow(tunnel)
    await asyncio.sleep(100_000)
    changes.end()
    await settled()
    expired = [when for when, left in told if left == 0]

    assert len(expired) == 1
    assert 100.5 <= expired[0] <= 102.5
    assert len(told) < 10


@asynchronous
async def test_what_comes_due_when_a_tunnel_is_asked_where_it_is_is_told_too() -> None:
    changes, tunnel, told = Changes(), Following(), list[int]()

    async def listener() -> None:
        told.append(tunnel.last)

    def due() -> None:
        tunnel.comes_due = lambda: None
        tunnel.change("connected", 5)

    tunnel.comes_due = due
    changes.listen(listener)
    changes.follow(tunnel)
    await settled()
    changes.end()

    assert told[-1] == 5


@asynchronous
async def test_what_happens_while_it_is_told_is_told_again_and_once() -> None:
    changes, tunnel, told = Changes(), Following(), list[int]()
    going_on = asyncio.Event()

    async def slow() -> None:
        told.append(tunnel.last)
        await going_on.wait()

    changes.listen(slow)
    changes.follow(tunnel)
    await settled()
    for last in range(2, 100):
        tunnel.change("connected", last)
    going_on.set()
    await settled()
    changes.end()

    assert told == [1, 99]


@asynchronous
async def test_of_two_tunnels_the_later_is_followed() -> None:
    changes, former, later, told = Changes(), Following(), Following(), list[tuple[str, int]]()
    changes.listen(noting(told, later))
    changes.follow(former)
    changes.follow(later)
    await settled()
    former.change("connected", 5)
    await settled()
    changes.end()
    await settled()
    later.change("connected", 7)
    await settled()

    assert told == [("waiting_for_guest", 1)]


def test_nobody_followed_ends_too() -> None:
    Changes().end()


@pytest.mark.anyio
async def test_a_tunnel_that_nobody_listens_to_is_followed_for_nothing() -> None:
    changes, tunnel = Changes(), Following()
    tunnel.change("closed", 1)
    changes.follow(tunnel)
    await settled()
