"""One input at a time, each with its own moment; whoever waits is answered; and the clock is looked at every second."""

import asyncio
from collections.abc import Callable
from math import inf

import pytest
from msgspec import Struct

from tests.conversation import Dice
from tests.io.asynchronous import asynchronous, skipping
from tests.io.wire import StillClock
from tunnel.core import effects
from tunnel.core.effects import ConnectionId, Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import mint
from tunnel.io.driver import (
    LONGEST_NAP_SECONDS,
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    ROOM_BYTES,
    Driver,
    NotSaidError,
)
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, OUTBOX_BYTES
from tunnel.spec.v1.refusals import CLOSINGS, FAILURES, Cause, Closing, Failure


class ScriptedCore:
    """A core that does what the test says, and notes when it is asked."""

    def __init__(self) -> None:
        self.deadline: int | None = None
        self.expired: list[int] = []
        self.on_say: Callable[[int], list[Effect]] = lambda _ticket: []
        self.on_expire: Callable[[], list[Effect]] = list

    def say(self, ticket: int, text: str, now: Instant) -> list[Effect]:
        return self.on_say(ticket)

    def expire(self, now: Instant) -> list[Effect]:
        if self.deadline is not None and self.deadline <= now.ticks:
            self.expired.append(now.ticks)
            self.deadline = None
            return self.on_expire()
        return []

    def quiet_until(self) -> float:
        return inf if self.deadline is None else self.deadline


class NotedWire:
    """A wire that notes what goes out, and may call the driver back."""

    def __init__(self) -> None:
        self.did: list[tuple[object, ...]] = []
        self.on_send: Callable[[], None] = lambda: None
        self.on_waiting: Callable[[], int] = lambda: 0

    def send(self, to: ConnectionId, data: bytes) -> None:
        self.did.append(("send", to, data))
        self.on_send()

    def ping(self, to: ConnectionId) -> None:
        self.did.append(("ping", to))

    def hang_up(self, to: ConnectionId, code: int, reason: str) -> None:
        self.did.append(("hang_up", to, code, reason))

    def shut(self) -> None:
        self.did.append(("shut",))

    def waiting(self) -> int:
        return self.on_waiting()


class LoopClock(StillClock):
    """A clock that goes as the event loop's does."""

    def now(self) -> Instant:
        seconds = asyncio.get_running_loop().time()
        return Instant(ticks=self.ticks + round(seconds * TICKS_PER_SECOND), unix_ms=0)


class Driven(Struct):
    """A driver between a scripted core and a noted wire."""

    core: ScriptedCore
    clock: StillClock
    wire: NotedWire
    driver: Driver


def driven(deadline_in: float | None = None, clock: StillClock | None = None) -> Driven:
    core, clock, wire = ScriptedCore(), clock or StillClock(), NotedWire()
    if deadline_in is not None:
        core.deadline = clock.ticks + int(deadline_in * TICKS_PER_SECOND)
    return Driven(core=core, clock=clock, wire=wire, driver=Driver(core, clock, wire))


CHALLENGE = frames.Challenge(nonce="n")
ENDED = effects.Ended(Cause.IDLE)


@asynchronous
async def test_what_the_core_says_is_done_in_its_order() -> None:
    world = driven()
    world.driver.step(
        lambda _now: [effects.Send(3, CHALLENGE), effects.Ping(2), effects.HangUp(3, Closing.REFUSED), ENDED]
    )

    refused = CLOSINGS[Closing.REFUSED]
    assert world.wire.did == [
        ("send", 3, b'{"t":"challenge","nonce":"n"}'),
        ("ping", 2),
        ("hang_up", 3, refused.code, refused.reason),
        ("shut",),
    ]
    assert world.driver.cause is Cause.IDLE


@asynchronous
async def test_whoever_observes_is_shown_every_effect_before_it_is_done() -> None:
    world = driven()
    seen: list[tuple[Effect, int]] = []
    world.driver.observer = lambda effect: seen.append((effect, len(world.wire.did)))
    first, second = effects.Send(1, frames.AuthFail(reason="bad key")), effects.HangUp(1, Closing.REFUSED)
    world.driver.step(lambda _: [first, second])

    assert seen == [(first, 0), (second, 1)]


