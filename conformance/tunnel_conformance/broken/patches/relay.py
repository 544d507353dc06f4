"""Wrong with sockets: requests that a relay answers or not, bounds, and how connections end."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import asyncio
import re
import signal
from http import HTTPStatus
from typing import Any, Final

from msgspec import structs
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Opcode

from tunnel.app import signals
from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.core import effects, host
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.io import accepted, dialer, driver, upgrade
from tunnel.io.accepted import Accepted
from tunnel.io.dialer import Dialer
from tunnel.io.driver import Driver
from tunnel.io.frames import GuestFrames, HostFrames
from tunnel.io.listener import Listener
from tunnel.spec.v1.connection import Event
from tunnel_conformance.broken.patching import Original, all_of, put, wrap
from tunnel_conformance.broken.wrong import Patch

UNBOUNDED: Final = 1 << 30

# --- Requests ---------------------------------------------------------------------------------------------------------


def no_answer_to_plain_requests() -> Patch:
    """A request that asks for no WebSocket at our path stays open, unanswered."""

    def receive(original: Original, self: Any, data: bytes) -> Any:
        response = original(self, data)
        unanswered = (HTTPStatus.NOT_FOUND, HTTPStatus.UPGRADE_REQUIRED)
        return None if response and response.status_code in unanswered else response

    return wrap(upgrade.Upgrade, "receive", receive)


def requests(found: HTTPStatus, instead: HTTPStatus) -> Patch:
    """A request is refused with another status."""

    def refusal(original: Original, received: bytes, path: str) -> Any:
        status = original(received, path)
        return instead if status is found else status

    return wrap(upgrade, "refusal", refusal)


def no_query() -> Patch:
    """A query counts as a part of the path."""

    def refusal(original: Original, received: bytes, path: str) -> Any:
        status = original(received, path)
        return HTTPStatus.NOT_FOUND if status is None and b"?" in received.partition(b"\r\n")[0] else status

    return wrap(upgrade, "refusal", refusal)


def ignores_origin() -> Patch:
    """A browser page is let in."""

    def refusal(original: Original, received: bytes, path: str) -> Any:
        return original(re.sub(rb"(?i)\r\norigin:[^\r]*", b"", received), path)

    return wrap(upgrade, "refusal", refusal)


def origin_first() -> Patch:
    """A browser page is refused as such before anybody looks at the path."""

    def refusal(original: Original, received: bytes, path: str) -> Any:
        status = original(received, path)
        has_origin = b"\r\norigin:" in received.lower()
        return HTTPStatus.FORBIDDEN if status is HTTPStatus.NOT_FOUND and has_origin else status

    return wrap(upgrade, "refusal", refusal)


def any_path() -> Patch:
    """A WebSocket is accepted at every path."""

    def refusal(original: Original, received: bytes, path: str) -> Any:
        status = original(received, path)
        return None if status is HTTPStatus.NOT_FOUND and b"upgrade: websocket" in received.lower() else status

    return wrap(upgrade, "refusal", refusal)


def deflates() -> Patch:
    """Compression is negotiated."""

    def init(original: Original, self: Any, largest: int) -> None:
        original(self, largest)
        self.available_extensions = [ServerPerMessageDeflateFactory()]

    return wrap(HostFrames, "__init__", init)


# --- Pings ------------------------------------------------------------------------------------------------------------


def answers_no_pings() -> Patch:
    """Pings are read, and not answered."""

    def send_frame(original: Original, self: Any, frame: Any) -> None:
        if frame.opcode is not Opcode.PONG:
            original(self, frame)

    return all_of(wrap(HostFrames, "send_frame", send_frame), wrap(GuestFrames, "send_frame", send_frame))


# --- Bounds -----------------------------------------------------------------------------------------------------------


def frame_bounds(stranger: int | None = None, guest: int | None = None) -> Patch:
    """A host takes frames of another size."""

    def largest_frame(original: Original, self: Any, number: int) -> int:
        other = guest if number == self.guest else stranger
        return original(self, number) if other is None else other

    return wrap(Host, "largest_frame", largest_frame)


def any_frame_of_the_host() -> Patch:
    """A guest takes frames of any size."""
    return put(dialer, "HOST_FRAME_BYTES", UNBOUNDED)


def no_outbox_bound() -> Patch:
    """Whatever a peer does not read is kept for it."""
    return all_of(
        put(accepted, "OUTBOX_BYTES", UNBOUNDED),
        put(dialer, "OUTBOX_BYTES", UNBOUNDED),
        put(driver, "ROOM_BYTES", UNBOUNDED),
    )


def waits_for_readers() -> Patch:
    """A say waits until the peer reads, however long that takes."""

    async def room(self: Any) -> None:
        while self.cause is None and self._wire.waiting() > driver.ROOM_BYTES:  # noqa: ASYNC110 - nobody tells, as there
            await asyncio.sleep(driver.LOOK_SECONDS)

    return put(Driver, "_room", room)


def evicts_the_newest() -> Patch:
    """When too many connections wait, the newest is hung up on."""

    def accept(original: Original, self: Any, now: Any) -> Any:
        strangers = [one for one in self._connections.values() if one.is_stranger]
        if len(strangers) < host.STRANGER_CONNECTIONS:
            return original(self, now)
        # The oldest is the first in this order.
        others: dict[int, Any] = self._connections
        alone: dict[int, Any] = {}
        self._connections = alone
        number, out = original(self, now)
        self._connections = others | alone
        self._on_connection(alone[number], Event.EVICT, now, out)
        return number, out

    return wrap(Host, "accept", accept)


# --- Ends -------------------------------------------------------------------------------------------------------------


def says_no_code() -> Patch:
    """Close frames say nothing."""

    def host_hangs_up(original: Original, self: Any, _code: int, _reason: str) -> None:
        original(self, CloseCode.NO_STATUS_RCVD, "")

    def guest_hangs_up(original: Original, self: Any, to: int, _code: int, _reason: str) -> None:
        original(self, to, CloseCode.NO_STATUS_RCVD, "")

    def send_close(original: Original, self: Any, code: int | None = None, reason: str = "") -> None:
        original(self, None if code == CloseCode.NO_STATUS_RCVD else code, reason)

    return all_of(
        wrap(Accepted, "hang_up", host_hangs_up),
        wrap(Dialer, "hang_up", guest_hangs_up),
        wrap(HostFrames, "send_close", send_close),
        wrap(GuestFrames, "send_close", send_close),
    )


def says_always(code: int, reason: str) -> Patch:
    """Every close frame says the same."""
    return all_of(
        wrap(Accepted, "hang_up", lambda original, self, _code, _reason: original(self, code, reason)),
        wrap(Dialer, "hang_up", lambda original, self, to, _code, _reason: original(self, to, code, reason)),
    )


def cuts() -> Patch:
    """A peer is cut off instead of told: what waits for it goes out, and then the TCP connection is closed."""

    def host_hangs_up(original: Original, self: Any, code: int, reason: str) -> None:
        if self._frames.state.name != "OPEN":
            original(self, code, reason)
            return
        self._ends = True
        self._tell_lost()
        self.finish()
        self._flush()

    def guest_hangs_up(_original: Original, self: Any, _to: int, _code: int, _reason: str) -> None:
        if self._websocket:
            self._websocket.transport.close()

    return all_of(wrap(Accepted, "hang_up", host_hangs_up), wrap(Dialer, "hang_up", guest_hangs_up))


def keeps_the_relay() -> Patch:
    """After the close the relay goes on: whoever comes is challenged."""

    def accept(original: Original, self: Any, now: Any) -> Any:
        cause, self.cause = self.cause, None
        try:
            return original(self, now)
        finally:
            self.cause = cause

    async def closed(_self: Any) -> None:
        """There is nothing to wait for."""

    def shut(_self: Any) -> None:
        """The port stays."""

    return all_of(wrap(Host, "accept", accept), put(Listener, "shut", shut), put(Listener, "closed", closed))


def waits_for_peers(seconds: float) -> Patch:
    """A peer that was told to go has far too long for it."""
    return put(accepted, "CLOSE_SECONDS", seconds)


def wakes_nobody() -> Patch:
    """A listen that waits is told neither of the end nor of what is said with it."""

    def step(original: Original, self: Any, handle: Original) -> None:
        def quiet(now: Any) -> list[Any]:
            found = list(handle(now))
            is_end = any(isinstance(one, effects.Ended | effects.PeerLeft) for one in found)
            return [one for one in found if not (is_end and isinstance(one, effects.Arrived))]

        original(self, quiet)

    def do(original: Original, self: Any, effect: Any) -> None:
        kept: set[Any] = set()
        if isinstance(effect, effects.Ended | effects.PeerLeft):
            kept, self._waiting = self._waiting, kept
        original(self, effect)
        self._waiting |= kept

    return all_of(wrap(Driver, "_do", do), wrap(Driver, "step", step))


def never_waits() -> Patch:
    """A listen is answered at once, whatever there is to hear."""

    async def listen(original: Original, self: Any, since: int, _seconds: float, *rest: Any) -> Any:
        return await original(self, since, 0, *rest)

    return all_of(wrap(Hosting, "listen", listen), wrap(Joining, "listen", listen))


def stays() -> Patch:
    """The process does not end when it is asked to."""

    def patch() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        put(signals, "SIGNALS", ())()

    return patch


def forgets() -> Patch:
    """Of a tunnel that has ended the agent hears nothing."""

    async def listen(original: Original, self: Any, since: int, seconds: float, *rest: Any) -> Any:
        heard = await original(self, since, seconds, *rest)
        return structs.replace(heard, messages=[]) if self.is_over else heard

    return all_of(wrap(Hosting, "listen", listen), wrap(Joining, "listen", listen))


def no_goodbye_in_messages() -> Patch:
    """Only a close frame tells why the host has ended."""
    return wrap(Guest, "_told", lambda original, self, reason: original(self, reason) if reason else None)


def no_goodbye_in_close_frames() -> Patch:
    """Only a system message tells why the host has ended."""
    return wrap(Guest, "_told", lambda original, self, _reason: original(self, ""))
