"""A guest on the network: every way in ends in time, every way out is told, and nothing but the address leaves."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from tests.conversation import Dice, message
from tests.io.asynchronous import asynchronous, until
from tests.io.dialling import BARE, KEY, Dialled, answering, dialled, link_to, says
from tests.io.wire import CLOSING_SECONDS, PATH, SOON_SECONDS, StillClock, opened
from tests.standins.programs import free_port
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.guest import Guest
from tunnel.core.link import mint
from tunnel.io.dialer import Dialer
from tunnel.io.driver import NotSaidError
from tunnel.io.way import Patience, Way
from tunnel.spec.v1 import frames, guest
from tunnel.spec.v1.constants import (
    HOST_FRAME_BYTES,
    JOIN_SECONDS,
    KEY_BYTES,
    OUTBOX_BYTES,
    PING_SECONDS,
    SILENCE_SECONDS,
    TEXT_BYTES,
)
from tunnel.spec.v1.refusals import CLOSINGS, Cause, Closing


class FakeHost:
    """A host that lets a guest in, and does then what a test says. It answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = b""
        self._frames = ServerProtocol(max_size=None)
        self._events: list[object] = []

    def write(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    def tell(self, frame: frames.Challenge | frames.AuthOk | frames.Msg) -> None:
        self.write(text(codec.encode(frame)))

    async def upgrade(self) -> None:
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        self._frames.receive_data(self.head)
        (request,) = self._frames.events_received()
        self._frames.send_response(self._frames.accept(request))  # pyright: ignore[reportArgumentType] - the first event
        self.write(*self._frames.data_to_send())

    async def admit(self) -> None:
        await self.upgrade()
        self.tell(frames.Challenge(nonce="a challenge"))
        await self.frame()
        self.tell(frames.AuthOk(goal="a goal", peer_name="Mallory", backlog=()))

    async def frame(self) -> Frame | None:
        """The next frame; None at the end of the stream."""
        while not self._events:
            data = await self.reader.read(65_536)
            if not data:
                return None
            self._frames.receive_data(data)
            self._events += self._frames.events_received()
        event = self._events.pop(0)
        assert isinstance(event, Frame)
        return event

    async def closing(self) -> tuple[int, str]:
        """Code and reason of the close frame, whatever comes before it."""
        while (frame := await self.frame()) is not None:
            if frame.opcode is Opcode.CLOSE:
                return int.from_bytes(frame.data[:2], "big"), bytes(frame.data[2:]).decode()
        return 1006, ""


def text(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """A frame as a server sends it."""
    return Frame(opcode, data, fin).serialize(mask=False)


def close(closing: Closing) -> bytes:
    row = CLOSINGS[closing]
    return text(row.code.to_bytes(2, "big") + row.reason.encode(), Opcode.CLOSE)


@asynccontextmanager
async def hosted(*, admits: bool = True) -> AsyncGenerator[tuple[FakeHost, Dialled]]:
    """A guest at a fake host, which has let it in."""
    arrived: asyncio.Future[FakeHost] = asyncio.get_running_loop().create_future()
    forever = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = FakeHost(reader, writer)
        if admits:
            await host.admit()
        arrived.set_result(host)
        await forever.wait()

    async with answering(handle) as port, dialled(link_to(port)) as here:
        try:
            host = await arrived
            if admits:
                assert await here.is_joined()
            yield host, here
        finally:
            forever.set()


def told(closing: Closing) -> tuple[int, str]:
    return CLOSINGS[closing].code, CLOSINGS[closing].reason


# --- At a real relay -------------------------------------------------------------------------------------------------


@asynchronous
async def test_both_ends_hear_each_other_in_order() -> None:
    async with opened() as relay, dialled(relay.link) as here:
        assert await here.is_joined()
        seqs = [await here.dialer.driver.say("from Bob"), await relay.relay.driver.say("from Alice")]
        while here.guest.transcript.last < seqs[-1]:
            await here.dialer.driver.changed()

        assert relay.texts()[1:] == ["Bob joined", "from Bob", "from Alice"]
        assert here.texts() == relay.texts()


@asynchronous
async def test_a_guest_that_closes_with_a_summary_is_heard_to_the_last_word() -> None:
    """CLOSE-6: behind everything else that was said, although nobody waits for an echo any more."""
    async with opened() as relay, dialled(relay.link) as here:
        await here.is_joined()
        saying = [asyncio.create_task(here.dialer.driver.say("x" * TEXT_BYTES)) for _ in range(5)]
        await asyncio.sleep(0)
        here.close("that was all")
        await here.dialer.closed()
        await asyncio.gather(*saying, return_exceptions=True)
        while "Bob left" not in relay.texts():
            await relay.relay.driver.changed()

        assert relay.texts()[2:] == ["x" * TEXT_BYTES] * 5 + ["that was all", "Bob left"]


@asynchronous
async def test_a_host_that_closes_is_told_from_one_that_is_gone() -> None:
    """CLOSE-5."""
    async with opened() as relay, dialled(relay.link) as here:
        await here.is_joined()
        relay.end("all done")

        assert await here.over() is Cause.CLOSED_BY_HOST
        assert here.texts()[-1] == "closed \u2014 all done"


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_refused_join_leaves_nothing_behind() -> None:
    """AUTH-11."""
    async with opened() as relay:
        wrong = mint(f"http://127.0.0.1:{relay.port}", PATH.removeprefix("/t/"), Dice("wrong")(KEY_BYTES))
        async with dialled(wrong) as here:
            joined = await here.is_joined()
            began = time.monotonic()
            await here.dialer.closed()

            assert not joined
            assert here.guest.refused_because == "bad key"
            assert time.monotonic() - began < SOON_SECONDS


# --- What is dialled -------------------------------------------------------------------------------------------------


@asynchronous
async def test_nothing_but_the_address_is_sent() -> None:
    """LINK-9, WIRE-9: no key, no name of a program, no origin, and nothing is offered."""
    async with hosted(admits=False) as (host, here):
        await host.upgrade()
        request = host.head.decode().lower()

        assert request.startswith(f"get {PATH} http/1.1\r\n")
        assert crypto.encode_base64url(KEY).lower() not in request
        for field in ("user-agent", "origin", "sec-websocket-extensions", "sec-websocket-protocol", "cookie"):
            assert f"\r\n{field}:" not in request
        assert here.guest.cause is None


@asynchronous
async def test_a_redirect_is_not_followed() -> None:
    """LINK-11: a link names the one host that may be dialled."""
    visits: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.readuntil(b"\r\n\r\n"))

    async with answering(elsewhere) as other:
        moved = f"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:{other}{PATH}\r\nContent-Length: 0\r\n\r\n".encode()
        async with answering(says(moved)) as port, dialled(link_to(port)) as here:
            joined = await here.is_joined()

            assert not joined
            assert here.guest.cause is Cause.NOT_CONNECTED
            assert here.dialer.trouble.startswith(
                "WebSocket: 127.0.0.1 answered with status 301 and sends us elsewhere"
            )
            assert visits == []


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], "status 404. The tunnel is probably closed"),
        (
            [b"HTTP/1.1 530 \r\nContent-Length: 16\r\n\r\nerror code: 1033"],
            "status 530: an edge is there, and no tunnel",
        ),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"], "status 200 and a page"),
        ([b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"x" * 2_000_000], "status 502: an edge is there"),
        ([b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"], "does not pass WebSockets on"),
        ([], "without an answer"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "no relay"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"], "no relay"),
        ([b"\x15\x03\x01\x00\x02\x02\x16"], "without an answer"),
        ([b"HTTP/1.1 404 " + b"x" * 100_000], "status 404"),
    ],
    ids=[
        "404",
        "530",
        "200",
        "endless body",
        "no upgrade",
        "nothing",
        "ssh",
        "bad accept",
        "tls alert",
        "endless line",
    ],
)
@asynchronous
async def test_what_is_no_relay_is_a_trouble_in_a_sentence(answer: list[bytes], trouble: str) -> None:
    async with answering(says(*answer)) as port, dialled(link_to(port)) as here:
        assert not await here.is_joined()
        assert here.guest.cause is Cause.NOT_CONNECTED
        assert trouble in here.dialer.trouble


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@asynchronous
async def test_a_port_at_which_nobody_listens_is_a_trouble_in_a_sentence(host: str) -> None:
    async with dialled(link_to(free_port(), host)) as here:
        assert not await here.is_joined()
        assert here.dialer.trouble.startswith("TCP: ")
        assert "ask for a new link" in here.dialer.trouble


@asynchronous
async def test_a_name_that_cannot_be_one_is_a_trouble_in_a_sentence() -> None:
    host = "a" * 64 + ".invalid"
    async with dialled(link_to(4711, host)) as here:
        assert not await here.is_joined()
        assert here.dialer.trouble.startswith("DNS: ")


@asynchronous
async def test_a_host_that_speaks_no_tls_is_a_trouble_in_a_sentence() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with answering(plain) as port, dialled(link_to(port, tls=True)) as here:
        assert not await here.is_joined()
        assert here.dialer.trouble.startswith("TLS: ")


# --- Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "named"),
    [("no answer to TLS", "TLS: "), ("no answer to the request", "WebSocket: "), ("no challenge", "")],
)
@asynchronous
async def test_every_stage_of_a_join_ends_in_time_and_is_named(stage: str, named: str) -> None:
    """AUTH-9: and the socket is gone."""
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if stage == "no challenge":
            await FakeHost(reader, writer).upgrade()
        try:
            while await reader.read(65_536):
                arrived.set()
        except ConnectionResetError:
            pass
        gone.set()

    arrived = asyncio.Event()
    async with answering(silent) as port, dialled(link_to(port, tls="TLS" in stage)) as here:
        if stage == "no challenge":
            await until(lambda: here.guest.state is guest.State.GREETING)
        else:
            await arrived.wait()
        here.expire(JOIN_SECONDS - 1)
        early = here.guest.cause
        here.expire(1)
        began = time.monotonic()
        await here.dialer.closed()
        await gone.wait()

        assert early is None
        assert here.guest.cause is Cause.JOIN_TIMEOUT
        assert time.monotonic() - began < CLOSING_SECONDS
        assert here.dialer.trouble.startswith(f"{named}127.0.0.1 did not answer within 20 seconds.") == bool(named)


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "WebSocket"])
@asynchronous
async def test_a_stage_that_hangs_is_given_up_before_the_join_is(tls: bool) -> None:
    """And the socket is gone."""
    gone = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        gone.set()

    short = Way(environment={}, doh_servers=(), patience=Patience(tls_seconds=0.05, websocket_seconds=0.05))
    async with answering(deaf) as port, dialled(link_to(port, tls=tls), short) as here:
        trouble = await here.trouble()
        await gone.wait()

    assert trouble.startswith(f"{'TLS' if tls else 'WebSocket'}: 127.0.0.1 did not answer within 0.05 seconds.")
    assert here.guest.cause is Cause.NOT_CONNECTED


