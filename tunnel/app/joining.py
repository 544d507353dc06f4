"""A tunnel on the guest's side: joined, talked through, and left."""

import asyncio
from collections.abc import Callable
from typing import Final

from tunnel.app import listening, saying
from tunnel.app.ending import Ending
from tunnel.app.listening import Heard, HeardMessage
from tunnel.app.log import Log, Logs
from tunnel.app.refusals import Refusals
from tunnel.app.results import ASK_FIRST, BY_PERSON, GUEST_MARKS, OWN, State, Status
from tunnel.app.settings import SAY_SECONDS
from tunnel.app.untrusted import Fence
from tunnel.core.guest import Guest
from tunnel.core.link import JoinLink
from tunnel.core.transcript import Transcript
from tunnel.errors import NetworkFault, Refused, given
from tunnel.io.clock import Clock
from tunnel.io.way import Way
from tunnel.spec.v1 import guest
from tunnel.spec.v1.refusals import CAUSES, NOTICES, REFUSALS, Cause, Notice

GOODBYE_SECONDS: Final = 1.0
"""How long a goodbye is waited for to come true: anybody on the way could have written it."""

_STATES: Final[dict[guest.State, State]] = {
    guest.State.DIALING: "joining",
    guest.State.GREETING: "joining",
    guest.State.PROVING: "joining",
    guest.State.JOINED: "connected",
    guest.State.ENDED: "closed",
}
_NEXT_BY_REASON: Final = {row.text: row.next for row in REFUSALS.values()}
_GOODBYES: Final = tuple(NOTICES[notice].text.partition("{")[0] for notice in (Notice.SUMMARY, Notice.IDLE))


class JoinRefusedError(Refused):
    """The host does not let this side in; the text names its reason and what to do."""


class JoinFailedError(NetworkFault):
    """The host was not reached, or what was reached is no host; the text names the stage and what to do."""


