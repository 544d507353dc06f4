"""What the six tools do, apart from MCP: typed arguments in, typed results out, errors in words that an agent can act on."""

import os
from collections.abc import Callable, Mapping
from typing import Final

from tunnel.app import results, stderr
from tunnel.app.arguments import message_number, waiting_seconds, whole_text
from tunnel.app.hosting import Hosting
from tunnel.app.invite import invite
from tunnel.app.joining import Joining
from tunnel.app.listening import HeardMessage
from tunnel.app.log import Logs
from tunnel.app.settings import Settings
from tunnel.app.slot import Slot
from tunnel.core import link
from tunnel.errors import Refused
from tunnel.io.clock import Clock
from tunnel.io.driver import NotSaidError
from tunnel.spec.v1.constants import GOAL_BYTES, LINK_SECONDS, SUMMARY_BYTES
from tunnel.spec.v1.refusals import CAUSES, Cause
from tunnel.transport.base import Transport
from tunnel.transport.choose import choose
from tunnel.transport.setup import Setup

NO_TUNNEL: Final = results.Status(
    role="none",
    peer_connected=False,
    goal="",
    last_seq=0,
    opened_at=0,
    state="none",
    peer="",
    closed_because=None,
    link_expires_in_sec=None,
    idle_ends_in_sec=None,
    next="Open a tunnel with tunnel_open, or join one with tunnel_join.",
)


class Tools:
    """The tools of one process, over its one tunnel.

    Args:
        settings: the environment.
        name: this side's display name.
        clock: tells the moment.
        entropy: random bytes, in the shape of `os.urandom`.
        transport: makes the transport of a name.
        environment: for what a transport starts.
        report: says something to the person.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        clock: Clock,
        entropy: Callable[[int], bytes] = os.urandom,
        transport: Callable[[str, Setup], Transport] = choose,
        environment: Mapping[str, str] = os.environ,
        report: Callable[[str], None] = stderr.report,
    ) -> None:
        self._settings = settings
        self._name = name
        self._clock = clock
        self._entropy = entropy
        self._transport = transport
        self._setup = settings.setup(environment, report)
        self._logs = Logs(settings.home, report) if settings.keeps_log else None
        self._slot = Slot()

    async def open(self, arguments: results.OpenArguments) -> results.Opened:
        """Open a tunnel and hand out its link."""
        goal = whole_text("goal", arguments.goal, GOAL_BYTES)
        named = whole_text("transport", arguments.transport).strip()
        self._settings.check()
        transport = self._transport(named or self._settings.transport, self._setup)
        hosting = self._slot.take(lambda: Hosting(goal, self._name, transport, self._clock, self._entropy, self._logs))
        try:
            join_link = await hosting.open()
        except BaseException:
            self._slot.leave(hosting)
            raise
        self._slot.keep(hosting)
        status = hosting.status()
        return results.Opened(
            tunnel_id=hosting.tunnel_id,
            join_link=join_link.text,
            status="waiting_for_guest",
            join_link_expires_in_sec=LINK_SECONDS,
            invite=invite(goal, join_link.text, LINK_SECONDS),
            state=status.state,
            transport=transport.name,
            privacy=transport.privacy,
            idle_ends_in_sec=status.idle_ends_in_sec,
            next=status.next,
        )

    async def join(self, arguments: results.JoinArguments) -> results.JoinedTunnel:
        """Join a tunnel."""
        join_link = link.parse(arguments.join_link)
        way = self._settings.way()
        joining = self._slot.take(lambda: Joining(join_link, self._name, self._clock, self._entropy, self._logs, way))
        try:
            await joining.join()
        except BaseException:
            self._slot.leave(joining)
            raise
        self._slot.keep(joining)
        status = joining.status()
        return results.JoinedTunnel(
            tunnel_id=joining.tunnel_id, goal=status.goal, peer=status.peer, state=status.state, next=status.next
        )

    async def say(self, arguments: results.SayArguments) -> results.SaidMessage:
        """Say something to the peer."""
        text = whole_text("text", arguments.text)
        tunnel = self._slot.occupied()
        try:
            seq = await tunnel.say(text)
        except NotSaidError as error:
            raise Refused(f"{error} {_why(tunnel.status())}" if tunnel.is_over else str(error)) from None
        return results.SaidMessage(seq=seq, state=tunnel.status().state)

    async def listen(self, arguments: results.ListenArguments) -> results.Listened:
        """Hear what was said."""
        tunnel = self._slot.occupied()
        heard = await tunnel.listen(message_number(arguments.since_seq), waiting_seconds(arguments.timeout_ms))
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
        summary = whole_text("summary", arguments.summary, SUMMARY_BYTES)
        tunnel = self._slot.tunnel
        if tunnel is None:
            return results.Closed(ok=True, state="none", closed_because=None, next=NO_TUNNEL.next)
        await tunnel.close(summary)
        status = tunnel.status()
        return results.Closed(ok=True, state=status.state, closed_because=status.closed_because, next=status.next)

    async def exit(self) -> None:
        """The process ends: the peer is told, everything is given back, and nothing can be opened or joined any more."""
        await self._slot.shut()


def _listened(message: HeardMessage) -> results.ListenedMessage:
    return results.ListenedMessage(
        id=message.id, seq=message.seq, sender=message.sender, kind=message.kind, text=message.text, ts=message.ts
    )


def _why(over: results.Status) -> str:
    because = f"It ended because: {CAUSES[Cause(over.closed_because)].doc}"
    return f"{because} {over.detail}" if over.detail else because
