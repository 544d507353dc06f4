"""An open tunnel on the host's side: relay and transport, brought up and taken down together."""

import asyncio
from collections.abc import Callable
from typing import Final

from tunnel.app import listening
from tunnel.app.ending import Ending
from tunnel.app.listening import Heard
from tunnel.app.results import State, Status
from tunnel.core import link
from tunnel.core.host import Host
from tunnel.core.instant import whole_seconds
from tunnel.core.link import JoinLink
from tunnel.errors import BadLink, NetworkFault, given
from tunnel.io.clock import Clock
from tunnel.io.relay import Relay
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import CAUSES, FAILURES, Failure
from tunnel.transport.base import Transport, TransportError

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
    """

    def __init__(
        self, goal: str, name: str, transport: Transport, clock: Clock, entropy: Callable[[int], bytes]
    ) -> None:
        self.transport = transport
        self.tunnel_id = link.fresh_tunnel_id(entropy)
        self.opened_at = clock.now().unix_ms
        self._key = entropy(KEY_BYTES)
        self._host = Host(key=self._key, goal=goal, name=name, entropy=entropy, now=clock.now())
        self._relay = Relay(self._host, clock, link.path(self.tunnel_id))
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
        self.transport.lost.add_done_callback(self._lost)
        self._ending.watch()
        return join_link

    async def say(self, text: str) -> int:
        """Say something; its number.

        Raises:
            NotSaidError: it cannot be said.
        """
        return await self._relay.driver.say(text)

    async def listen(self, since: int, seconds: float) -> Heard:
        """News behind a number, waiting for it for so long."""
        self.catch_up()
        return await listening.listen(self._relay.driver, self._host.transcript, since, seconds, lambda: self._is_alone)

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
        try:
            return await self._relay.listener.listen()
        except OSError as error:
            self._check_still_open()
            raise NetworkFault(f"No local port can be had ({error.strerror}). Free one, then try again.") from None

    async def _reachable_at(self, port: int) -> str:
        """The public URL. A transport may need a minute, and whoever closes the tunnel meanwhile does not wait for it."""
        starting = asyncio.ensure_future(self.transport.start(port))
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
        try:
            return link.mint(public_url, self.tunnel_id, self._key)
        except BadLink:
            raise TransportError(
                f"The transport {self.transport.name} gave an address that makes no join link. Choose another transport."
            ) from None

    def _lost(self, lost: "asyncio.Future[str]") -> None:
        if not lost.cancelled():
            self._relay.driver.step(self._host.unreachable)

    async def _give_back(self) -> None:
        self._relay.listener.shut()
        await asyncio.gather(self._relay.listener.closed(), self.transport.stop())

    def _because(self) -> str | None:
        if self._host.cause:
            return self._host.cause.value
        return Failure.PEER_LEFT.value if self._host.state is session.State.VACATED else None

    def _next(self, ticks: int) -> str:
        match self._host.state:
            case session.State.OPENING:
                return "Wait until tunnel_open has answered."
            case session.State.WAITING:
                expires = self._host.link_expires_at()
                if expires is not None and ticks > expires:
                    return "The join link has expired unused. Close this tunnel, open a new one and send its link."
                return "Give the invite to your person, who sends it to the guest's person; then tunnel_listen."
            case session.State.LOCKED:
                return "Talk with tunnel_say and tunnel_listen; close with tunnel_close and a summary."
            case session.State.VACATED:
                return FAILURES[Failure.PEER_LEFT].next
            case session.State.CLOSED:
                return CAUSES[given(self._host.cause)].next


def _left(deadline: int | None, ticks: int) -> int | None:
    return None if deadline is None else whole_seconds(deadline - ticks)
