"""One connection at the relay: what its peer sends is told in order, and however the peer behaves, it ends."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.frames import Frame, Opcode

from tests.io.asynchronous import asynchronous, until
from tests.io.wire import (
    CLOSING_SECONDS,
    HEAD,
    PATH,
    SOON_SECONDS,
    Client,
    Noted,
    client,
    close,
    listening,
    ping,
    text,
)
from tunnel.io.accepted import GUEST_READ_BYTES, HIGH_WATER_BYTES, STRANGER_READ_BYTES, Accepted
from tunnel.io.listener import Listener
from tunnel.spec.v1.constants import (
    CLOSE_SECONDS,
    GUEST_FRAME_BYTES,
    HTTP_HEAD_BYTES,
    OUTBOX_BYTES,
    STRANGER_FRAME_BYTES,
)
from tunnel.spec.v1.refusals import CLOSINGS, Closing

UPGRADE = f"{HEAD}\r\n".encode()


def unmasked(data: bytes) -> bytes:
    return Frame(Opcode.TEXT, data).serialize(mask=False)


async def status(of: Client) -> int:
    answer = await of.rest()
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer.split()[1])


# --- HTTP ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_head", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", HTTPStatus.NOT_FOUND),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf a body", HTTPStatus.NOT_FOUND),
        (f"GET {PATH} HTTP/1.0\r\n\r\n".encode(), HTTPStatus.UPGRADE_REQUIRED),
        (f"{HEAD}Origin: https://evil.example\r\n\r\n".encode(), HTTPStatus.FORBIDDEN),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", HTTPStatus.BAD_REQUEST),
    ],
    ids=["another path", "with a body", "the path", "a browser", "tls"],
)
@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_plain_request_is_answered_at_once(request_head: bytes, expected: HTTPStatus) -> None:
    """WIRE-7, WIRE-8: while the other end keeps its side open, and is lost at once for whoever counts strangers."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        began = time.monotonic()
        them.write(request_head)

        assert await status(them) == expected
        assert noted.told == ["accept", "lost"]
        assert time.monotonic() - began < SOON_SECONDS


@asynchronous
async def test_a_refused_request_is_cut_although_the_other_end_stays() -> None:
    """WIRE-7: a relay that waits for it could be kept from closing by anybody."""
    async with listening(Noted()) as (listener, port), client(port) as them:
        them.write(b"GET / HTTP/1.1\r\n\r\n")
        await status(them)
        began = time.monotonic()

        await until(lambda: not listener._sockets)

        assert time.monotonic() - began < CLOSING_SECONDS


@asynchronous
async def test_an_answer_is_read_although_the_request_goes_on_and_on() -> None:
    """SIZE-12: unread bytes would make a reset of the close, and a reset overtakes the answer."""
    async with listening(Noted()) as (_, port), client(port) as them:
        them.write(b"GET / HTTP/1.1\r\nX: ", b"x" * 100 * HTTP_HEAD_BYTES)

        assert await status(them) == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


@asynchronous
async def test_a_line_that_the_library_finds_too_long_has_one_answer() -> None:
    async with listening(Noted()) as (_, port), client(port) as them:
        them.write(f"{HEAD}X: {'x' * 10_000}\r\n\r\n".encode())
        answer = await them.rest()

        assert answer.startswith(b"HTTP/1.1 4")
        assert answer.count(b"HTTP/1.1") == 1


@asynchronous
async def test_a_request_behind_a_refused_request_is_not_read() -> None:
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        them.write(b"GET / HTTP/1.1\r\n\r\n", UPGRADE, text("too late"))
        answer = await them.rest()

        assert answer.count(b"HTTP/1.1") == 1
        assert noted.told == ["accept", "lost"]


@asynchronous
async def test_a_client_that_shuts_its_side_behind_a_request_gets_the_answer() -> None:
    async with listening(Noted()) as (_, port), client(port) as them:
        them.write(b"GET / HTTP/1.0\r\n\r\n")
        them.writer.write_eof()

        assert await status(them) == HTTPStatus.NOT_FOUND