@asynchronous
async def test_an_answer_that_comes_drop_by_drop_is_given_up() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
        while not writer.is_closing():
            writer.write(b"A: b\r\n")
            await asyncio.sleep(0.01)  # so that it is slow

    short = Way(environment={}, doh_servers=(), patience=Patience(websocket_seconds=0.05))
    async with answering(drip) as port, dialled(link_to(port), short) as here:
        assert (await here.trouble()).startswith("WebSocket: 127.0.0.1 did not answer")


@pytest.mark.parametrize("turns", range(20))
@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_dial_that_is_given_up_leaves_nothing(turns: int) -> None:
    """Wherever it is: the loop that a test runs in finds every task, socket and exception that is left."""
    async with opened() as relay, dialled(relay.link) as here:
        for _ in range(turns):
            await asyncio.sleep(0)
        here.close()
        began = time.monotonic()
        await here.dialer.closed()

        assert here.guest.cause is Cause.CLOSED_BY_GUEST
        assert here.dialer.trouble == ""
        assert time.monotonic() - began < SOON_SECONDS


@asynchronous
async def test_a_dialer_that_never_dialled_is_closed() -> None:
    core = Guest(link=link_to(1), name="Bob", entropy=Dice("a guest"), now=StillClock().now())
    dialer = Dialer(core, StillClock(), "ws://127.0.0.1:1", BARE)
    dialer.driver.step(lambda now: core.close("", now))

    await dialer.closed()