@asynchronous
async def test_an_input_that_comes_up_while_another_is_handled_waits_for_its_turn() -> None:
    """The wire may find, while it sends, that too much waits: that is an input of its own."""
    world = driven()
    order: list[str] = []

    def overflow(_now: Instant) -> list[Effect]:
        order.append("overflow")
        return [effects.HangUp(1, Closing.SLOW)]

    world.wire.on_send = lambda: world.driver.step(overflow)
    world.driver.step(lambda _now: [effects.Send(1, CHALLENGE), effects.Ping(1)])

    assert [did[0] for did in world.wire.did] == ["send", "ping", "hang_up"]
    assert order == ["overflow"]


@asynchronous
async def test_every_input_has_a_moment_of_its_own() -> None:
    """TIME-1."""
    world = driven()
    moments: list[int] = []

    def handle(now: Instant) -> list[Effect]:
        moments.append(now.ticks)
        return []

    def first(now: Instant) -> list[Effect]:
        world.driver.step(handle)
        world.clock.advance(1)
        return handle(now)

    began = world.clock.ticks
    world.driver.step(first)

    assert moments == [began, began + TICKS_PER_SECOND]


@asynchronous
async def test_an_input_that_fails_does_not_keep_the_next_from_its_turn() -> None:
    world = driven()

    def fail(_now: Instant) -> list[Effect]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.driver.step(fail)
    world.driver.step(lambda _now: [effects.Ping(1)])

    assert world.wire.did == [("ping", 1)]


@pytest.mark.parametrize("seconds", [0.0, 0.25, 1.0, 7.5, 1800.0])
@skipping
async def test_a_deadline_takes_effect_at_its_moment(seconds: float) -> None:
    """TIME-1: the driver sleeps until then, and not longer."""
    world = driven(deadline_in=seconds, clock=LoopClock())
    deadline = world.core.deadline
    await asyncio.sleep(seconds + 0.001)

    assert world.core.expired == [deadline]


@skipping
async def test_a_deadline_that_passes_in_suspend_takes_effect_within_a_second() -> None:
    """TIME-2: the loop's clock stood still meanwhile, so its timer is of no use."""
    world = driven(deadline_in=3600)
    await asyncio.sleep(10)
    early = list(world.core.expired)
    world.clock.advance(7200)
    await asyncio.sleep(LONGEST_NAP_SECONDS)

    assert early == []
    assert len(world.core.expired) == 1


@skipping
async def test_a_deadline_that_an_input_sets_is_kept() -> None:
    world = driven()

    def handle(now: Instant) -> list[Effect]:
        world.core.deadline = now.ticks
        return []

    world.driver.step(handle)
    await asyncio.sleep(0.01)

    assert len(world.core.expired) == 1


@skipping
async def test_nothing_is_looked_at_when_no_timer_runs() -> None:
    """What has ended holds nothing in the loop."""
    world = driven(deadline_in=5)
    world.core.on_expire = lambda: [ENDED]
    world.clock.advance(5)
    world.driver.step(world.core.expire)

    assert world.driver.cause is Cause.IDLE
    assert world.driver._timer is None


@asynchronous
async def test_what_is_said_has_its_number() -> None:
    world = driven()
    world.core.on_say = lambda ticket: [effects.Said(ticket, 7)]

    assert await world.driver.say("hello") == 7


@asynchronous
async def test_a_say_is_answered_later_and_by_its_ticket() -> None:
    world = driven()
    first, second = asyncio.create_task(world.driver.say("a")), asyncio.create_task(world.driver.say("b"))
    await asyncio.sleep(0)
    world.driver.step(lambda _now: [effects.Said(2, 5), effects.Said(1, 6)])

    assert await asyncio.gather(first, second) == [6, 5]


@pytest.mark.parametrize("failure", list(Failure), ids=lambda failure: failure.value)
@asynchronous
async def test_what_cannot_be_said_has_a_reason_and_a_next_step(failure: Failure) -> None:
    world = driven()
    world.core.on_say = lambda ticket: [effects.NotSaid(ticket, failure)]

    with pytest.raises(NotSaidError) as caught:
        await world.driver.say("hello")

    row = FAILURES[failure]
    assert caught.value.failure is failure
    assert str(caught.value) == f"{failure.value}: {row.doc} {row.next}"


@pytest.mark.parametrize(
    "answer", [effects.Said(1, 5), effects.NotSaid(1, Failure.UNCONFIRMED)], ids=["confirmed", "failed"]
)
@pytest.mark.parametrize("turns", [0, 1, 2])
@asynchronous
async def test_a_say_that_is_cancelled_is_forgotten(answer: Effect, turns: int) -> None:
    """Whether its answer comes before, with or behind the cancelling: nobody is told, and nothing is left."""
    world = driven()
    saying = asyncio.create_task(world.driver.say("hello"))
    await asyncio.sleep(0)
    if turns == 0:
        world.driver.step(lambda _now: [answer])
    saying.cancel()
    if turns == 1:
        world.driver.step(lambda _now: [answer])
    await asyncio.wait([saying])
    if turns == 2:
        world.driver.step(lambda _now: [answer])

    assert saying.cancelled()
    assert world.driver._says == {}