@asynchronous
async def test_a_request_byte_by_byte_opens_a_websocket() -> None:
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        for byte in UPGRADE:
            them.write(bytes([byte]))
            await asyncio.sleep(0)
        await noted.hears("upgraded")

        assert noted.told == ["accept", "upgraded"]


@asynchronous
async def test_frames_in_one_read_with_the_request_come_behind_it() -> None:
    """The answer to the ping comes behind the answer to the request, and what was said is not lost."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        response = await them.open(behind=ping(b"hello") + text("first") + text("second"))
        pong = await them.frame()

        assert response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
        assert pong == Frame(Opcode.PONG, b"hello")
        assert noted.told == ["accept", "upgraded", "control", "receive", "receive"]
        assert noted.texts == ["first", "second"]


@asynchronous
async def test_a_goodbye_in_one_read_with_the_request_is_answered() -> None:
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open(behind=close(1000, "bye"))

        assert await them.closing() == (1000, "bye")
        assert noted.told == ["accept", "upgraded", "lost"]


# --- Messages --------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_message_in_fragments_is_one_message() -> None:
    """Also when a character is cut in two, and a ping comes in between."""
    noted = Noted()
    whole = "Grüße 😀".encode()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(text(whole[:3], fin=False), ping(), text(whole[3:9], opcode=Opcode.CONT, fin=False))
        them.write(text(whole[9:], opcode=Opcode.CONT), text("next"))
        await noted.hears("receive", 2)

        assert noted.told == ["accept", "upgraded", "control", "receive", "receive"]
        assert noted.texts == ["Grüße 😀", "next"]


@asynchronous
async def test_endless_empty_fragments_hold_nothing_and_end_nothing() -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        them.write(text("a", fin=False), text(b"", opcode=Opcode.CONT, fin=False) * 20_000)
        await them.writer.drain()
        them.write(ping())
        await noted.hears("control")
        (socket,) = listener._sockets.values()
        held = len(socket._message)
        them.write(text("b", opcode=Opcode.CONT))
        await noted.hears("receive")

        assert held == 1
        assert noted.texts == ["ab"]


@asynchronous
async def test_a_binary_message_in_utf8_is_a_message_and_any_other_is_noise() -> None:
    """WIRE-2, WIRE-5."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(text(b"\xff", opcode=Opcode.BINARY), text("ü", opcode=Opcode.BINARY))
        await noted.hears("receive")

        assert noted.told == ["accept", "upgraded", "noise", "receive"]
        assert noted.texts == ["ü"]