@asynchronous
async def test_closing_again_changes_nothing() -> None:
    async with hosted() as (_, here):
        here.close()
        await asyncio.gather(here.dialer.closed(), here.dialer.closed())
        here.dialer.shut()
        await here.dialer.closed()

        assert here.guest.cause is Cause.CLOSED_BY_GUEST


@pytest.mark.parametrize("way", ["closed", "hung up"])
@asynchronous
async def test_the_socket_goes_whatever_the_guest_thinks(way: str) -> None:
    """CLOSE-5: and the guest hears of it, although the host does not answer."""
    async with hosted() as (_, here):
        began = time.monotonic()
        if way == "closed":
            await here.dialer.closed()
        else:
            here.dialer.hang_up(0, *told(Closing.LEFT))

        assert await here.over() is Cause.HOST_GONE
        assert time.monotonic() - began < CLOSING_SECONDS


@asynchronous
async def test_a_task_that_is_cancelled_takes_the_socket_with_it() -> None:
    async with hosted() as (host, here):
        assert here.dialer._task is not None
        here.dialer._task.cancel()
        await asyncio.wait([here.dialer._task])

        assert await host.closing() == (1006, "")


# --- What the host sends ---------------------------------------------------------------------------------------------


@asynchronous
async def test_frames_in_one_read_with_the_answer_are_not_lost() -> None:
    async with hosted(admits=False) as (host, here):
        host.head = await host.reader.readuntil(b"\r\n\r\n")
        host._frames.receive_data(host.head)
        (request,) = host._frames.events_received()
        host._frames.send_response(host._frames.accept(request))  # pyright: ignore[reportArgumentType] - the first event
        host.write(*host._frames.data_to_send(), text(b'{"t":"challenge","nonce":"n"}'))
        answer = await host.frame()

        assert answer is not None
        assert json.loads(bytes(answer.data))["response"] == crypto.prove(KEY, "n")
        assert here.guest.state is guest.State.PROVING


