"""A tunnel on its way, which may take longer than one call can wait: then it goes on, and whoever calls again waits on.

A client that cuts a call hears neither the link nor why there is none; a transport may have to be downloaded first.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from tunnel.app.changes import Changes
from tunnel.app.hosting import Hosting
from tunnel.app.saying import shown_seconds
from tunnel.app.slot import Slot
from tunnel.app.waiting import Caller, alive
from tunnel.core.link import JoinLink
from tunnel.core.text import visible
from tunnel.errors import Refused

LINE_BYTES: Final = 200
"""So much of what a transport reports is told to its caller."""


class StillOpeningError(Refused):
    """Opening takes longer than a call may, and goes on; the text says how to wait for it."""


class Wish(NamedTuple):
    """What is to be opened: by the same words an agent comes back to it."""

    goal: str
    transport: str


class Doing:
    """What a transport says that it does, last.

    Args:
        report: says it to the person, too.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self.last = "Opening the tunnel."
        self._report = report

    def note(self, line: str) -> None:
        """It says something."""
        self.last = visible(line, LINE_BYTES)
        self._report(line)


class Opening:
    """One tunnel that is being opened.

    Args:
        wish: what for.
        hosting: it, already in its place.
        doing: what is told meanwhile.
        slot: its place.
        changes: follow it once it is open.
    """

    def __init__(self, wish: Wish, hosting: Hosting, doing: Doing, slot: Slot, changes: Changes) -> None:
        self.hosting = hosting
        self._wish = wish
        self._doing = doing
        self._slot = slot
        self._changes = changes
        self._work = asyncio.get_running_loop().create_task(self._open())
        # A failure that comes when nobody waits any more is told to who comes back, or nobody's.
        self._work.add_done_callback(lambda work: work.cancelled() or work.exception())

    def is_for(self, wish: Wish) -> bool:
        """Whether a caller comes back for this: it is still wanted, and has not come about and ended meanwhile."""
        self.hosting.catch_up()
        has_ended = self.hosting.is_over and self._work.done() and not self._failed
        return wish == self._wish and not has_ended

    async def link(self, seconds: float, caller: Caller) -> JoinLink:
        """Its join link. Whoever is cancelled while waiting takes it all back.

        Raises:
            StillOpeningError: it takes longer than this, and goes on.
            TransportError: the transport cannot make the relay reachable, or the tunnel was closed meanwhile.
            NetworkFault: no local port can be had.
        """
        try:
            waiting = asyncio.wait([self._work], timeout=seconds)
            await alive(waiting, caller, lambda passed: f"{self._doing.last} ({passed} s so far)")
        except BaseException:
            await self.give_up()
            raise
        if not self._work.done():
            raise StillOpeningError(
                f"still opening: it takes longer than the {shown_seconds(seconds)} that are safe for a call of your client, and "
                "it goes on. Call tunnel_open again with the same words to wait on, or tunnel_close to give it up."
            )
        return self._work.result()

    async def give_up(self) -> None:
        """It is not wanted any more: nothing is left of it."""
        if self._work.done():
            # It has come about at this very moment, and nobody has its link.
            await self.hosting.close("")
            return
        self._work.cancel()
        # At once: whoever is cancelled twice does not wait until all is given back.
        self._slot.leave(self.hosting)
        await self.ended()

    async def ended(self) -> None:
        """Wait until it has come about, or has failed."""
        await asyncio.wait([self._work])

    @property
    def _failed(self) -> bool:
        return self._work.cancelled() or self._work.exception() is not None

    async def _open(self) -> JoinLink:
        try:
            join_link = await self.hosting.open()
        except BaseException:
            self._slot.leave(self.hosting)
            raise
        self._slot.keep(self.hosting)
        self._changes.follow(self.hosting)
        return join_link
