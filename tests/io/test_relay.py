"""A host on the network: honest guests get in and get everything; nobody else holds it up, fills it, or keeps it open."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from unittest.mock import ANY

import pytest

from tests.conversation import draft, fill
from tests.io.asynchronous import asynchronous, until
from tests.io.wire import CLOSING_SECONDS, SOON_SECONDS, Client, Opened, client, close, opened, ping, text
from tunnel.io.accepted import HIGH_WATER_BYTES
from tunnel.io.driver import PATIENCE_SECONDS
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import (
    AUTH_SECONDS,
    BACKLOG_FRAME_BYTES,
    CONTROL_FRAMES,
    GUEST_FRAME_BYTES,
    IDLE_SECONDS,
    OUTBOX_BYTES,
    PING_SECONDS,
    SILENCE_SECONDS,
    STRANGER_CONNECTIONS,
    STRANGER_FRAME_BYTES,
    TEXT_BYTES,
)
from tunnel.spec.v1.refusals import CLOSINGS, Cause, Closing


def told(closing: Closing) -> tuple[int, str]:
    return CLOSINGS[closing].code, CLOSINGS[closing].reason


async def seconds_to_close(here: Opened) -> float:
    began = time.monotonic()
    here.end()
    await here.relay.listener.closed()
    return time.monotonic() - began


async def until_lost(here: Opened) -> None:
    """Wait until the host knows that its guest has left."""
    while here.host.state is not session.State.VACATED:
        await here.relay.driver.changed()


# --- Getting in ------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_guest_is_admitted_and_both_hear_each_other() -> None:
    async with opened() as here, client(here.port) as guest:
        welcome = await here.admitted(guest)
        joined = await guest.message()
        guest.write(text(draft("a body")))
        echo = await guest.message()
        seq = await here.relay.driver.say("hello")
        said = await guest.message()

        assert welcome["t"] == "auth_ok"
        assert welcome["goal"] == "a goal"
        assert [joined["msg"], echo["msg"], said["msg"]] == [
            {"id": ANY, "seq": 2, "from": "host", "kind": "system", "body": "Bob joined", "ts": ANY},
            {"id": "an id", "seq": 3, "from": "guest", "kind": "chat", "body": "a body", "ts": ANY},
            {"id": ANY, "seq": 4, "from": "host", "kind": "chat", "body": ANY, "ts": ANY},
        ]
        assert seq == 4


@asynchronous
async def test_a_proof_in_one_read_with_a_message_and_a_goodbye_is_a_whole_visit() -> None:
    """SEQ-1: everything that a guest said before it left is numbered, and then it has left."""
    async with opened() as here, client(here.port) as guest:
        challenge = await here.challenged(guest)
        guest.write(here.auth(challenge), text(draft("last word")), close(1000, "guest left"))
        await until_lost(here)

        assert here.texts()[1:] == ["Bob joined", "[unreadable]", "Bob left"]


@asynchronous
async def test_a_refused_guest_is_told_why_and_hung_up_on() -> None:
    """AUTH-8, CLOSE-4."""
    async with opened() as here, client(here.port) as them:
        await here.challenged(them)
        them.write(text(json.dumps({"t": "auth", "response": "wrong", "name": "Eve", "sinceSeq": 0})))

        assert await them.message() == {"t": "auth_fail", "reason": "bad key"}
        assert await them.closing() == told(Closing.REFUSED)


@asynchronous
async def test_a_stranger_who_never_proves_itself_is_hung_up_on() -> None:
    """AUTH-6: whether or not its WebSocket is open."""
    async with opened() as here, client(here.port) as open_one, client(here.port) as silent_one:
        await here.challenged(open_one)
        here.expire(AUTH_SECONDS - 1)
        open_one.write(ping())
        early = await open_one.frame()
        here.expire(1)

        assert early is not None
        assert await open_one.closing() == told(Closing.AUTH_TIMEOUT)
        assert await silent_one.is_closed()


@asynchronous
async def test_one_stranger_too_many_evicts_the_oldest() -> None:
    """SIZE-7."""
    async with opened() as here, AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(client(here.port)) for _ in range(STRANGER_CONNECTIONS)]
        for them in waiting:
            await here.challenged(them)
        newest = await stack.enter_async_context(client(here.port))
        await here.challenged(newest)

        assert await waiting[0].closing() == told(Closing.EVICTED)
        waiting[1].write(here.auth("not its challenge"))
        assert (await waiting[1].message())["t"] == "auth_fail"
        newest.write(ping(b"still here"))
        frame = await newest.frame()
        assert frame is not None
        assert frame.data == b"still here"


@asynchronous
async def test_refused_requests_take_no_place_of_strangers() -> None:
    """SIZE-7: however long they keep their sockets open."""
    async with opened() as here, AsyncExitStack() as stack:
        guest = await stack.enter_async_context(client(here.port))
        challenge = await here.challenged(guest)
        for _ in range(2 * STRANGER_CONNECTIONS):
            them = await stack.enter_async_context(client(here.port))
            them.write(b"GET / HTTP/1.1\r\n\r\n")
            await them.rest()
        guest.write(here.auth(challenge))

        assert (await guest.message())["t"] == "auth_ok"


@asynchronous
async def test_five_hundred_silent_sockets_keep_nobody_out_and_nothing_open() -> None:
    """SIZE-7, CLOSE-2."""
    async with opened() as here, AsyncExitStack() as stack:
        for _ in range(500):
            await stack.enter_async_context(client(here.port))
        guest = await stack.enter_async_context(client(here.port))
        welcome = await here.admitted(guest)
        held = len(here.relay.listener._sockets)

        assert welcome["t"] == "auth_ok"
        assert held <= STRANGER_CONNECTIONS + 1
        assert await seconds_to_close(here) < CLOSING_SECONDS


# --- Bounds ----------------------------------------------------------------------------------------------------------


@asynchronous
async def test_bytes_that_are_not_utf8_close_with_1007() -> None:
    """WIRE-5: for a stranger and for the guest."""
    async with opened() as here, client(here.port) as stranger, client(here.port) as guest:
        await here.challenged(stranger)
        stranger.write(text(b"\xff"))
        stranger_told = await stranger.closing()
        await here.admitted(guest)
        guest.write(text(b"\xff"))

        assert stranger_told == told(Closing.NOT_TEXT)
        assert await guest.closing() == told(Closing.NOT_TEXT)
        assert here.texts()[-1] == "Bob left"


@asynchronous
async def test_a_strangers_frame_that_is_too_big_closes_with_1009() -> None:
    """SIZE-1."""
    async with opened() as here, client(here.port) as stranger:
        await here.challenged(stranger)
        stranger.write(text("x" * (STRANGER_FRAME_BYTES + 1)))

        assert await stranger.closing() == (1009, "frame too big")


@asynchronous
async def test_the_guest_may_send_larger_frames_and_no_larger_ones_than_its_bound() -> None:
    """SIZE-2."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        await guest.message()
        whole = draft("body")
        guest.write(text(whole[:-1] + " " * (GUEST_FRAME_BYTES - len(whole)) + "}"))
        echo = await guest.message()
        guest.write(text("x" * (GUEST_FRAME_BYTES + 1)))

        assert echo["t"] == "msg"
        assert await guest.closing() == told(Closing.TOO_BIG)
        assert here.texts()[-1] == "Bob left"