@asynchronous
async def test_messages_and_a_close_in_one_read_are_taken_in_their_order() -> None:
    """CLOSE-5."""
    async with hosted() as (host, here):
        host.tell(frames.Msg(msg=message(1, "one", kind="system")))
        host.write(text(codec.encode(frames.Msg(msg=message(2, "two", kind="system"))), Opcode.BINARY))
        host.write(close(Closing.IDLE))

        assert await here.over() is Cause.IDLE
        assert here.texts() == ["one", "two"]


@asynchronous
async def test_a_message_in_fragments_is_one_message() -> None:
    async with hosted() as (host, here):
        whole = codec.encode(frames.Msg(msg=message(1, "Grüße", kind="system")))
        place = whole.index("ü".encode()) + 1
        host.write(text(whole[:place], fin=False), text(b"", Opcode.PING), text(whole[place:], Opcode.CONT))
        await here.dialer.driver.changed()

        assert here.texts() == ["Grüße"]


@asynchronous
async def test_a_host_that_sends_text_that_is_not_utf8_is_left() -> None:
    """WIRE-5."""
    async with hosted() as (host, here):
        host.write(text(b"\xff"))

        assert await host.closing() == told(Closing.NOT_TEXT)
        assert await here.over() is Cause.BAD_HOST


@asynchronous
async def test_a_binary_message_that_is_not_utf8_is_ignored() -> None:
    """WIRE-5."""
    async with hosted() as (host, here):
        host.write(text(b"\xff", Opcode.BINARY))
        host.tell(frames.Msg(msg=message(1, "next", kind="system")))
        await here.dialer.driver.changed()

        assert here.texts() == ["next"]


@asynchronous
async def test_a_host_whose_frame_is_too_big_is_left() -> None:
    """SIZE-3: as soon as the frame says so."""
    async with hosted() as (host, here):
        host.write(b"\x81\x7f" + (HOST_FRAME_BYTES + 1).to_bytes(8, "big"))

        assert await host.closing() == told(Closing.TOO_BIG)
        assert await here.over() is Cause.HOST_TOO_BIG


@asynchronous
async def test_a_frame_of_exactly_the_bound_is_taken() -> None:
    """SIZE-3."""
    async with hosted() as (host, here):
        whole = codec.encode(frames.Msg(msg=message(1, "large", kind="system")))
        host.write(text(whole[:-1] + b" " * (HOST_FRAME_BYTES - len(whole)) + b"}"))
        await here.dialer.driver.changed()

        assert here.texts() == ["large"]


@asynchronous
async def test_a_host_that_breaks_websocket_is_gone() -> None:
    """CLOSE-5."""
    async with hosted() as (host, here):
        host.write(b"\xf1\x00")

        assert (await host.closing())[0] == 1002
        assert await here.over() is Cause.HOST_GONE


@pytest.mark.parametrize("way", ["end of stream", "reset"])
@asynchronous
async def test_a_host_that_goes_without_a_word_is_gone(way: str) -> None:
    """CLOSE-5."""
    async with hosted() as (host, here):
        if way == "reset":
            host.writer.transport.abort()
        else:
            host.writer.write_eof()

        assert await here.over() is Cause.HOST_GONE