@pytest.mark.parametrize("parts", [[b"\xff"], [b"\xc3", b"("], ["\ud800".encode("utf-8", "surrogatepass")]])
@asynchronous
async def test_a_text_message_that_is_not_utf8_is_told(parts: list[bytes]) -> None:
    """WIRE-5."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        for place, part in enumerate(parts):
            opcode = Opcode.CONT if place else Opcode.TEXT
            them.write(text(part, opcode=opcode, fin=place == len(parts) - 1))
        await noted.hears("not_text")

        assert noted.told == ["accept", "upgraded", "not_text"]


@pytest.mark.parametrize("fragments", [1, 3], ids=["in one frame", "in fragments"])
@asynchronous
async def test_a_message_of_exactly_the_bound_is_taken_and_a_larger_one_is_not(fragments: int) -> None:
    """SIZE-1: the close frame has the spec's words, and what follows is read no more."""
    noted = Noted()

    def message(size: int) -> list[bytes]:
        cut = [size // fragments] * (fragments - 1)
        sizes = [*cut, size - sum(cut)]
        return [
            text(b"x" * part, opcode=Opcode.CONT if place else Opcode.TEXT, fin=place == fragments - 1)
            for place, part in enumerate(sizes)
        ]

    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(*message(STRANGER_FRAME_BYTES))
        await noted.hears("receive")
        them.write(*message(STRANGER_FRAME_BYTES + 1), text("behind"))

        assert await them.closing() == (CLOSINGS[Closing.TOO_BIG].code, CLOSINGS[Closing.TOO_BIG].reason)
        assert noted.told == ["accept", "upgraded", "receive", "oversize", "lost"]


@asynchronous
async def test_a_frame_is_too_big_as_soon_as_it_says_so() -> None:
    """SIZE-1: nothing of it is waited for."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big"))

        assert (await them.closing())[0] == CLOSINGS[Closing.TOO_BIG].code


@asynchronous
async def test_the_bound_of_a_connection_is_asked_for_with_every_read() -> None:
    """SIZE-2: who is admitted may send more than a stranger."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        noted.largest = 10 * STRANGER_FRAME_BYTES
        them.write(text(b"x" * noted.largest))
        await noted.hears("receive")

        assert len(noted.texts[0]) == noted.largest


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (unmasked(b"text"), 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        (b"\x89\xfe\0\x7e\0\0\0\0" + bytes(126), 1002),
        (text("unasked", opcode=Opcode.CONT), 1002),
        (text("a", fin=False) + text("b"), 1002),
        (text("a", fin=False) + close(), 1002),
        (Frame(Opcode.CLOSE, b"\x03").serialize(mask=True), 1002),
        (Frame(Opcode.CLOSE, (1005).to_bytes(2, "big")).serialize(mask=True), 1002),
        (Frame(Opcode.CLOSE, (1000).to_bytes(2, "big") + b"\xff").serialize(mask=True), 1007),
    ],
    ids=[
        "unmasked",
        "reserved opcode",
        "reserved bit",
        "ping in fragments",
        "long ping",
        "continued nothing",
        "not continued",
        "closed in the middle",
        "half a code",
        "code that is never sent",
        "reason not in utf-8",
    ],
)
@asynchronous
async def test_who_breaks_websocket_is_told_and_lost(bad: bytes, code: int) -> None:
    """CLOSE-4, and RFC 6455: what came before is not lost with it, and what follows is not read."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(text("before"), bad, text("behind"))

        assert (await them.closing())[0] == code
        await noted.hears("lost")
        assert noted.told == ["accept", "upgraded", "receive", "lost"]


# --- Ends ------------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_message_and_a_goodbye_in_one_read_are_told_in_their_order() -> None:
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as them:
        await them.open()
        them.write(text("last word"), close(1000, "guest left"), text("behind"))

        assert await them.closing() == (1000, "guest left")
        assert await them.rest() == b""
        assert noted.told == ["accept", "upgraded", "receive", "lost"]


@asynchronous
async def test_who_says_goodbye_and_stays_is_cut() -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        them.write(close())
        await noted.hears("lost")
        began = time.monotonic()
        await until(lambda: not listener._sockets)

        assert time.monotonic() - began < CLOSING_SECONDS
        assert noted.told == ["accept", "upgraded", "lost"]


@pytest.mark.parametrize("way", ["end of stream", "reset"])
@asynchronous
async def test_who_goes_without_a_word_is_lost_once(way: str) -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        them.write(text("half", fin=False))
        if way == "reset":
            them.reset()
        else:
            them.writer.write_eof()
        await noted.hears("lost")
        await listener.closed()

        assert noted.told == ["accept", "upgraded", "lost"]


@asynccontextmanager
async def lost_unread() -> AsyncGenerator[tuple[Listener, float]]:
    """Somebody for whom more waits than it takes shuts its side, and is lost: by whom, and when it did."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port, receive_buffer=4_096) as them:
        await them.open()
        listener.send(1, b"x" * OUTBOX_BYTES)
        them.writer.write_eof()
        began = time.monotonic()
        await noted.hears("lost")
        yield listener, began


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_who_shuts_its_side_and_does_not_read_is_lost_at_once() -> None:
    """However much still waits for it."""
    async with lost_unread() as (_, began):
        assert time.monotonic() - began < SOON_SECONDS


@asynchronous
async def test_who_shuts_its_side_and_does_not_read_is_cut_soon() -> None:
    """However much still waits for it."""
    async with lost_unread() as (listener, began):
        await listener.closed()

        assert time.monotonic() - began < CLOSING_SECONDS


