"""What cannot come about on the real host and the real guest, whatever a peer or an agent does, and why."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from spec.compiler.explore import Input
from tests.core.witness import Facts
from tunnel.spec.semantics import Configuration

Where = Callable[[Configuration, Facts], bool]


class Never(NamedTuple):
    """What cannot come about."""

    machine: str
    events: str
    """Their names."""
    where: Where
    because: str


def _anywhere(here: Configuration, facts: Facts) -> bool:
    return True


def _in(*states: str) -> Where:
    return lambda here, _: here.state in states


def _with(**wanted: bool) -> Where:
    return lambda _, facts: all(facts[name] is value for name, value in wanted.items())


def _nothing_taken(here: Configuration, facts: Facts) -> bool:
    return facts["stale"] and "enter" not in here.counts


def _nothing_pending(here: Configuration, facts: Facts) -> bool:
    return facts["echo"] and here.state != "joined"


def _ended_before(here: Configuration, facts: Facts) -> bool:
    return here.state == "finished" and "hang_up_told" in here.counts and "leave" not in here.counts


def _told_twice(here: Configuration, facts: Facts) -> bool:
    return sum(facts.values()) > 1


NEVER = (
    Never("session", "auth", _in("closed"), "with the session all its connections are finished, and nobody is judged"),
    Never("session", "auth", _with(well_formed=False, proof_ok=True), "the proof in a malformed `auth` is not looked at"),
    Never("session", "send", _in("opening", "waiting", "vacated", "closed"), "only the admitted connection is relayed"),
    Never("session", "left", _in("opening", "waiting", "vacated", "closed"), "only the admitted connection leaves"),
    Never("session", "idle", _anywhere, "a timer fires in its own time, and not when it was stopped"),
    Never("connection", "admit", _in("opening", "finished", "gone"), "only the answer to a challenge is judged"),
    Never("connection", "admit", _in("admitted"), "the session that has admitted it refuses everybody"),
    Never("connection", "refuse", _in("opening", "finished", "gone"), "only the answer to a challenge is judged"),
    Never("connection", "drop", _in("opening", "challenged", "finished", "gone"), "only the guest is relayed"),
    Never("connection", "evict", _in("admitted", "finished", "gone"), "only strangers are counted"),
    Never("connection", "end", _ended_before, "a session ends once"),
    Never("connection", "end", _in("gone"), "the host has forgotten it"),
    Never("connection", "authenticate ping silence", _anywhere, "a timer fires in its own time, and not when it was stopped"),
    Never("guest", "msg", _with(stale=True, in_order=True), "a number was taken, or it is the next"),
    Never("guest", "msg", _with(echo=True, claims_ours=False), "what the host says is nobody's echo"),
    Never("guest", "msg", _nothing_taken, "no number is stale before the first was taken"),
    Never("guest", "msg", _nothing_pending, "nothing of this side is on its way"),
    Never("guest", "lost", _told_twice, "one close frame tells one cause"),
    Never("guest", "join ping silence", _anywhere, "a timer fires in its own time, and not when it was stopped"),
)  # fmt: skip


def never(machine: str, here: Configuration, thing: Input) -> list[Never]:
    """Why this cannot come about there; nothing when it can."""
    return [
        one
        for one in NEVER
        if one.machine == machine and thing.event in one.events.split() and one.where(here, thing.facts)
    ]


ROWS_NEVER_TAKEN: Mapping[str, frozenset[str]] = {
    "session": frozenset({"send-stranger", "nobody-left"}),
    "connection": frozenset(
        {"admit-nobody", "drop-stranger", "evict-guest", "proved", "ping-stranger", "silent-stranger"}
    ),
    "guest": frozenset({"join-done", "ping-too-early", "silence-too-early"}),
}
"""The rows of what cannot come about: an implementation of another shape may need them."""