# --- Room to say something --------------------------------------------------------------------------------------------

RATE = 1_000_000
"""Bytes that a slow peer reads in a second."""


def seconds_passed() -> float:
    return asyncio.get_running_loop().time()


def saying(waiting: Callable[[], int]) -> Driven:
    """A world in which every say gets its ticket as its number, and so much waits for the peer."""
    world = driven()
    world.core.on_say = lambda ticket: [effects.Said(ticket, ticket)]
    world.wire.on_waiting = waiting
    return world


@skipping
async def test_a_say_waits_for_a_peer_that_reads_slowly_until_there_is_room() -> None:
    """SIZE-9: who reads is not hung up on because of what is said at once."""
    world = saying(lambda: int(OUTBOX_BYTES - RATE * seconds_passed()))
    await world.driver.say("one more")

    assert world.wire.on_waiting() <= ROOM_BYTES
    assert seconds_passed() == pytest.approx((OUTBOX_BYTES - ROOM_BYTES) / RATE, abs=2 * LOOK_SECONDS)


@skipping
async def test_where_there_is_room_a_say_does_not_wait() -> None:
    world = saying(lambda: ROOM_BYTES)
    await world.driver.say("at once")

    assert seconds_passed() == 0


@skipping
async def test_no_say_waits_long_for_a_peer_that_takes_nothing() -> None:
    """SIZE-9: it is not waited for a second time either."""
    world = saying(lambda: ROOM_BYTES + 1)
    await world.driver.say("one")
    after_one = seconds_passed()
    await world.driver.say("two")

    assert after_one == pytest.approx(PATIENCE_SECONDS, abs=2 * LOOK_SECONDS)
    assert seconds_passed() == after_one


@pytest.mark.parametrize("pause_until", [1.0, 5.0], ids=["while it is waited for", "when it was given up"])
@skipping
async def test_a_peer_that_reads_on_is_waited_for_again(pause_until: float) -> None:
    """SIZE-9."""
    world = saying(lambda: int(OUTBOX_BYTES - RATE * max(0.0, seconds_passed() - pause_until)))
    await world.driver.say("one")
    await asyncio.sleep(pause_until + 1 - seconds_passed())
    await world.driver.say("two")

    assert world.wire.on_waiting() <= ROOM_BYTES


@skipping
async def test_what_is_said_at_once_keeps_its_order_while_it_waits() -> None:
    world = saying(lambda: int(OUTBOX_BYTES - RATE * seconds_passed()))
    said: list[str] = []

    async def say(text: str) -> None:
        await world.driver.say(text)
        said.append(text)

    texts = [f"number {number}" for number in range(20)]
    await asyncio.gather(*(say(text) for text in texts))

    assert said == texts


@skipping
async def test_whoever_comes_when_there_is_room_again_does_not_slip_in_before_those_who_wait() -> None:
    """Between the turns of two of them there is one in which nobody holds the lock."""
    full = [True]
    world = saying(lambda: ROOM_BYTES + full[0])
    said: list[str] = []

    async def say(text: str, after: float) -> None:
        await asyncio.sleep(after)
        await world.driver.say(text, lambda: said.append(text))

    waiting = [asyncio.create_task(say(f"waiting {number}", 0)) for number in range(2)]
    while not world.driver._saying.locked():
        await asyncio.sleep(0)
    coming = asyncio.create_task(say("coming", LOOK_SECONDS))
    await asyncio.sleep(0)
    full[0] = False
    await asyncio.gather(*waiting, coming)

    assert said == ["waiting 0", "waiting 1", "coming"]


@skipping
async def test_what_stands_against_a_say_is_asked_when_its_turn_has_come_and_then_nothing_is_said() -> None:
    world = saying(lambda: int(OUTBOX_BYTES - RATE * seconds_passed()))
    asked: list[tuple[float, int]] = []

    def begin() -> None:
        asked.append((seconds_passed(), world.wire.on_waiting()))
        raise PermissionError

    with pytest.raises(PermissionError):
        await world.driver.say("held back", begin)
    assert [waiting <= ROOM_BYTES for _, waiting in asked] == [True]
    assert await world.driver.say("said") == 1