@asynchronous
async def test_a_hang_up_is_told_behind_what_was_said_before() -> None:
    """CLOSE-4."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        listener.send(1, b'"reason"')
        listener.hang_up(1, 1008, "refused")
        listener.send(1, b'"behind"')
        listener.ping(1)

        assert (await them.frame()) == Frame(Opcode.TEXT, b'"reason"')
        assert await them.closing() == (1008, "refused")


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_hang_up_that_is_answered_does_not_wait() -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        began = time.monotonic()
        listener.hang_up(1, 1000, "")
        await them.closing()
        them.write(close(1000))

        assert await them.is_closed()
        assert time.monotonic() - began < SOON_SECONDS
        assert noted.told == ["accept", "upgraded", "lost"]


@asynchronous
async def test_a_hang_up_that_is_not_answered_ends_with_a_cut() -> None:
    """AUTH-8."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        began = time.monotonic()
        listener.hang_up(1, 1000, "")
        await noted.hears("lost")

        assert CLOSE_SECONDS <= time.monotonic() - began < CLOSING_SECONDS


@pytest.mark.usefixtures("closes_late")
@asynchronous
async def test_a_hang_up_before_the_websocket_is_open_closes_at_once() -> None:
    """SIZE-7, AUTH-6."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        them.write(UPGRADE[:50])
        await noted.hears("accept")
        began = time.monotonic()
        listener.hang_up(1, 1013, "evicted")

        assert await them.is_closed()
        assert time.monotonic() - began < SOON_SECONDS


@asynchronous
async def test_pings_behind_our_goodbye_are_not_answered() -> None:
    """A peer that only sends could fill the memory with answers that it does not read."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        them.write(ping(b"before"))
        await noted.hears("control")
        listener.hang_up(1, 1000, "")
        them.write(ping(b"behind") * 80)
        await noted.hears("control", 81)

        assert await them.frame() == Frame(Opcode.PONG, b"before")
        assert (await them.closing())[0] == 1000
        assert await them.rest() == b""


# --- Floods ------------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_flood_of_small_frames_does_not_hold_up_what_another_one_says() -> None:
    """Of a stranger little is read in one turn of the loop, however much there is."""
    noted = Noted()
    async with listening(noted) as (_, port), client(port) as flooding, client(port) as them:
        await flooding.open()
        await them.open()
        flooding.write(ping() * 40_000)
        them.write(text("hello"))
        await noted.hears("receive")

        assert noted.told.count("control") < 2_000


@asynchronous
async def test_whoever_floods_behind_our_goodbye_is_not_listened_to_and_cut_in_time() -> None:
    noted = Noted()
    async with listening(noted) as (listener, port), client(port) as them:
        await them.open()
        listener.hang_up(1, 1000, "")
        began = time.monotonic()
        them.write(ping() * 40_000)

        assert (await them.closing())[0] == 1000
        assert await them.is_closed()
        assert time.monotonic() - began < CLOSING_SECONDS
        assert noted.told.count("control") < 2_000


@asynchronous
async def test_a_guest_that_floods_behind_our_goodbye_is_not_listened_to_either() -> None:
    peers, transport = Noted(), NotedTransport()
    peers.largest = GUEST_FRAME_BYTES
    socket = Accepted(PATH, peers, {}, lambda: False)
    socket.connection_made(transport)

    def read(data: bytes) -> None:
        while data:
            buffer = socket.get_buffer(-1)
            size = min(len(data), len(buffer))
            buffer[:size], data = data[:size], data[size:]
            socket.buffer_updated(size)

    read(UPGRADE)
    socket.hang_up(1000, "")
    read(ping() * 40_000)

    assert peers.told.count("control") <= GUEST_READ_BYTES // len(ping())


@asynchronous
async def test_of_a_guest_much_is_read_at_once_also_after_it_has_left() -> None:
    peers = Noted()
    socket = Accepted(PATH, peers, {}, lambda: False)
    socket.connection_made(NotedTransport())
    sizes: list[int] = []
    for peers.largest in (STRANGER_FRAME_BYTES, GUEST_FRAME_BYTES, STRANGER_FRAME_BYTES):
        sizes.append(len(socket.get_buffer(-1)))

    assert sizes == [STRANGER_READ_BYTES, GUEST_READ_BYTES, GUEST_READ_BYTES]