@asynchronous
async def test_a_host_that_says_goodbye_and_stays_is_cut() -> None:
    """CLOSE-5: and the guest's agent is told what it said."""
    async with hosted() as (host, here):
        began = time.monotonic()
        host.write(close(Closing.PROCESS_EXIT))

        assert await here.over() is Cause.PROCESS_EXIT
        assert time.monotonic() - began < CLOSING_SECONDS


# --- Life and death --------------------------------------------------------------------------------------------------


async def heard(here: Dialled) -> None:
    await until(lambda: here.guest._machine.timers._started["silence"] == here.clock.ticks)


@asynchronous
async def test_a_host_is_pinged_and_its_pong_is_a_sign_of_life() -> None:
    """KEEP-1, KEEP-2."""
    async with hosted() as (host, here):
        for _ in range(4):
            here.expire(PING_SECONDS)
            ping = await host.frame()
            assert ping is not None
            assert ping.opcode is Opcode.PING
            host.write(text(bytes(ping.data), Opcode.PONG))
            await asyncio.wait_for(heard(here), 5)

        assert here.guest.cause is None


@asynchronous
async def test_a_host_without_a_sign_of_life_is_left() -> None:
    """KEEP-2, KEEP-3, CLOSE-4."""
    async with hosted() as (host, here):
        here.expire(SILENCE_SECONDS - 1)
        early = here.guest.cause
        here.expire(1)

        assert early is None
        assert here.guest.cause is Cause.HOST_SILENT
        assert await host.closing() == told(Closing.SILENT)


@asynchronous
async def test_a_part_of_a_frame_is_a_sign_of_life() -> None:
    """KEEP-2: a large message on a slow line takes its time."""
    async with hosted() as (host, here):
        whole = text(codec.encode(frames.Msg(msg=message(1, "x" * 1_000, kind="system"))))
        for part in (whole[:100], whole[100:200]):
            here.expire(SILENCE_SECONDS - 1)
            host.write(part)
            await asyncio.wait_for(heard(here), 5)
        host.write(whole[200:])
        await here.dialer.driver.changed()

        assert here.texts() == ["x" * 1_000]


@asynchronous
async def test_a_host_that_stops_reading_is_left() -> None:
    """SIZE-9: what waits for it is bounded, and the socket is gone soon."""
    async with hosted() as (_, here):
        enough = 2 * OUTBOX_BYTES // TEXT_BYTES
        says = [asyncio.create_task(here.dialer.driver.say("x" * TEXT_BYTES)) for _ in range(enough)]
        most = 0
        while here.guest.cause is None:
            await asyncio.sleep(0)
            assert here.dialer._websocket is not None
            most = max(most, here.dialer._websocket.transport.get_write_buffer_size())
        began = time.monotonic()
        await here.dialer.closed()
        answers = await asyncio.gather(*says, return_exceptions=True)

        assert here.guest.cause is Cause.HOST_SLOW
        assert OUTBOX_BYTES / 2 < most < OUTBOX_BYTES + 2 * TEXT_BYTES
        assert time.monotonic() - began < CLOSING_SECONDS
        assert {type(answer) for answer in answers} == {NotSaidError}


@asynchronous
async def test_a_frozen_host_does_not_delay_the_close() -> None:
    """CLOSE-4: it has a second to answer."""
    async with hosted() as (host, here):
        began = time.monotonic()
        here.close("bye")
        await here.dialer.closed()

        assert time.monotonic() - began < CLOSING_SECONDS
        last = await host.frame()
        assert last is not None
        assert json.loads(bytes(last.data))["t"] == "send"
        assert await host.closing() == told(Closing.LEFT)


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_host_that_answers_the_close_does_not_delay_it_at_all() -> None:
    """With a server that is not ours."""

    async def handle(websocket: ServerConnection) -> None:
        await websocket.send('{"t":"challenge","nonce":"n"}')
        await websocket.recv()
        await websocket.send('{"t":"auth_ok","goal":"g","peerName":"p","backlog":[]}')
        await websocket.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with dialled(link_to(port)) as here:
            await here.is_joined()
            began = time.monotonic()
            here.close()
            await here.dialer.closed()

            assert time.monotonic() - began < SOON_SECONDS
