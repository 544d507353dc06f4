"""An open tunnel on the host's side: relay and transport, brought up and taken down together."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tunnel.app import listening
from tunnel.app.listening import Heard
from tunnel.app.results import State, Status
from tunnel.core import link
from tunnel.core.host import Host
from tunnel.core.instant import whole_seconds
from tunnel.core.link import JoinLink
from tunnel.errors import given
from tunnel.io.clock import Clock
from tunnel.io.relay import Relay
from tunnel.spec.v1 import session
from tunnel.spec.v1.constants import KEY_BYTES
from tunnel.spec.v1.refusals import CAUSES, FAILURES, Failure
from tunnel.transport.base import Transport, TransportError

_STATES: dict[session.State, State] = {
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

    def __init__(self, goal: str, name: str, transport: Transport, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self.transport = transport
        self.tunnel_id = link.fresh_tunnel_id(entropy)
        self.opened_at = clock.now().unix_ms
        self._key = entropy(KEY_BYTES)
        self._host = Host(key=self._key, goal=goal, name=name, entropy=entropy, now=clock.now())
        self._relay = Relay(self._host, clock, link.path(self.tunnel_id))
        self._watch: asyncio.Task[None] | None = None
        self._take_down: asyncio.Task[None] | None = None

    async def open(self) -> JoinLink:
        """Bring the tunnel up; its link, which is good from now on.

        Raises:
            TransportError: the transport cannot make the relay reachable. Nothing is left behind.
            OSError: no local port can be had.
        """
        try:
            port = await self._relay.listener.listen()
            join_link = link.mint(await self.transport.start(port), self.tunnel_id, self._key)
            self._relay.driver.step(self._host.reachable)
            if self.is_over:
                raise TransportError("The tunnel was closed while it was being opened.")
        except BaseException:
            await self.close("")
            raise
        self._watch = asyncio.get_running_loop().create_task(self._watch_over())
        return join_link

    async def say(self, text: str) -> int:
        """Say something; its number.

        Raises:
            NotSaidError: it cannot be said.
        """
        return await self._relay.driver.say(text)

    async def listen(self, since: int, seconds: float) -> Heard:
        """News behind a number, waiting for it for so long."""
        return await listening.listen(self._relay.driver, self._host.transcript, since, seconds, lambda: self._is_alone)

    def status(self) -> Status:
        """Where the tunnel is."""
        now = self._relay.driver.now()
        waiting = self._host.state is session.State.WAITING
        return Status(
            role="host",
            peerConnected=self._host.state is session.State.LOCKED,
            goal=self._host.goal,
            lastSeq=self._host.transcript.last,
            openedAt=self.opened_at,
            state=_STATES[self._host.state],
            peer=self._host.guest_name,
            closedBecause=self._because(),
            linkExpiresInSec=_left(self._host.link_expires_at(), now.ticks) if waiting else None,
            idleEndsInSec=_left(self._host.idle_ends_at(), now.ticks),
            next=self._next(now.ticks),
        )

    async def close(self, summary: str) -> None:
        """Close the tunnel: when this returns, relay, port and transport are gone."""
        self._relay.driver.step(lambda now: self._host.close(summary, now))
        await self.gone()

    async def exit(self) -> None:
        """The process ends."""
        self._relay.driver.step(self._host.exit)
        await self.gone()

    async def gone(self) -> None:
        """Wait until everything is given back. Who is cancelled meanwhile does not stop it: it is a task of its own."""
        await asyncio.shield(self._taking_down())

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._host.state is session.State.CLOSED

    @property
    def _is_alone(self) -> bool:
        return self._host.state in (session.State.VACATED, session.State.CLOSED)

    async def _watch_over(self) -> None:
        """Take everything down when the session ends by itself, and end the session when the transport is lost."""
        driver = self._relay.driver
        while not self.is_over:
            change = asyncio.ensure_future(driver.changed())
            try:
                await asyncio.wait([change, self.transport.lost], return_when=asyncio.FIRST_COMPLETED)
            finally:
                change.cancel()
                with suppress(asyncio.CancelledError):
                    await change
            if self.transport.lost.done():
                driver.step(self._host.unreachable)
        self._taking_down()

    def _taking_down(self) -> asyncio.Task[None]:
        if self._take_down is None:
            self._take_down = asyncio.get_running_loop().create_task(self._give_back())
        return self._take_down

    async def _give_back(self) -> None:
        self._relay.listener.shut()
        await asyncio.gather(self._relay.listener.closed(), self.transport.stop())
        if self._watch:
            self._watch.cancel()

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