@asynchronous
async def test_a_flood_of_control_frames_is_hung_up_on() -> None:
    """SIZE-8."""
    async with opened() as here, client(here.port) as stranger:
        await here.challenged(stranger)
        stranger.write(ping() * (CONTROL_FRAMES + 1))

        assert await stranger.closing() == told(Closing.FLOOD)


@asynchronous
async def test_a_guest_that_never_reads_is_hung_up_on_and_delays_nobody() -> None:
    """SIZE-9: what waits for it is bounded, the host's say is answered soon, and others are served meanwhile."""
    async with opened() as here, client(here.port) as guest, client(here.port) as stranger:
        await here.admitted(guest)
        longest = most = 0.0
        while here.host.state is session.State.LOCKED:
            began = time.monotonic()
            await here.relay.driver.say("x" * TEXT_BYTES)
            longest = max(longest, time.monotonic() - began)
            most = max(most, waiting(here))
        challenge = await here.challenged(stranger)

        assert longest < PATIENCE_SECONDS + SOON_SECONDS
        assert OUTBOX_BYTES / 2 < most < OUTBOX_BYTES + 2 * TEXT_BYTES
        assert challenge
        assert await guest.closing() == told(Closing.SLOW)


@asynchronous
async def test_a_guest_that_reads_slowly_hears_a_burst_of_many_times_what_may_wait() -> None:
    """SIZE-9: whoever reads is not hung up on."""
    texts = 3 * OUTBOX_BYTES // TEXT_BYTES
    async with opened() as here, client(here.port, receive_buffer=4_096) as guest:
        await here.admitted(guest)
        says = asyncio.gather(*(here.relay.driver.say(f"{number} " + "x" * 200_000) for number in range(texts)))
        last = most = 0
        while last < texts + 2:
            most = max(most, waiting(here))
            last = await next_seq(guest)

        assert len(await says) == texts
        assert here.host.state is session.State.LOCKED
        assert most < OUTBOX_BYTES


