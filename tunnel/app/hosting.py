"""An open tunnel on the host's side: relay and transport, brought up and taken down together."""

import asyncio
import errno
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tunnel.app import listening, saying
from tunnel.app.ending import Ending
from tunnel.app.listening import Heard
from tunnel.app.log import Log, Logs
from tunnel.app.refusals import Refusals
from tunnel.app.results import ASK_FIRST, BY_PERSON, HOST_MARKS, OUTSIDE, OWN, State, Status
from tunnel.app.saying import GuestDroppedError
from tunnel.app.settings import SAY_SECONDS
from tunnel.core import link
from tunnel.core.host import Host
from tunnel.core.instant import whole_seconds
from tunnel.core.link import JoinLink
from tunnel.core.text import visible
from tunnel.core.transcript import Transcript
from tunnel.errors import BadLink, NetworkFault, given
from tunnel.io.clock import Clock
from tunnel.io.driver import NotSaidError
from tunnel.io.reach import may_go_plain
from tunnel.io.relay import Relay
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import CAUSES, CLOSINGS, FAILURES, Failure
from tunnel.transport.base import Transport, TransportError

DETAIL_BYTES: Final = 300
"""So much of what a transport says of its end is shown."""

ADDRESS_BYTES: Final = 100
"""So much of an address that makes no good link is shown."""

_HUNG_UP: Final = "This side has hung up on its guest; what was said last may not have reached it."
_LINK_USED: Final = f"A join link admits only one guest. {FAILURES[Failure.PEER_LEFT].next}"

_STATES: Final[dict[session.State, State]] = {
    session.State.OPENING: "opening",
    session.State.WAITING: "waiting_for_guest",
    session.State.LOCKED: "connected",
    session.State.VACATED: "peer_left",
    session.State.CLOSED: "closed",
}


