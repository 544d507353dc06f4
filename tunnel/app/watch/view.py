"""What the window shows, piece by piece: text only, made visible, bounded, with who says it, and never the link or the key."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

from tunnel.app.listening import provenance
from tunnel.app.results import Provenance, State, Status
from tunnel.app.slot import Tunnel
from tunnel.app.tools import Tools
from tunnel.app.untrusted import quoted
from tunnel.core.text import pieces, visible
from tunnel.core.transcript import Transcript
from tunnel.spec.v1.constants import GOAL_BYTES
from tunnel.spec.v1.frames import Message
from tunnel.spec.v1.refusals import CAUSES, FAILURES, NOTICES, Cause, Failure, Notice

KEPT: Final = 1000
"""So many of the last messages a window shows that is opened late."""

SHOWN_CHARS: Final = 20_000
"""So much of one message is shown; the agent gets it whole."""

VIEW_CHARS: Final = 20_000
"""With so much text one piece of news is long enough, and the rest comes in the next: the tunnel does not wait for it."""

Who: TypeAlias = Literal["me", "peer", "broken", "system", "notice", "refused"]
"""Whose line it is: the own agent's, the other agent's, nobody's that can be told, this side's, the host's side's, or a refusal."""

Kind: TypeAlias = Literal["text", "escape", "name"]
"""As somebody wrote it, as it was made visible or cut, or a stranger's name in a sentence of ours."""

_WHO: Final[dict[Provenance, Who]] = {
    "own": "me",
    "peer, sealed with the link's key": "peer",
    "peer, but replayed or not readable with the link's key": "broken",
    "system text, not authenticated": "notice",
}
_NAMING: Final = tuple(NOTICES[notice].text for notice in (Notice.JOINED, Notice.LEFT))


class Line(Struct, frozen=True, kw_only=True):
    """One thing that happened: a message, or a refusal."""

    who: Who
    pieces: list[tuple[Kind, str]]
    unix_ms: float
    seq: int


class View(Struct, frozen=True, kw_only=True):
    """The state of things, and what is new since the piece before."""

    fresh: bool
    """Whether this is another tunnel than before: what was shown is over."""
    state: State
    role: str
    goal: str
    goal_by: str
    """Who says so, if it is not this side."""
    me: str
    peer: str
    peer_by: str
    ended: str
    """Why it is over, or why nobody hears, in a sentence."""
    detail: str
    detail_by: str
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

    def next(self) -> View | None:
        """What is new; None when nothing is but the seconds that pass."""
        tunnel = self._tools.tunnel
        fresh = self._is_first or tunnel is not self._tunnel
        skipped = 0
        if fresh:
            self._tunnel, self._is_first, self._refusals, self._last = tunnel, False, 0, None
            self._seq = skipped = max(0, tunnel.status().last_seq - KEPT) if tunnel else 0
        lines = self._lines(tunnel) if tunnel else []
        view = self._view(tunnel, lines, fresh=fresh, skipped=skipped)
        lasting = structs.replace(view, fresh=False, skipped=0, link_left=None, idle_left=None)
        if lasting == self._last:
            return None
        self._last = structs.replace(lasting, lines=[])
        return view

    def seconds(self) -> View:
        """How things are, with nothing new: the page's own clock may have been wrong."""
        return self._view(self._tunnel, [], fresh=False, skipped=0)

    def _lines(self, tunnel: Tunnel) -> list[Line]:
        """Messages and refusals since the last piece, in the order in which they happened."""
        found: list[tuple[int, int, Line]] = []
        status, chars = tunnel.status(), 0
        for message in tunnel.transcript.after(self._seq):
            if chars > VIEW_CHARS:
                break
            self._seq = message.seq
            if tunnel.transcript.is_shown(message):
                line = _line(tunnel.transcript, message, status)
                chars += sum(len(text) for _, text in line.pieces)
                found.append((message.seq, 0, line))
        for refusal in tunnel.refusals.after(self._refusals):
            # What comes behind a message that is still to be shown waits for it.
            if refusal.after > self._seq:
                break
            self._refusals = refusal.number
            what = "A stranger was not let in" if refusal.what == "join" else "Your agent was not allowed to speak"
            line = Line(who="refused", pieces=[("text", f"{what}: {refusal.why}")], unix_ms=refusal.unix_ms, seq=0)
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
            goal_by=_by(status, "goal"),
            me=self._tools.name,
            peer=status.peer if status else "",
            peer_by=_by(status, "peer"),
            ended=_ended(status.closed_because) if status else "",
            detail=(status.detail or "") if status else "",
            detail_by=_by(status, "detail"),
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


def _line(transcript: Transcript, message: Message, status: Status) -> Line:
    reading = transcript.read(message)
    who = _WHO[provenance(reading, "host" if status.role == "host" else "guest", message)]
    if who != "notice":
        shown = list(_shown(reading.text.replace("\r\n", "\n"), "\n\t"))
    elif status.role == "host":
        # A host writes its notices itself: all that is a stranger's in them is the guest's name.
        who, shown = "system", _with_name_apart(message.body, status.peer)
    else:
        shown = list(_shown(message.body))
    return Line(who=who, pieces=shown, unix_ms=message.ts, seq=message.seq)


def _with_name_apart(text: str, name: str) -> list[tuple[Kind, str]]:
    for notice in _NAMING:
        if text == notice.format(name=name):
            before, _, behind = notice.partition("{name}")
            apart: list[tuple[Kind, str]] = [("text", before), ("name", quoted(name)), ("text", behind)]
            return [piece for piece in apart if piece[1]]
    return list(_shown(text))


def _shown(text: str, kept: str = "") -> Iterator[tuple[Kind, str]]:
    """A text as a person may see it: what was made visible in it stands apart from what was written like that."""
    first = text[:SHOWN_CHARS]
    if first.isascii() and first.translate(dict.fromkeys(map(ord, kept))).isprintable():
        yield "text", first
    else:
        for is_escape, run in groupby(pieces(first, kept), key=itemgetter(1)):
            yield "escape" if is_escape else "text", "".join(shown for shown, _ in run)
    if len(text) > SHOWN_CHARS:
        yield "escape", "\u2026"


def _by(status: Status | None, field: str) -> str:
    """Who wrote a text, if somebody else did."""
    mark = status.marks.get(field) if status else None
    return mark.provenance if mark and mark.untrusted else ""


def _ended(because: str | None) -> str:
    if because is None:
        return ""
    return FAILURES[Failure.PEER_LEFT].doc if because == Failure.PEER_LEFT.value else CAUSES[Cause(because)].doc