# --- Back-pressure ---------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_peer_is_told_of_when_more_waits_for_it_than_may() -> None:
    """SIZE-9: what the system has taken does not wait, and at exactly the bound nothing is told."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port, receive_buffer=4_096) as them:
        await them.open()
        (socket,) = listener._sockets.values()

        def waiting() -> int:
            return len(socket._outbox) + socket._transport.get_write_buffer_size()

        while waiting() < HIGH_WATER_BYTES:
            listener.send(1, b"x" * HIGH_WATER_BYTES)
        header = len(Frame(Opcode.TEXT, bytes(HIGH_WATER_BYTES)).serialize(mask=False)) - HIGH_WATER_BYTES
        while (missing := OUTBOX_BYTES - waiting()) > 2 * HIGH_WATER_BYTES:
            listener.send(1, b"x" * HIGH_WATER_BYTES)
        listener.send(1, b"x" * (missing - header))
        at_the_bound = (waiting(), noted.told.count("overflow"))
        listener.send(1, b"")

        assert at_the_bound == (OUTBOX_BYTES, 0)
        assert noted.told.count("overflow") == 1


@asynchronous
async def test_many_small_messages_to_a_peer_that_does_not_read_cost_no_more_than_their_size() -> None:
    """SIZE-9: nobody else is delayed by it, not even by the counting."""
    async with listening(Noted()) as (listener, port), client(port, receive_buffer=4_096) as them:
        await them.open()
        began = time.monotonic()
        for _ in range(50_000):
            listener.send(1, b"x" * 150)

        assert time.monotonic() - began < 5


@asynchronous
async def test_a_peer_that_reads_again_gets_everything_in_order_and_is_told_of() -> None:
    """SIZE-11: told once, when nothing waits any more."""
    noted = Noted()
    async with listening(noted) as (listener, port), client(port, receive_buffer=4_096) as them:
        await them.open()
        for number in range(50):
            listener.send(1, b"%05d" % number + b"x" * HIGH_WATER_BYTES)
        paused = not listener.is_free(1)
        numbers = [int(bytes(frame.data[:5])) for _ in range(50) if (frame := await them.frame())]
        await noted.hears("drained")

        assert paused
        assert numbers == list(range(50))
        assert listener.is_free(1)


class NotedTransport(asyncio.Transport):
    """A transport that notes every piece that is handed to the system."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert (high, low) == (HIGH_WATER_BYTES, 0)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


class Echoing(Noted):
    """Peers that send back what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: dict[int, Accepted] = {}

    def receive(self, number: int, texts: Sequence[str]) -> None:
        for each in texts:
            self.sockets[number].send(each.encode())


def accepted() -> tuple[Accepted, NotedTransport]:
    """A connection with an open WebSocket, of which nothing was noted yet."""
    peers, transport = Echoing(), NotedTransport()
    socket = Accepted(PATH, peers, peers.sockets, lambda: False)
    socket.connection_made(transport)
    socket.data_received(UPGRADE)
    transport.pieces.clear()
    return socket, transport


@asynchronous
async def test_all_answers_to_one_read_leave_in_one_piece() -> None:
    socket, transport = accepted()
    socket.data_received(text("1") + text("2") + text("3"))

    assert transport.pieces == [b"\x81\x011\x81\x012\x81\x013"]


@asynchronous
async def test_messages_of_one_read_are_one_input_and_a_ping_between_them_keeps_its_place() -> None:
    told: list[str] = []

    class Telling(Noted):
        def receive(self, number: int, texts: Sequence[str]) -> None:
            told.append(" ".join(texts))

        def control(self, number: int) -> None:
            told.append("ping")

    socket = Accepted(PATH, Telling(), {}, lambda: False)
    socket.connection_made(NotedTransport())
    socket.data_received(UPGRADE)
    socket.data_received(text("1") + text("2") + Frame(Opcode.PING, b"").serialize(mask=True) + text("3"))

    assert told == ["1 2", "ping", "3"]


@asynchronous
async def test_nothing_is_handed_to_a_system_that_takes_no_more() -> None:
    """SIZE-9: what waits there is counted with every piece, and so many pieces would take many times as long."""
    socket, transport = accepted()
    socket.pause_writing()
    socket.send(b"1")
    socket.send(b"2")
    early = list(transport.pieces)
    socket.resume_writing()
    socket.send(b"3")

    assert early == []
    assert transport.pieces == [b"\x81\x011\x81\x012", b"\x81\x013"]