class Hosting:
    """One tunnel that this side opened.

    Args:
        goal: what it is for.
        name: this side's display name.
        transport: makes the relay reachable.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
        logs: keeps a log of the session, if its person wants one.
    """

    def __init__(
        self,
        goal: str,
        name: str,
        transport: Transport,
        clock: Clock,
        entropy: Callable[[int], bytes],
        logs: Logs | None = None,
    ) -> None:
        self.transport = transport
        self.closed_by_person = False
        """Whether it was this side's person that has closed it."""
        self._why_lost: str | None = None
        self._logs = logs
        self._log: Log | None = None
        self.tunnel_id = link.fresh_tunnel_id(entropy)
        self.opened_at = clock.now().unix_ms
        self._key = entropy(KEY_BYTES)
        self._host = Host(key=self._key, goal=goal, name=name, entropy=entropy, now=clock.now())
        self._relay = Relay(self._host, clock, link.path(self.tunnel_id))
        self.refusals = Refusals(lambda: self._host.transcript.last, lambda: clock.now().unix_ms)
        """What was refused in it."""
        self._relay.driver.observer = self.refusals.observe
        self._ending = Ending(self._relay.driver, lambda: self.is_over, self._give_back)

    async def open(self) -> JoinLink:
        """Bring the tunnel up; its link, which is good from now on. Whatever it raises, nothing is left behind.

        Raises:
            TransportError: the transport cannot make the relay reachable, or the tunnel was closed meanwhile.
            NetworkFault: no local port can be had.
        """
        try:
            join_link = self._link(await self._reachable_at(await self._listen()))
            self._relay.driver.step(self._host.reachable)
            self._check_still_open()
        except BaseException:
            self._relay.driver.step(lambda now: self._host.close("", now))
            await self._ending.gone()
            raise
        if self._logs:
            self._log = self._logs.begin(self.tunnel_id, self._relay.driver, self._host.transcript)
        self.transport.lost.add_done_callback(self._lost)
        self._ending.watch()
        return join_link

    async def say(self, text: str, seconds: float = SAY_SECONDS, check: Callable[[], None] = saying.nothing) -> int:
        """Say something; its number: see `saying.say`.

        Raises:
            GuestDroppedError: this side has hung up on its guest.
        """
        try:
            return await saying.say(self._relay.driver, text, seconds, check)
        except NotSaidError as error:
            why = self._dropped()
            if why and error.failure is Failure.PEER_LEFT:
                raise GuestDroppedError(f"{error.failure.value}: {_HUNG_UP} {why} {_LINK_USED}") from None
            raise

    async def listen(self, since: int, seconds: float, offset: int = 0) -> Heard:
        """News behind a number, or behind so many characters of the first of them, waiting for it for so long."""
        self.catch_up()
        return await listening.listen(
            self._relay.driver, self._host.transcript, "host", since, seconds, lambda: self._is_alone, offset
        )

    def recent(self) -> Heard:
        """The last messages, as many as one answer holds."""
        self.catch_up()
        return listening.recent(self._host.transcript, "host")

    async def changed(self) -> None:
        """Wait until something has changed that an agent can see."""
        await self._relay.driver.changed()

    @property
    def transcript(self) -> Transcript:
        """All messages so far."""
        return self._host.transcript

    def status(self) -> Status:
        """Where the tunnel is."""
        self.catch_up()
        now = self._relay.driver.now()
        waiting = self._host.state is session.State.WAITING
        return Status(
            role="host",
            peer_connected=self._host.state is session.State.LOCKED,
            goal=self._host.goal,
            last_seq=self._host.transcript.last,
            opened_at=self.opened_at,
            state=_STATES[self._host.state],
            peer=self._host.guest_name,
            closed_because=self._because(),
            detail=BY_PERSON if self.closed_by_person else self._why_lost or self._dropped(),
            marks=HOST_MARKS | {"detail": OUTSIDE if self._why_lost else OWN},
            link_expires_in_sec=_left(self._host.link_expires_at(), now.ticks) if waiting else None,
            idle_ends_in_sec=_left(self._host.idle_ends_at(), now.ticks),
            next=self._next(now.ticks),
        )

    async def close(self, summary: str) -> None:
        """Close the tunnel: when this returns, relay, port and transport are gone."""
        self._relay.driver.step(lambda now: self._host.close(summary, now))
        await self._ending.gone()

    async def exit(self) -> None:
        """The process ends."""
        self._relay.driver.step(self._host.exit)
        await self._ending.gone()

    def catch_up(self) -> None:
        """Let what came due while the machine slept take effect (TIME-1)."""
        self._relay.driver.catch_up()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._host.state is session.State.CLOSED

    @property
    def is_gone(self) -> bool:
        """Whether everything that it held is given back."""
        return self._ending.is_gone

    @property
    def _is_alone(self) -> bool:
        return self._host.state in (session.State.VACATED, session.State.CLOSED)

    async def _listen(self) -> int:
        address, port = self.transport.listens_at
        try:
            return await self._relay.listener.listen(port, address)
        except OSError as error:
            self._check_still_open()
            raise NetworkFault(no_port(error, address, port)) from None

    async def _reachable_at(self, port: int) -> str:
        """The public URL. A transport may need a minute, and whoever closes the tunnel meanwhile does not wait for it."""
        starting = asyncio.ensure_future(self.transport.start(port))
        # A failure that comes when nobody waits any more is nobody's.
        starting.add_done_callback(lambda start: start.cancelled() or start.exception())
        try:
            await asyncio.wait([starting, self._relay.driver.ready], return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
        if not starting.done():
            self._check_still_open()
        return await starting

    def _check_still_open(self) -> None:
        if self.is_over:
            raise TransportError(
                "The tunnel was closed while it was being opened. Open it again if it is still wanted."
            )

    def _link(self, public_url: str) -> JoinLink:
        """The link, which a guest will dial (LINK-12).

        A name without TLS is none: what is behind it is for the guest's resolver to say.
        """
        try:
            join_link = link.mint(public_url, self.tunnel_id, self._key)
        except BadLink:
            raise self._no_way(
                public_url, "a join link is made of http:// or https://, a host and a port, and nothing more"
            ) from None
        parts = urlsplit(join_link.base)
        if parts.scheme == "ws" and not may_go_plain(parts.hostname or ""):
            raise self._no_way(public_url, "without TLS a guest dials only addresses in private networks")
        return join_link

    def _no_way(self, public_url: str, why: str) -> TransportError:
        return TransportError(
            f"The transport {self.transport.name} named an address that cannot be used: {_shown(public_url)}; {why}. "
            "Have it give an https:// address with a host and nothing behind it, or choose another transport."
        )

    def _lost(self, lost: "asyncio.Future[str]") -> None:
        if not lost.cancelled() and not self.is_over:
            self._why_lost = visible(str(lost.exception() or lost.result()), DETAIL_BYTES)
            self._relay.driver.step(self._host.unreachable)

    async def _give_back(self) -> None:
        if self._log:
            self._log.end()
        self._relay.listener.shut()
        await asyncio.gather(self._relay.listener.closed(), self.transport.stop())

    def _because(self) -> str | None:
        if self._host.cause:
            return self._host.cause.value
        return Failure.PEER_LEFT.value if self._host.state is session.State.VACATED else None

    def _dropped(self) -> str | None:
        """Why the guest is not there any more, if it did not go by itself (KEEP-3)."""
        why = self._host.dropped_because
        return CLOSINGS[why].doc if why and self._host.state is session.State.VACATED else None

    def _next(self, ticks: int) -> str:
        match self._host.state:
            case session.State.OPENING:
                return "Wait until tunnel_open has answered; if it has, saying that it goes on, call it again with the same words."
            case session.State.WAITING:
                expires = self._host.link_expires_at()
                if expires is not None and ticks > expires:
                    return "The join link has expired unused. Close this tunnel, open a new one and send its link."
                return "Give the invite to your person, who sends it to the guest's person; then tunnel_listen."
            case session.State.LOCKED:
                return "Talk with tunnel_say and tunnel_listen; close with tunnel_close and a summary."
            case session.State.VACATED:
                next_step = FAILURES[Failure.PEER_LEFT].next
                return f"{_HUNG_UP} {next_step}" if self._dropped() else next_step
            case session.State.CLOSED if self.closed_by_person:
                return ASK_FIRST
            case session.State.CLOSED:
                return CAUSES[given(self._host.cause)].next


def _left(deadline: int | None, ticks: int) -> int | None:
    return None if deadline is None else whole_seconds(deadline - ticks)


def no_port(error: OSError, address: str, port: int) -> str:
    """Why the relay cannot listen, and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} at {address} is taken. Close what listens there, or choose another port."
        case errno.EACCES:
            return f"This user may not listen at port {port}. Choose a port from 1024 on."
        # Some Pythons give no number to an address that is not there.
        case errno.EADDRNOTAVAIL | errno.EINVAL | errno.EAFNOSUPPORT | None:
            return f"This machine cannot listen at {address}. Choose one of its own addresses."
        case _:
            return f"No local port can be had ({error.strerror}). Free one, then try again."


def _shown(url: str) -> str:
    """Scheme and host of an address, as far as it has any: what else is in it may be a secret."""
    try:
        parts = urlsplit(url)
        return visible(f"{parts.scheme}://{parts.hostname or ''}", ADDRESS_BYTES)
    except ValueError:
        return "one that cannot be read"
