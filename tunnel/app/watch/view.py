"""What the window shows, piece by piece: text only, made visible, bounded, and never the link or the key."""

from typing import Final

from msgspec import Struct, structs

from tunnel.app.results import State
from tunnel.app.slot import Tunnel
from tunnel.app.tools import Tools
from tunnel.core.text import visible
from tunnel.spec.v1.constants import GOAL_BYTES, TEXT_BYTES
from tunnel.spec.v1.refusals import CAUSES, FAILURES, Cause, Failure

KEPT: Final = 1000
"""So many of the last messages a window shows that is opened late."""

SHOWN_BYTES: Final = 20_000
"""So much of one message is shown; the agent gets it whole."""


class Line(Struct, frozen=True, kw_only=True):
    """One thing that happened: a message, or a refusal."""

    who: str
    """`me`, `peer`, `system`, or `refused`."""
    text: str
    unix_ms: float
    seq: int


class View(Struct, frozen=True, kw_only=True):
    """The state of things, and what is new since the piece before."""

    fresh: bool
    """Whether this is another tunnel than before: what was shown is over."""
    state: State
    role: str
    goal: str
    me: str
    peer: str
    ended: str
    """Why it is over, or why nobody hears, in sentences."""
    link_left: int | None
    idle_left: int | None
    said: int
    limit: int
    paused: bool
    round: int
    skipped: int
    """How many earlier messages are not shown."""
    refused: int
    """How many joins and says were refused in this tunnel."""
    lines: list[Line]


class Viewer:
    """One window, and how far it has seen.

    Args:
        tools: what is shown.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._tunnel: Tunnel | None = None
        self._is_first = True
        self._seq = 0
        self._refusals = 0
        self._last: View | None = None

    async def next(self) -> View | None:
        """What is new; None when nothing is but the seconds that pass."""
        tunnel = self._tools.tunnel
        fresh = self._is_first or tunnel is not self._tunnel
        skipped = 0
        if fresh:
            self._tunnel, self._is_first, self._refusals, self._last = tunnel, False, 0, None
            self._seq = skipped = max(0, tunnel.status().last_seq - KEPT) if tunnel else 0
        lines = await self._lines(tunnel) if tunnel else []
        view = self._view(tunnel, lines, fresh=fresh, skipped=skipped)
        lasting = structs.replace(view, fresh=False, skipped=0, link_left=None, idle_left=None)
        if lasting == self._last:
            return None
        self._last = structs.replace(lasting, lines=[])
        return view

    def seconds(self) -> View:
        """How things are, with nothing new: the page's own clock may have been wrong."""
        return self._view(self._tunnel, [], fresh=False, skipped=0)

    async def _lines(self, tunnel: Tunnel) -> list[Line]:
        """Messages and refusals since the last piece, in the order in which they happened."""
        role = tunnel.status().role
        found: list[tuple[int, int, Line]] = []
        if tunnel.status().last_seq > self._seq:
            heard = await tunnel.listen(self._seq, 0)
            self._seq = max(self._seq, heard.cursor)
            for message in heard.messages:
                who = "system" if message.kind == "system" else "me" if message.sender == role else "peer"
                line = Line(who=who, text=_shown(message.text), unix_ms=message.ts, seq=message.seq)
                found.append((message.seq, 0, line))
        for refusal in tunnel.refusals.after(self._refusals):
            # What comes behind a message that is still to be shown waits for it.
            if refusal.after > self._seq:
                break
            self._refusals = refusal.number
            what = "A stranger was not let in" if refusal.what == "join" else "Your agent was not allowed to speak"
            line = Line(who="refused", text=f"{what}: {refusal.why}", unix_ms=refusal.unix_ms, seq=0)
            found.append((refusal.after, refusal.number, line))
        return [line for _, _, line in sorted(found, key=lambda one: one[:2])]

    def _view(self, tunnel: Tunnel | None, lines: list[Line], *, fresh: bool, skipped: int) -> View:
        budget = self._tools.budget
        status = tunnel.status() if tunnel else None
        return View(
            fresh=fresh,
            state=status.state if status else "none",
            role=status.role if status else "none",
            goal=visible(status.goal, GOAL_BYTES) if status else "",
            me=self._tools.name,
            peer=status.peer if status else "",
            ended=_ended(status.closed_because, status.detail) if status else "",
            link_left=status.link_expires_in_sec if status else None,
            idle_left=status.idle_ends_in_sec if status else None,
            said=budget.said,
            limit=budget.limit,
            paused=budget.is_paused,
            round=budget.round,
            skipped=skipped,
            refused=tunnel.refusals.count if tunnel else 0,
            lines=lines,
        )


def _shown(text: str) -> str:
    """A text as a person may see it: its lines stay lines, and nothing else in it moves or hides."""
    whole = "\n".join(visible(line, TEXT_BYTES) for line in text[:SHOWN_BYTES].replace("\r\n", "\n").split("\n"))
    return whole + "\u2026" if len(text) > SHOWN_BYTES else whole


def _ended(because: str | None, detail: str | None) -> str:
    if because is None:
        return ""
    row = FAILURES[Failure.PEER_LEFT] if because == Failure.PEER_LEFT.value else CAUSES[Cause(because)]
    return f"{row.doc} {detail}" if detail else row.doc
