"""A tunnel that takes longer to open than a call may wait goes on opening, and whoever calls again with the same words has it."""

import asyncio

import pytest

from tests.app.ends import PATIENCE_SECONDS, Carrier, StillClock, close, is_free, open_, port_of, status
from tunnel.app import results
from tunnel.app.opening import LINE_BYTES, Doing, StillOpeningError, Wish
from tunnel.app.settings import Settings
from tunnel.app.slot import OccupiedError
from tunnel.app.tools import Tools
from tunnel.app.waiting import Caller
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS
from tunnel.transport.base import TransportError
from tunnel.transport.setup import Setup

pytestmark = pytest.mark.anyio

GOAL = "pair on checkout"
WAITS = 0.05
WAITED = "0.1 s"


class Slow(Carrier):
    """A transport that comes up when it may."""

    def __init__(self, fails: str = "") -> None:
        super().__init__(fails=fails)
        self.may_come_up = asyncio.Event()

    async def start(self, port: int) -> str:
        self.port = port
        self.starting.set()
        await self.may_come_up.wait()
        return await super().start(port)


def an_end(*carriers: Carrier, clock: StillClock | None = None) -> Tools:
    """An agent whose client can wait for almost nothing, if it is not said that it can."""
    left = list(carriers)

    def made(_name: str, _setup: Setup) -> Carrier:
        return left.pop(0)

    return Tools(Settings(listen_seconds=WAITS), "Alice", clock or StillClock(), transport=made)


async def still_opening(tools: Tools, goal: str = GOAL) -> str:
    with pytest.raises(StillOpeningError) as caught:
        await open_(tools, goal)
    return str(caught.value)


async def opens(tools: Tools, goal: str = GOAL) -> results.Opened:
    """Open for a client that can wait: what comes about takes a busy machine its time."""
    patient = Caller(since=asyncio.get_running_loop().time() + PATIENCE_SECONDS)
    return await tools.open(results.OpenArguments(goal=goal), patient)


async def is_open(tools: Tools) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await status(tools)).state != "waiting_for_guest":
            await asyncio.sleep(0.01)


async def test_whoever_calls_again_waits_on_and_has_the_link_once() -> None:
    carrier = Slow()
    alice = an_end(carrier, Carrier())
    told = await still_opening(alice)
    now = await status(alice)
    await still_opening(alice)
    carrier.may_come_up.set()
    opened = await opens(alice)
    with pytest.raises(OccupiedError):
        await open_(alice)
    await alice.exit()

    assert told == (
        f"still opening: it takes longer than the {WAITED} that are safe for a call of your client, and it goes on. Call "
        "tunnel_open again with the same words to wait on, or tunnel_close to give it up."
    )
    assert now.state == "opening"
    assert now.next.endswith("if it has, saying that it goes on, call it again with the same words.")
    assert port_of(opened.join_link) == carrier.port
    assert (opened.state, opened.join_link_expires_in_sec) == ("waiting_for_guest", LINK_SECONDS)


async def test_who_comes_late_is_told_how_long_the_link_is_still_good() -> None:
    clock, carrier = StillClock(), Slow()
    alice = an_end(carrier, clock=clock)
    await still_opening(alice)
    carrier.may_come_up.set()
    await is_open(alice)
    clock.move(LINK_SECONDS - 100)
    opened = await opens(alice)
    await alice.exit()

    assert opened.join_link_expires_in_sec == 100
    assert "good for about 2 min" in opened.invite


async def test_who_comes_after_it_has_ended_has_a_new_one() -> None:
    clock, carrier, another = StillClock(), Slow(), Carrier()
    alice = an_end(carrier, another, clock=clock)
    await still_opening(alice)
    carrier.may_come_up.set()
    await is_open(alice)
    clock.move(IDLE_SECONDS)
    opened = await opens(alice)
    await alice.exit()

    assert port_of(opened.join_link) == another.port
    assert carrier.stops == 1


async def test_why_it_failed_is_told_to_who_comes_back_and_then_it_can_be_tried_again() -> None:
    carrier = Slow(fails="The carrier is on strike. Walk.")
    alice = an_end(carrier, Carrier())
    await still_opening(alice)
    carrier.may_come_up.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await status(alice)).state != "none":
            await asyncio.sleep(0.01)
    with pytest.raises(TransportError, match=r"on strike\. Walk"):
        await opens(alice)

    assert is_free(carrier.port)
    assert await opens(alice)
    await alice.exit()


async def test_other_words_are_another_wish_for_which_there_is_no_place() -> None:
    carrier = Slow()
    alice = an_end(carrier, Carrier())
    await still_opening(alice)
    with pytest.raises(OccupiedError):
        await open_(alice, "something else")
    carrier.may_come_up.set()

    assert await opens(alice)
    await alice.exit()


async def test_it_can_be_given_up_and_then_nothing_is_left_of_it() -> None:
    carrier, another = Slow(), Carrier()
    alice = an_end(carrier, another)
    await still_opening(alice)
    closed = await close(alice)
    # Before the next one, which may be given the same port.
    gave_back = is_free(carrier.port)
    opened = await opens(alice)

    assert closed.ok
    assert carrier.stops == 1
    assert gave_back
    assert port_of(opened.join_link) == another.port
    await alice.exit()


async def test_a_call_that_comes_back_and_is_cancelled_takes_it_all_back() -> None:
    carrier = Slow()
    alice = an_end(carrier)
    await still_opening(alice)
    again = asyncio.create_task(open_(alice))
    await asyncio.sleep(0)
    again.cancel()
    await asyncio.wait([again])

    assert again.cancelled()
    assert (await status(alice)).state == "none"
    assert carrier.stops == 1
    assert is_free(carrier.port)


async def test_what_comes_about_in_the_moment_in_which_it_is_given_up_is_closed() -> None:
    carrier = Carrier()
    alice = an_end(carrier, Carrier())
    opening = alice._begin(Wish(GOAL, ""))
    await opening.ended()
    before = await status(alice)
    await opening.give_up()

    assert before.state == "waiting_for_guest"
    assert (await status(alice)).state == "closed"
    assert is_free(carrier.port)
    assert await opens(alice)
    await alice.exit()


async def test_the_end_of_the_process_leaves_nothing_of_it() -> None:
    carrier = Slow()
    alice = an_end(carrier)
    await still_opening(alice)
    before = len(asyncio.all_tasks())
    await alice.exit()

    assert carrier.stops == 1
    assert is_free(carrier.port)
    assert len(asyncio.all_tasks()) < before


def test_what_a_transport_says_is_shown_visibly_and_bounded() -> None:
    said: list[str] = []
    doing = Doing(said.append)
    first = doing.last
    doing.note("on my way \u202e" + "x" * 1000)

    assert first == "Opening the tunnel."
    assert doing.last.startswith("on my way \\u202exxx")
    assert len(doing.last) < 2 * LINE_BYTES
    assert len(said[0]) > 1000
