"""What a person is shown: the peer's words in a column of their own, so that none of them can pass for a line of ours."""

import textwrap
from collections.abc import Callable
from typing import Final

from tunnel.app.listening import OWN, HeardMessage
from tunnel.app.results import State, Status
from tunnel.app.untrusted import quoted
from tunnel.core.text import visible
from tunnel.spec.v1.constants import LINK_SECONDS
from tunnel.spec.v1.refusals import CAUSES, Cause, Failure

NAME_SHOWN_BYTES: Final = 60
GOAL_SHOWN_BYTES: Final = 600
"""So much of a name and of a goal is shown."""

INDENT: Final = "    "
TAB: Final = 4
LEAST_WIDTH: Final = 8
"""A column is never narrower, however narrow the terminal is."""

_MINUTE: Final = 60
_SEALED: Final = "peer, sealed with the link's key"
_GOOD_ENDS: Final = frozenset({Cause.CLOSED_BY_HOST, Cause.CLOSED_BY_GUEST, Cause.IDLE, Cause.PROCESS_EXIT})

_STATES: Final[dict[State, str]] = {
    "none": "no tunnel",
    "opening": "opening",
    "joining": "joining",
    "waiting_for_guest": "waiting for the guest",
    "connected": "talking",
    "peer_left": "the guest has left",
    "closed": "over",
}

Fragments = list[tuple[str, str]]
"""Pieces of text, each with the name of its style."""


def help_text(*, is_piped: bool) -> str:
    """What can be typed."""
    several = (
        "A line that ends with a backslash goes on in the next one."
        if is_piped
        else "Alt+Enter begins a new line, Enter sends; the arrows bring back what you said."
    )
    ends = "The end of the input" if is_piped else "Ctrl-D, or Ctrl-C twice,"
    return (
        f"What you type is said. {several}\n"
        "  /close [SUMMARY]  closes the tunnel for both, with a last word; a guest leaves it (as does /leave)\n"
        "  /status           how things stand\n"
        "  /help             this\n"
        "  //...             says something that begins with one slash\n"
        f"{ends} does the same as /close. What the other side says is not verified beyond the link: "
        "whoever has the link could be it."
    )


def named(peer: str) -> str:
    """The peer's name in a sentence of ours: it could be anybody's, and it cannot look like the rest of the sentence."""
    return f"{quoted(visible(peer, NAME_SHOWN_BYTES))} (name not verified)"


def goal_of(status: Status) -> str:
    """The goal in a sentence of ours."""
    return quoted(visible(status.goal, GOAL_SHOWN_BYTES))


def in_a_line(message: HeardMessage) -> str:
    """A message in one line, for programs: `NUMBER WHO: TEXT`, with line breaks and tabs as escapes."""
    text = message.text.replace("\n", "\\n").replace("\t", "\\t")
    return f"{message.seq} {_role(message)}: {text}"


def on_screen(message: HeardMessage, peer: str, width: int, cells: Callable[[str], int]) -> Fragments:
    """A message for a terminal. No line of it but the first begins in the first column.

    Args:
        message: what was said.
        peer: the peer's name.
        width: how many cells a line of the terminal has.
        cells: how many of them a text takes.
    """
    role = _role(message)
    who = {"you": "you", "system": "tunnel (not verified)"}.get(role) or named(peer)
    doubt = " [replayed, or not readable with the link's key]" if role == "peer?" else ""
    head = f"[{message.seq}] {who}{doubt}:"
    style = f"class:{role.rstrip('?')}"
    inner = max(width - len(INDENT), LEAST_WIDTH)
    lines = wrapped(message.text, inner, cells)
    if len(lines) == 1 and cells(head) + 1 + cells(lines[0]) < width:
        return [(style, head), ("", f" {lines[0]}\n")]
    # The peer has chosen its name, too.
    return [
        (style, f"\n{INDENT}".join(wrapped(head, inner, cells))),
        ("", "".join(f"\n{INDENT}{line}" for line in lines)),
        ("", "\n"),
    ]