@asynchronous
async def test_a_guest_that_sends_and_never_reads_is_hung_up_on() -> None:
    """SIZE-9: its own echoes wait for it."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        leaving = asyncio.create_task(until_lost(here))
        while not leaving.done():
            guest.write(text(draft("x" * 500_000)))
            await asyncio.wait([leaving], timeout=0.01)

        assert await guest.closing() == told(Closing.SLOW)


def waiting(here: Opened) -> int:
    """How many bytes wait in our memory for all peers together."""
    return sum(socket.waiting for socket in here.relay.listener._sockets.values())


# --- The backlog -----------------------------------------------------------------------------------------------------


async def next_seq(of: Client) -> int:
    message = (await of.message())["msg"]
    assert isinstance(message, dict)
    return message["seq"]


@pytest.mark.parametrize("receive_buffer", [4_096, None], ids=["slow reader", "fast reader"])
@asynchronous
async def test_a_long_backlog_reaches_the_guest_in_order_and_as_fast_as_it_reads(receive_buffer: int | None) -> None:
    """SIZE-11: of many times OUTBOX_BYTES little waits in memory, and what is said meanwhile comes behind it."""
    async with opened() as here, client(here.port, receive_buffer=receive_buffer) as guest:
        fill(here.host.transcript, messages=400, body="x" * 100_000)
        welcome = await here.admitted(guest)
        backlog = welcome["backlog"]
        assert isinstance(backlog, list)
        last_said = await here.relay.driver.say("newest")
        numbers = [message["seq"] for message in backlog]
        most = 0
        while not numbers or numbers[-1] < last_said:
            most = max(most, waiting(here))
            numbers.append(await next_seq(guest))

        assert last_said > 400
        assert numbers == list(range(1, last_said + 1))
        assert most < BACKLOG_FRAME_BYTES + 3 * HIGH_WATER_BYTES


@asynchronous
async def test_who_does_not_read_its_backlog_gets_no_more_of_it_and_is_not_hung_up_on() -> None:
    """SIZE-11, SIZE-9: what the host did not send yet does not wait for the guest."""
    async with opened() as here, client(here.port, receive_buffer=4_096) as guest:
        fill(here.host.transcript, messages=400, body="x" * 100_000)
        await here.admitted(guest)
        for _ in range(50):
            await here.relay.driver.say("x" * TEXT_BYTES)
            await asyncio.sleep(0)

        assert waiting(here) < BACKLOG_FRAME_BYTES + 3 * HIGH_WATER_BYTES
        assert here.host.state is session.State.LOCKED
        assert here.host.is_behind


# --- Keepalive -------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_guest_is_pinged_and_a_dead_one_is_hung_up_on() -> None:
    """KEEP-1, KEEP-2."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        await guest.message()
        here.expire(PING_SECONDS)
        pinged = await guest.frame()
        here.expire(SILENCE_SECONDS - PING_SECONDS)

        assert pinged is not None
        assert pinged.opcode.name == "PING"
        assert await guest.closing() == told(Closing.SILENT)


