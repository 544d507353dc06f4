"""What the six tools do, apart from MCP: typed arguments in, typed results out, errors in words that an agent can act on."""

import os
from collections.abc import Callable
from math import isfinite

from tunnel.app import results
from tunnel.app.hosting import Hosting
from tunnel.app.invite import invite
from tunnel.app.joining import Joining
from tunnel.app.listening import HeardMessage
from tunnel.app.settings import LISTEN_SECONDS, LONGEST_LISTEN_SECONDS, Settings
from tunnel.app.slot import Slot
from tunnel.core import link
from tunnel.errors import NetworkFault, Refused, TheirFault
from tunnel.io.clock import Clock
from tunnel.io.driver import NotSaidError
from tunnel.spec.v1.constants import GOAL_BYTES, LINK_SECONDS, SUMMARY_BYTES
from tunnel.spec.v1.refusals import CAUSES, Cause
from tunnel.transport.choose import choose

MILLISECONDS_PER_SECOND = 1000

NO_TUNNEL = results.Status(
    role="none",
    peerConnected=False,
    goal="",
    lastSeq=0,
    openedAt=0,
    state="none",
    peer="",
    closedBecause=None,
    linkExpiresInSec=None,
    idleEndsInSec=None,
    next="Open a tunnel with tunnel_open, or join one with tunnel_join.",
)


class BadArgumentError(TheirFault):
    """An argument is outside of what is allowed; the text names it and its bound."""


class Tools:
    """The tools of one process, over its one tunnel.

    Args:
        settings: the environment.
        name: this side's display name.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(self, settings: Settings, name: str, clock: Clock, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._settings = settings
        self._name = name
        self._clock = clock
        self._entropy = entropy
        self._slot = Slot()

    async def open(self, arguments: results.OpenArguments) -> results.Opened:
        """Open a tunnel and hand out its link."""
        _check_size("goal", arguments.goal, GOAL_BYTES)
        transport = choose(self._settings.transport)
        hosting = Hosting(arguments.goal, self._name, transport, self._clock, self._entropy)
        self._slot.take(hosting)
        try:
            join_link = await hosting.open()
        except OSError as error:
            raise NetworkFault(f"No local port can be had ({error.strerror}). Free one, then try again.") from None
        finally:
            if hosting.is_over:
                self._slot.leave(hosting)
        self._slot.keep(hosting)
        status = hosting.status()
        return results.Opened(
            tunnelId=hosting.tunnel_id,
            joinLink=join_link.text,
            status="waiting_for_guest",
            joinLinkExpiresInSec=LINK_SECONDS,
            invite=invite(arguments.goal, join_link.text, LINK_SECONDS),
            state=status.state,
            transport=transport.name,
            privacy=transport.privacy,
            idleEndsInSec=status.idleEndsInSec,
            next=status.next,
        )

    async def join(self, arguments: results.JoinArguments) -> results.JoinedTunnel:
        """Join a tunnel."""
        joining = Joining(link.parse(arguments.joinLink), self._name, self._clock, self._entropy)
        self._slot.take(joining)
        try:
            await joining.join()
        except BaseException:
            self._slot.leave(joining)
            raise
        self._slot.keep(joining)
        status = joining.status()
        return results.JoinedTunnel(
            tunnelId=joining.tunnel_id, goal=joining.goal, peer=joining.peer, state=status.state, next=status.next
        )

    async def say(self, arguments: results.SayArguments) -> results.SaidMessage:
        """Say something to the peer."""
        tunnel = self._slot.occupied()
        try:
            seq = await tunnel.say(arguments.text)
        except NotSaidError as error:
            because = tunnel.status().closedBecause
            raise Refused(f"{error} It ended because: {CAUSES[Cause(because)].doc}" if tunnel.is_over else str(error)) from None
        return results.SaidMessage(seq=seq, state=tunnel.status().state)

    async def listen(self, arguments: results.ListenArguments) -> results.Listened:
        """Hear what was said."""
        tunnel = self._slot.occupied()
        heard = await tunnel.listen(_whole(arguments.sinceSeq), _seconds(arguments.timeoutMs))
        return results.Listened(
            messages=[_listened(message) for message in heard.messages],
            status=tunnel.status(),
            cursor=heard.cursor,
            more=heard.more,
        )

    async def status(self, arguments: results.StatusArguments) -> results.Status:  # noqa: ARG002 - it takes none
        """Tell where the tunnel is."""
        return self._slot.tunnel.status() if self._slot.tunnel else NO_TUNNEL

    async def close(self, arguments: results.CloseArguments) -> results.Closed:
        """Close the tunnel; with nothing open that is no error."""
        _check_size("summary", arguments.summary, SUMMARY_BYTES)
        tunnel = self._slot.tunnel
        if tunnel is None:
            return results.Closed(ok=True, state="none", closedBecause=None, next=NO_TUNNEL.next)
        await tunnel.close(arguments.summary)
        status = tunnel.status()
        return results.Closed(ok=True, state=status.state, closedBecause=status.closedBecause, next=status.next)

    async def exit(self) -> None:
        """The process ends: the peer is told, and everything is given back."""
        if self._slot.tunnel:
            await self._slot.tunnel.exit()


def _listened(message: HeardMessage) -> results.ListenedMessage:
    return results.ListenedMessage(
        id=message.id, seq=message.seq, sender=message.sender, kind=message.kind, text=message.text, ts=message.ts
    )


def _check_size(name: str, text: str, limit: int) -> None:
    size = len(text.encode("utf-8", "replace"))
    if size > limit:
        raise BadArgumentError(f"{name} has {size} bytes of UTF-8; at most {limit} are allowed. Say it shorter.")


def _whole(number: float) -> int:
    """A message number from outside: any number, of any size; what is below 0 means the start."""
    return max(0, int(number)) if isfinite(number) else 0


def _seconds(milliseconds: float | None) -> float:
    """A waiting time from outside, of any size (0 and less: do not wait)."""
    if milliseconds is None:
        return LISTEN_SECONDS
    return (
        min(max(0.0, milliseconds / MILLISECONDS_PER_SECOND), LONGEST_LISTEN_SECONDS)
        if milliseconds < 1e15
        else LONGEST_LISTEN_SECONDS
    )