def wrapped(text: str, width: int, cells: Callable[[str], int]) -> list[str]:
    """The text in lines of at most so many cells: a terminal that broke them itself would go on in its first column."""
    lines: list[str] = []
    for line in text.expandtabs(TAB).split("\n"):
        begin = taken = 0
        for place, character in enumerate(line):
            size = cells(character)
            if taken + size > width and place > begin:
                lines.append(line[begin:place])
                begin, taken = place, 0
            taken += size
        lines.append(line[begin:])
    return lines


def sentences(text: str, width: int, cells: Callable[[str], int]) -> str:
    """Our own words for a terminal, broken between words; a join link stays in one piece, to be copied."""
    lines: list[str] = []
    for line in text.split("\n"):
        if not line.strip() or (line.isascii() and " " not in line):
            lines.append(line)
            continue
        inner = max(width - len(INDENT), LEAST_WIDTH)
        pieces = textwrap.wrap(line, inner, break_on_hyphens=False)
        # A character may take two cells, and a peer's name or goal may be full of them.
        first, *rest = [narrow for piece in pieces for narrow in wrapped(piece, inner, cells)]
        lines += [first, *(f"{INDENT}{piece}" for piece in rest)]
    return "\n".join(lines)


def status_line(status: Status, said: int) -> str:
    """How things stand, in a line.

    Args:
        status: the tunnel's.
        said: how many messages were said.
    """
    parts = [status.role, _state(status)]
    if status.link_expires_in_sec:
        parts.append(f"link valid {_clock(status.link_expires_in_sec)}")
    elif status.link_expires_in_sec is not None:
        parts.append("link expired: /close, and open a new one")
    if status.idle_ends_in_sec is not None:
        parts.append(f"idle end in {_clock(status.idle_ends_in_sec)}")
    parts.append(f"{said} message{'' if said == 1 else 's'}")
    return " | ".join(parts)


def status_text(status: Status, said: int) -> str:
    """How things stand, with what is longer."""
    whose = "" if status.role == "host" else " (the host's words)"
    return f"{status_line(status, said)}\ngoal{whose}: {goal_of(status)}"


def opened(status: Status, link: str, transport: str, privacy: str) -> str:
    """What the host's person is told once, with the link to pass on."""
    return (
        f"The tunnel is open, by {transport}. Goal: {goal_of(status)}\n{privacy}\n\n"
        f"Pass this join link on by a channel that you trust. It is for one guest, good for {LINK_SECONDS // _MINUTE} min, and "
        f"a secret:\n\n{link}\n\n"
        "Whoever gets it runs `tunnel-mcp chat` and pastes it there, or tells an agent: Join this tunnel, and the link.\n"
        "/help says what you can type."
    )


def joined(status: Status) -> str:
    """What the guest's person is told once."""
    return (
        f"You are in. The host is {named(status.peer)}, and the goal, in its words: {goal_of(status)}\n"
        "/help says what you can type."
    )


def ended(status: Status) -> tuple[str, bool]:
    """Why it is over, and whether that is a normal end."""
    match status.closed_because:
        case Cause.CLOSED_BY_HOST.value if status.role == "host":
            return "You have closed the tunnel.", True
        case Cause.CLOSED_BY_GUEST.value:
            return "You have left the tunnel.", True
        case Failure.PEER_LEFT.value:
            why = f" {status.detail}" if status.detail else ""
            return (
                f"The guest, {named(status.peer)}, has left.{why} A link is for one guest, so this is the end.",
                not why,
            )
        case because:
            cause = Cause(because)
            detail = f" {status.detail}" if status.detail else ""
            return f"The tunnel is over: {CAUSES[cause].doc}{detail} {CAUSES[cause].next}", cause in _GOOD_ENDS


def _role(message: HeardMessage) -> str:
    if message.kind == "system":
        return "system"
    if message.provenance == OWN:
        return "you"
    return "peer" if message.provenance == _SEALED else "peer?"


def _state(status: Status) -> str:
    return f"talking with {named(status.peer)}" if status.state == "connected" else _STATES[status.state]


def _clock(seconds: int) -> str:
    return f"{seconds // _MINUTE}:{seconds % _MINUTE:02}"
