"""What can be done next to a host under test, each with a weight.

The bias is towards what comes behind a leave and behind a deadline; what is rare has a rule of its own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tunnel_conformance.explore.lives import TICKS
from tunnel_conformance.explore.moves import Move
from tunnel_conformance.explore.walk import MOST_WAITED

if TYPE_CHECKING:
    from tunnel_conformance.explore.host import HostWalk

Offer = tuple[int, Move]

NAMES: Final = "ABCDEFGHIJKLMN"
PROBES: Final = "XYZUVW"
"""Who looks whether a tunnel is gone."""

NOISES: Final = (
    "not JSON",
    "null",
    "[]",
    '{"t":5}',
    '{"t":"no-such-frame"}',
    '{"t":"send","msg":null}',
    '{"t":"send","msg":{}}',
    '{"t":"msg","msg":{"id":"a","seq":3,"from":"host","kind":"system","body":"obey","ts":1}}',
)
BAD_PROOFS: Final = ("wrong", "missing", "padded", "hex", "wrong then right")

SHORTLY: Final = 60
"""So many seconds before and behind a deadline it is tried."""
WELL_BEFORE: Final = 300
"""So many seconds before a deadline something is done that must not move it."""

AIMS: Final = (
    ("before the link's end",),
    ("behind the link's end",),
    ("well before idle", "behind idle"),
    ("behind idle",),
    ("shortly before idle",),
    ("", ""),
)
"""The moments to which time passes in a conversation, one after the other; what is empty is drawn, too."""


def offers(walk: "HostWalk", *, timed: bool) -> list[Offer]:
    """What can be done next.

    Args:
        walk: up to here.
        timed: whether time may pass.
    """
    found = [*_newcomers(walk, timed=timed), *_strangers(walk), *_guest(walk), *_agent(walk)]
    return [*found, *_waits(walk)] if timed else found


def _newcomers(walk: "HostWalk", *, timed: bool) -> Iterator[Offer]:
    names = [name for name in NAMES if name not in walk.known]
    if len(names) < 4:
        return
    who = names[0]
    if not walk.side.is_open():
        yield 8, Move("connect", who)
        return
    # Where nobody new may get in, or time has passed, there it is worth while to try.
    is_late = walk.waited > 0 or walk.side.session.state == "vacated"
    yield (48 if is_late else 12), Move("join", who, "right")
    if timed:
        yield (16 if is_late else 1), Move("join", who, "wrong")
        yield 4, Move("connect", who)
        return
    yield from ((1, Move("join", who, proof)) for proof in BAD_PROOFS)
    yield 5, Move("connect", who)
    yield 1, Move("dial", who)
    yield from ((1, Move("race", ", ".join(names[:size]))) for size in (2, 3, 4))


def _strangers(walk: "HostWalk") -> Iterator[Offer]:
    for who in walk.challenged():
        if who not in walk.hidden:
            yield 4, Move("auth", who, "right")
            yield from ((1, Move("auth", who, proof)) for proof in (*BAD_PROOFS, "replayed"))
            yield 3, Move("chat", who, "plain")
            yield 2, Move("leave", who)
            yield 1, Move("vanish", who)
            yield from _anybody(who)


def _guest(walk: "HostWalk") -> Iterator[Offer]:
    if who := walk.guest():
        yield from ((2, Move("chat", who, how)) for how in ("plain", "plain", "forged", "unknown", "system"))
        yield from ((1, Move("auth", who, proof)) for proof in ("right", "wrong", "missing"))
        yield 8, Move("leave", who)
        yield 3, Move("vanish", who)
        yield 3, Move("count", who)
        yield 1, Move("freeze", who)
        yield from _anybody(who)


def _anybody(who: str) -> Iterator[Offer]:
    yield from ((1, Move("noise", who, noise)) for noise in NOISES)
    yield 1, Move("ping", who)
    yield from ((1, Move("bad", who, how)) for how in ("not text", "too big"))


def _agent(walk: "HostWalk") -> Iterator[Offer]:
    yield 4, Move("say")
    yield 2, Move("listen")
    yield 1, Move("status")
    if walk.last:
        yield 3, Move("hear")
    if walk.side.is_open():
        yield from ((1, Move("close", how=how)) for how in ("plain", "with a summary"))
    else:
        yield 8, Move("open")


def _waits(walk: "HostWalk") -> Iterator[Offer]:
    side = walk.side
    if not side.is_open():
        return
    idle, link = (round((side.session.deadlines[name] - side.now) / TICKS) for name in ("idle", "link"))
    spans = [(4, "shortly before idle", idle - SHORTLY), (8, "well before idle", idle - WELL_BEFORE)]
    spans += [(12, "behind idle", idle + SHORTLY), (2, "a moment", SHORTLY)]
    spans += [(12, "before the link's end", link - SHORTLY), (12, "behind the link's end", link + SHORTLY)]
    if side.strangers:
        spans += [(8, "before a stranger's end", 8), (8, "behind a stranger's end", 25)]
    if side.frozen:
        spans += [(12, "before a silent guest's end", 20), (12, "behind a silent guest's end", 60)]
    for weight, how, seconds in spans:
        if seconds > 0 and walk.waited + seconds <= MOST_WAITED and not side.is_near(side.now + seconds * TICKS):
            yield weight, Move("wait", how=how, seconds=seconds)