@skipping
async def test_the_end_is_told_to_a_say_that_waits() -> None:
    """CLOSE-3."""
    world = saying(lambda: ROOM_BYTES + 1)
    world.core.on_say = lambda ticket: [effects.NotSaid(ticket, Failure.ENDED)]
    say = asyncio.ensure_future(world.driver.say("too late"))
    await asyncio.sleep(LOOK_SECONDS)
    world.driver.step(lambda _now: [ENDED])

    with pytest.raises(NotSaidError) as caught:
        await say
    assert caught.value.failure is Failure.ENDED
    assert seconds_passed() <= 2 * LOOK_SECONDS


@skipping
async def test_a_say_that_is_given_up_while_it_waits_is_not_said_and_lets_the_next_one_wait() -> None:
    world = saying(lambda: int(OUTBOX_BYTES - RATE * seconds_passed()))
    first = asyncio.ensure_future(world.driver.say("never mind"))
    second = asyncio.ensure_future(world.driver.say("this one"))
    await asyncio.sleep(LOOK_SECONDS)
    first.cancel()

    assert await second == 1
    assert first.cancelled()


# --- News -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("news", [effects.Arrived(), effects.PeerLeft(), ENDED], ids=["message", "leave", "end"])
@asynchronous
async def test_everybody_who_waits_for_news_is_woken(news: Effect) -> None:
    """CLOSE-5, KEEP-3."""
    world = driven()
    waiting = [asyncio.create_task(world.driver.changed()) for _ in range(3)]
    await asyncio.sleep(0)
    world.driver.step(lambda _now: [effects.Ping(1)])
    await asyncio.sleep(0)
    early = [task.done() for task in waiting]
    world.driver.step(lambda _now: [news])
    await asyncio.gather(*waiting)

    assert early == [False, False, False]
    assert world.driver._waiting == set()


@asynchronous
async def test_a_wait_that_is_cancelled_is_forgotten() -> None:
    world = driven()
    waiting = asyncio.create_task(world.driver.changed())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    world.driver.step(lambda _now: [effects.Arrived()])

    assert world.driver._waiting == set()


@asynchronous
async def test_who_waits_for_news_behind_the_end_does_not_wait() -> None:
    """CLOSE-5."""
    world = driven()
    world.driver.step(lambda _now: [ENDED])

    async with asyncio.timeout(1):
        await world.driver.changed()


@pytest.mark.parametrize("ready", [effects.HandOutLink(), effects.Joined()], ids=["link", "joined"])
@asynchronous
async def test_it_is_ready_with_the_link_or_the_join(ready: Effect) -> None:
    world = driven()
    early = world.driver.ready.done()
    world.driver.step(lambda _now: [ready])
    world.driver.step(lambda _now: [ready, ENDED])

    assert not early
    assert world.driver.ready.result() is None


@asynchronous
async def test_what_ends_before_it_is_ready_cancels_who_waits_for_it() -> None:
    world = driven()
    world.driver.step(lambda _now: [ENDED])

    assert world.driver.ready.cancelled()


@asynchronous
async def test_the_end_answers_every_say_and_every_wait() -> None:
    """CLOSE-5, SEQ-3: with a real core, whose host has not confirmed anything yet."""
    dice, clock, wire = Dice("a guest"), StillClock(), NotedWire()
    link = mint("http://127.0.0.1:4711", "00112233aabbccdd", dice(KEY_BYTES))
    guest = Guest(link=link, name="Bob", entropy=dice, now=clock.now())
    driver = Driver(guest, clock, wire)
    driver.step(guest.connected)
    driver.step(lambda now: guest.receive('{"t":"challenge","nonce":"n"}', now))
    driver.step(lambda now: guest.receive('{"t":"auth_ok","goal":"g","peerName":"p","backlog":[]}', now))
    says = [asyncio.create_task(driver.say(text)) for text in ("a", "b")]
    waits = [asyncio.create_task(driver.changed()) for _ in range(2)]
    await asyncio.sleep(0)
    driver.step(lambda now: guest.lost("", now))
    answers = await asyncio.gather(*says, return_exceptions=True)
    await asyncio.gather(*waits)

    assert [answer.failure for answer in answers if isinstance(answer, NotSaidError)] == [Failure.UNCONFIRMED] * 2
    assert driver.cause is Cause.HOST_GONE
    with pytest.raises(NotSaidError, match=r"^ended: "):
        await driver.say("too late")