@asynchronous
async def test_a_part_of_a_frame_is_a_sign_of_life() -> None:
    """KEEP-2: a large message on a slow line takes its time."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        large = text(draft("x" * 1_000))
        for part in (large[:100], large[100:200]):
            here.expire(SILENCE_SECONDS - 1)
            guest.write(part)
            await asyncio.wait_for(silence_restarts(here), 5)
        guest.write(large[200:])
        await here.relay.driver.changed()

        assert here.host.state is session.State.LOCKED


async def silence_restarts(here: Opened) -> None:
    (on,) = here.host._connections.values()
    await until(lambda: on.machine.timers._started["silence"] == here.clock.ticks)


# --- Ends ------------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_summary_reaches_the_guest_before_the_close() -> None:
    """CLOSE-1, CLOSE-4."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        await guest.message()
        here.end("all done")
        last = (await guest.message())["msg"]

        assert isinstance(last, dict)
        assert last["body"] == "closed \u2014 all done"
        assert await guest.closing() == told(Closing.CLOSED_BY_HOST)


@asynchronous
async def test_a_silent_socket_does_not_keep_the_relay_from_closing() -> None:
    """CLOSE-2."""
    async with opened() as here, client(here.port) as tcp, client(here.port) as websocket, client(here.port) as plain:
        await here.challenged(websocket)
        plain.write(b"GET / HTTP/1.1\r\n\r\n")
        await plain.rest()

        assert await seconds_to_close(here) < CLOSING_SECONDS
        assert await tcp.is_closed()


@pytest.mark.parametrize("way", ["reads nothing", "reads and answers nothing"])
@asynchronous
async def test_a_frozen_guest_does_not_delay_the_close(way: str) -> None:
    """CLOSE-2: it has a second, whatever waits for it."""
    async with opened() as here, client(here.port, receive_buffer=4_096) as guest:
        await here.admitted(guest)
        reading = asyncio.create_task(guest.closing()) if way != "reads nothing" else None
        for _ in range(10):
            await here.relay.driver.say("x" * TEXT_BYTES)

        assert await seconds_to_close(here) < CLOSING_SECONDS
        assert not here.relay.listener._sockets
        if reading:
            assert await reading == told(Closing.CLOSED_BY_HOST)


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_guest_that_answers_the_close_does_not_delay_it_at_all() -> None:
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        closing = asyncio.create_task(seconds_to_close(here))
        await guest.closing()
        guest.write(close(1000))
        guest.writer.write_eof()

        assert await closing < SOON_SECONDS


@asynchronous
async def test_a_session_that_goes_idle_gives_the_port_back_by_itself() -> None:
    """IDLE-1, CLOSE-2."""
    async with opened() as here, client(here.port) as guest:
        await here.admitted(guest)
        await guest.message()
        for _ in range(IDLE_SECONDS // PING_SECONDS - 1):
            here.expire(PING_SECONDS)
            guest.write(ping())
            await asyncio.wait_for(silence_restarts(here), 5)
        here.expire(PING_SECONDS)

        assert here.host.cause is Cause.IDLE
        assert (await guest.closing()) == told(Closing.IDLE)
        assert here.relay.listener._giving_back is not None
        await here.relay.listener._giving_back
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", here.port)


@asynchronous
async def test_who_comes_behind_the_end_finds_nobody() -> None:
    """CLOSE-3: also one whose connection was there before, and who proves itself now."""
    async with opened() as here, client(here.port) as late:
        challenge = await here.challenged(late)
        here.end()
        late.write(here.auth(challenge))

        assert await late.closing() == told(Closing.CLOSED_BY_HOST)
        assert here.host.state is session.State.CLOSED