class Joining:
    """One tunnel that this side joins.

    Args:
        link: the checked link.
        name: this side's display name.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
        logs: keeps a log of the session, if its person wants one.
        way: what may be used on the way to the host; what this process' environment says when it is left out.
        nonces: those that were seen with this link before.
    """

    def __init__(
        self,
        link: JoinLink,
        name: str,
        clock: Clock,
        entropy: Callable[[int], bytes],
        logs: Logs | None = None,
        way: Way | None = None,
        nonces: set[str] | None = None,
    ) -> None:
        self.closed_by_person = False
        """Whether it was this side's person that has closed it."""
        self._entropy = entropy
        self._logs = logs
        self._log: Log | None = None
        self.tunnel_id = link.tunnel_id
        self.opened_at = clock.now().unix_ms
        # A host needs no client of WebSockets, and everybody's start would wait for it.
        from tunnel.io.dialer import Dialer

        self._guest = Guest(link=link, name=name, entropy=entropy, now=clock.now(), nonces=nonces)
        self._dialer = Dialer(self._guest, clock, link.url, way)
        self.refusals = Refusals(lambda: self._guest.transcript.last, lambda: clock.now().unix_ms)
        """What was refused in it."""
        self._ending = Ending(self._dialer.driver, lambda: self.is_over, self._give_back)

    async def join(self) -> None:
        """Get in. Whatever it raises, nothing is left behind.

        Raises:
            JoinRefusedError: the host says no.
            JoinFailedError: the host was not reached, or is none, or the tunnel was closed meanwhile.
        """
        self._dialer.dial()
        self._ending.watch()
        try:
            await asyncio.wait([self._dialer.driver.ready])
        except asyncio.CancelledError:
            await self.close("")
            raise
        if self.is_over:
            await self._ending.gone()
            raise self._failed()
        if self._logs:
            self._log = self._logs.begin(self.tunnel_id, self._dialer.driver, self._guest.transcript)

    async def say(self, text: str, seconds: float = SAY_SECONDS, check: Callable[[], None] = saying.nothing) -> int:
        """Say something; its number, once the host has echoed it: see `saying.say`."""
        return await saying.say(self._dialer.driver, text, seconds, check)

    async def listen(self, since: int, seconds: float, offset: int = 0) -> Heard:
        """News behind a number, or behind so many characters of the first of them, waiting for it for so long.

        A host says goodbye in a message and then closes: who hears the one is told the other in the same answer (CLOSE-5).
        """
        driver = self._dialer.driver
        heard = await listening.listen(
            driver, self._guest.transcript, "guest", since, seconds, lambda: self.is_over, offset
        )
        if heard.messages and _is_goodbye(heard.messages[-1]):
            await listening.until(driver, min(seconds, GOODBYE_SECONDS), lambda: self.is_over)
        return heard

    def recent(self) -> Heard:
        """The last messages, as many as one answer holds."""
        self.catch_up()
        return listening.recent(self._guest.transcript, "guest")

    async def changed(self) -> None:
        """Wait until something has changed that an agent can see."""
        await self._dialer.driver.changed()

    @property
    def transcript(self) -> Transcript:
        """All messages so far."""
        return self._guest.transcript

    def status(self) -> Status:
        """Where the tunnel is."""
        self.catch_up()
        return Status(
            role="guest",
            peer_connected=self._guest.state is guest.State.JOINED,
            goal=self._guest.goal,
            last_seq=self._guest.transcript.last,
            opened_at=self.opened_at,
            state=_STATES[self._guest.state],
            peer=self._guest.host_name,
            closed_because=self._guest.cause.value if self._guest.cause else None,
            detail=BY_PERSON if self.closed_by_person else None,
            marks=GUEST_MARKS | {"detail": OWN},
            link_expires_in_sec=None,
            idle_ends_in_sec=None,
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
        await self._ending.gone()

    async def exit(self) -> None:
        """The process ends."""
        self._dialer.driver.step(self._guest.exit)
        await self._ending.gone()

    def catch_up(self) -> None:
        """Let what came due while the machine slept take effect (TIME-1)."""
        self._dialer.driver.catch_up()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._guest.state is guest.State.ENDED

    @property
    def is_gone(self) -> bool:
        """Whether its socket is gone."""
        return self._ending.is_gone

    async def _give_back(self) -> None:
        if self._log:
            self._log.end()
        await self._dialer.closed()

    def _failed(self) -> JoinRefusedError | JoinFailedError:
        match self._guest.cause:
            case Cause.REFUSED:
                reason = self._guest.refused_because
                if reason in _NEXT_BY_REASON:
                    return JoinRefusedError(f"auth failed: {reason}. {_NEXT_BY_REASON[reason]}")
                fence = Fence([reason], self._entropy)
                return JoinRefusedError(
                    "auth failed: the host gives a reason that is none of this version's. Ask the host for a new link. "
                    f"{fence.explanation} The host's word is: {fence.around(reason)}"
                )
            # Also when it took too long: then the network did not answer.
            case _ if self._dialer.trouble:
                return JoinFailedError(self._dialer.trouble)
            case Cause.CLOSED_BY_GUEST:
                return JoinFailedError(
                    "The join was given up: the tunnel was closed meanwhile. Join again if it is still wanted."
                )
            case cause:
                row = CAUSES[given(cause)]
                return JoinFailedError(f"{row.doc} {row.next}")

    def _next(self) -> str:
        match self._guest.state:
            case guest.State.JOINED:
                return "Talk with tunnel_say and tunnel_listen; leave with tunnel_close."
            case guest.State.ENDED if self.closed_by_person:
                return ASK_FIRST
            case guest.State.ENDED:
                return CAUSES[given(self._guest.cause)].next
            case _:
                return "Wait until tunnel_join has answered."


def _is_goodbye(message: HeardMessage) -> bool:
    return message.kind == "system" and message.text.startswith(_GOODBYES)
