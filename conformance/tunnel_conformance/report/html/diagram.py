"""A conversation as a sequence diagram: who stands where, and which way each line goes."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from tunnel_conformance.records import Entry

PEERS: Final = 4
"""How many peers of the kit get a lane of their own; further ones share the last."""

AGENT: Final = "agent"
SHARED: Final = "others"
_SHORT: Final = 90


class Line(Struct, frozen=True, kw_only=True):
    """A line of the diagram, from one lane to another; both the same for what concerns everybody."""

    at: str
    caption: str
    """Who does what, in words: for those who cannot see the arrow."""
    kind: Literal["arrow", "dashed", "band"]
    start: int
    end: int
    """Lanes, counted from 1."""
    short: str
    text: str
    """Empty when `short` says it all."""

    @property
    def first(self) -> int:
        """The lane further left."""
        return min(self.start, self.end)

    @property
    def behind(self) -> int:
        """The lane behind the one further right."""
        return max(self.start, self.end) + 1

    @property
    def goes_left(self) -> bool:
        """Whether the arrow points to the left."""
        return self.end < self.start


class Diagram(Struct, frozen=True, kw_only=True):
    """Lanes from left to right: the implementation's agent, the implementation, the kit's peers."""

    lanes: tuple[str, ...]
    lines: tuple[Line, ...]


def draw(log: Sequence[Entry], subject: str) -> Diagram:
    """The diagram of a case's conversation."""
    peers = list(dict.fromkeys(entry.who for entry in log if entry.who not in ("subject", "kit")))
    own, others = peers[:PEERS], peers[PEERS:]
    lanes = (AGENT, subject, *own, *([SHARED] if others else []))
    lane = {peer: lanes.index(peer, 2) + 1 for peer in own} | dict.fromkeys(others, len(lanes))
    return Diagram(lanes=lanes, lines=tuple(_line(entry, lane, subject, len(lanes)) for entry in log))


def _line(entry: Entry, lane: dict[str, int], subject: str, lanes: int) -> Line:
    kind, start, end, caption = _way(entry, lane.get(entry.who, 2), subject, lanes)
    long = len(entry.text) > _SHORT
    return Line(
        at=f"{entry.at:.2f} s",
        caption=caption,
        kind=kind,
        start=start,
        end=end,
        short=f"{entry.text[: _SHORT - 1]}\u2026" if long else entry.text,
        text=entry.text if long else "",
    )


Way = tuple[Literal["arrow", "dashed", "band"], int, int, str]


def _way(entry: Entry, peer: int, subject: str, lanes: int) -> Way:
    if entry.who == "kit" or entry.what == "time":
        return "band", 1, lanes, "time" if entry.what == "time" else "the kit"
    if entry.who == "subject":
        if entry.what == "answered":
            return "arrow", 2, 1, f"{subject} \u2192 {AGENT}"
        return "arrow", 1, 2, f"{AGENT} \u2192 {subject}"
    match entry.what:
        case "received":
            return "arrow", 2, peer, f"{subject} \u2192 {entry.who}"
        case "opened" | "closed":
            return "dashed", peer, 2, f"{entry.who}: {entry.what}"
        case _:
            return "arrow", peer, 2, f"{entry.who} \u2192 {subject}"
