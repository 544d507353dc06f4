"""A tunnel on the guest's side: joined, talked through, and left."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from tunnel.app import listening
from tunnel.app.listening import Heard
from tunnel.app.results import State, Status
from tunnel.app.settings import SAY_SECONDS
from tunnel.core.guest import Guest
from tunnel.core.link import JoinLink
from tunnel.errors import NetworkFault, Refused, given
from tunnel.io.clock import Clock
from tunnel.io.dialer import Dialer
from tunnel.spec.v1 import guest
from tunnel.spec.v1.refusals import CAUSES, REFUSALS, Cause

_STATES: dict[guest.State, State] = {
    guest.State.DIALING: "joining",
    guest.State.GREETING: "joining",
    guest.State.PROVING: "joining",
    guest.State.JOINED: "connected",
    guest.State.ENDED: "closed",
}
_NEXT_BY_REASON = {row.text: row.next for row in REFUSALS.values()}


class JoinRefusedError(Refused):
    """The host does not let this side in; the text names its reason and what to do."""


class JoinFailedError(NetworkFault):
    """The host was not reached, or what was reached is no host; the text names the stage and what to do."""


class UnconfirmedError(NetworkFault):
    """The host has not confirmed a message in time; it may still arrive."""


class Joining:
    """One tunnel that this side joins.

    Args:
        link: the checked link.
        name: this side's display name.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(self, link: JoinLink, name: str, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self.tunnel_id = link.tunnel_id
        self.opened_at = clock.now().unix_ms
        self._guest = Guest(link=link, name=name, entropy=entropy, now=clock.now())
        self._dialer = Dialer(self._guest, clock, link.url, urlsplit(link.url).hostname or "")
        self._take_down: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Get in.

        Raises:
            JoinRefusedError: the host says no.
            JoinFailedError: the host was not reached, or is none.
        """
        self._dialer.dial()
        try:
            await asyncio.wait([self._dialer.driver.ready])
        except asyncio.CancelledError:
            await self.close("")
            raise
        if self.is_over:
            await self.gone()
            raise self._failed()

    async def say(self, text: str) -> int:
        """Say something; its number, once the host has echoed it.

        Raises:
            NotSaidError: it cannot be said, or the tunnel ended before the echo came.
            UnconfirmedError: the echo did not come in time.
        """
        try:
            async with asyncio.timeout(SAY_SECONDS):
                return await self._dialer.driver.say(text)
        except TimeoutError:
            raise UnconfirmedError(
                f"The host has not confirmed the message within {SAY_SECONDS:.0f} s. It may still arrive: listen before you say it again."
            ) from None

    async def listen(self, since: int, seconds: float) -> Heard:
        """News behind a number, waiting for it for so long."""
        return await listening.listen(self._dialer.driver, self._guest.transcript, since, seconds, lambda: self.is_over)

    def status(self) -> Status:
        """Where the tunnel is."""
        return Status(
            role="guest",
            peerConnected=self._guest.state is guest.State.JOINED,
            goal=self._guest.goal,
            lastSeq=self._guest.transcript.last,
            openedAt=self.opened_at,
            state=_STATES[self._guest.state],
            peer=self._guest.host_name,
            closedBecause=self._guest.cause.value if self._guest.cause else None,
            linkExpiresInSec=None,
            idleEndsInSec=None,
            next=self._next(),
        )

    @property
    def goal(self) -> str:
        """What the host says the tunnel is for, made visible."""
        return self._guest.goal

    @property
    def peer(self) -> str:
        """The host's name, made visible."""
        return self._guest.host_name

    async def close(self, summary: str) -> None:
        """Leave: when this returns, the socket is gone."""
        self._dialer.driver.step(lambda now: self._guest.close(summary, now))
        await self.gone()

    async def exit(self) -> None:
        """The process ends."""
        self._dialer.driver.step(self._guest.exit)
        await self.gone()

    async def gone(self) -> None:
        """Wait until the socket is gone. Who is cancelled meanwhile does not stop it: it is a task of its own."""
        if self._take_down is None:
            self._take_down = asyncio.get_running_loop().create_task(self._dialer.closed())
        await asyncio.shield(self._take_down)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._guest.state is guest.State.ENDED

    def _failed(self) -> JoinRefusedError | JoinFailedError:
        match self._guest.cause:
            case Cause.REFUSED:
                reason = self._guest.refused_because
                return JoinRefusedError(f"auth failed: {reason}. {_NEXT_BY_REASON.get(reason, 'Ask the host for a new link.')}")
            case Cause.NOT_CONNECTED:
                return JoinFailedError(self._dialer.trouble)
            case cause:
                row = CAUSES[given(cause)]
                return JoinFailedError(f"{row.doc} {row.next}")

    def _next(self) -> str:
        match self._guest.state:
            case guest.State.JOINED:
                return "Talk with tunnel_say and tunnel_listen; leave with tunnel_close."
            case guest.State.ENDED:
                return CAUSES[given(self._guest.cause)].next
            case _:
                return "Wait until tunnel_join has answered."
