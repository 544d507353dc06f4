"""A fresh name is waited for until it is in the DNS, and for 40 s at most; what is waited for is said."""

import asyncio
from ipaddress import IPv4Address, IPv6Address

import pytest

from tests.io.asynchronous import skipping
from tunnel.io.lookup import DohError, NoSuchNameError
from tunnel.transport.published import DEAF_SECONDS, FIRST_SECONDS, LONGEST_SECONDS, until_published

NAME = "quiet-words.trycloudflare.com"


class Resolver:
    """Knows the name from a second of the loop's time on, or never; takes its time; may be deaf until a second."""

    def __init__(self, knows_at: float = 1e9, takes: float = 0.0, deaf_until: float = 0.0) -> None:
        self._knows_at = knows_at
        self._takes = takes
        self._deaf_until = deaf_until
        self.asked: list[float] = []

    async def addresses(self, name: str, seconds: float) -> list[IPv4Address | IPv6Address]:
        assert name == NAME
        self.asked.append(now())
        await asyncio.sleep(self._takes)
        if now() < self._deaf_until:
            raise DohError("nobody answers")
        if now() < self._knows_at:
            raise NoSuchNameError("not yet")
        return [IPv4Address("192.0.2.1")]


def now() -> float:
    return asyncio.get_running_loop().time()


async def waited(resolver: Resolver, longest: float = LONGEST_SECONDS) -> tuple[float, list[str]]:
    """How long, and what was said."""
    lines: list[str] = []
    await until_published(NAME, resolver, lines.append, asyncio.sleep, now, longest)
    return now(), lines


@skipping
async def test_it_is_asked_for_first_after_five_seconds_then_each_second() -> None:
    resolver = Resolver(knows_at=12)
    seconds, _ = await waited(resolver)

    assert resolver.asked == [5, 6, 7, 8, 9, 10, 11, 12]
    assert seconds == 12


@skipping
async def test_a_name_that_is_there_at_once_costs_five_seconds() -> None:
    seconds, lines = await waited(Resolver(knows_at=0))

    assert seconds == FIRST_SECONDS
    assert len(lines) == 1
    assert NAME in lines[0]


@skipping
async def test_whoever_waits_is_told_every_five_seconds() -> None:
    _, lines = await waited(Resolver(knows_at=17))

    assert lines[1:] == [f"Still waiting until {NAME} is in the DNS, {n} s." for n in (10, 15)]


@pytest.mark.parametrize("takes", [0, 0.9, 1.9], ids=["at once", "in a second", "in two"])
def test_after_forty_seconds_the_link_is_given_anyway(takes: float) -> None:
    @skipping
    async def test() -> None:
        seconds, lines = await waited(Resolver(takes=takes))

        assert seconds == LONGEST_SECONDS == 40
        assert "still not in the DNS" in lines[-1]
        assert "given anyway" in lines[-1]

    test()


@pytest.mark.parametrize("takes", [0, 1.9, 7, 1000], ids=["at once", "in two seconds", "slowly", "never"])
def test_where_nobody_answers_fifteen_seconds_are_waited_whatever_the_questions_take(takes: float) -> None:
    """The record will be there soon, and it will not be said."""

    @skipping
    async def test() -> None:
        seconds, lines = await waited(Resolver(takes=takes, deaf_until=1e9))

        assert seconds == DEAF_SECONDS == 15
        assert "Nobody tells" in lines[-1]
        assert "TUNNEL_DOH=off" in lines[-1]
        assert "TUNNEL_SKIP_REACHABILITY_CHECK=1" in lines[-1]

    test()


@skipping
async def test_one_answer_is_enough_to_go_on_asking() -> None:
    seconds, _ = await waited(Resolver(deaf_until=10, knows_at=35))

    assert seconds == 35


@pytest.mark.parametrize("longest", [0, -1, 3, 12])
def test_whoever_has_less_time_waits_less(longest: float) -> None:
    @skipping
    async def test() -> None:
        seconds, lines = await waited(Resolver(), longest)

        assert seconds == max(0, longest)
        assert "given anyway" in lines[-1]

    test()


@skipping
async def test_the_wait_can_be_ended() -> None:
    waiting = asyncio.ensure_future(waited(Resolver()))
    await asyncio.sleep(8)
    waiting.cancel()
    await asyncio.wait([waiting])

    assert waiting.cancelled()
    assert now() == 8
