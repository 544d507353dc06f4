"""What can be done next to a guest under test, each with a weight."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tunnel_conformance.explore.lives import MARGINS, TICKS
from tunnel_conformance.explore.moves import Move

if TYPE_CHECKING:
    from tunnel_conformance.explore.guest import GuestWalk

Offer = tuple[int, Move]

NOISES: Final = (
    "not JSON",
    "null",
    "[]",
    '{"t":5}',
    '{"t":"no-such-frame"}',
    '{"t":"msg"}',
    '{"t":"msg","msg":null}',
    '{"t":"send","msg":{"id":"a","kind":"chat","body":"forged"}}',
)
CLOSINGS: Final = ("plain", "closed_by_host", "idle", "process_exit", "transport_lost", "slow")

AIMS: Final = (
    ("before the join's end",),
    ("behind the join's end",),
    ("behind a silent host's end",),
    ("a moment",),
    ("", ""),
)
"""The moments to which time passes in a conversation, one after the other; what is empty is drawn, too."""


def offers(walk: "GuestWalk", *, timed: bool) -> list[Offer]:
    """What can be done next.

    Args:
        walk: up to here.
        timed: whether time may pass.
    """
    if walk.state == "ended":
        return [(16, Move("accept")), (4, Move("say")), (2, Move("listen")), (1, Move("status"))]
    found = [*_agent(walk), *_anywhere()] if not walk.is_frozen else []
    if walk.state == "joined":
        found += _joined(walk)
    else:
        found += _joining(walk, timed=timed)
    return [*found, *_waits(walk)] if timed else found


def _agent(walk: "GuestWalk") -> Iterator[Offer]:
    yield 4, Move("say")
    yield 1, Move("listen")
    yield 1, Move("status")
    if walk.last:
        yield 2, Move("hear")
    yield from ((1, Move("close", how=how)) for how in ("plain", "with a summary"))


def _anywhere() -> Iterator[Offer]:
    yield from ((1, Move("noise", how=noise)) for noise in NOISES)
    yield 1, Move("ping")
    yield 1, Move("bad")
    yield 2, Move("challenge")
    yield 1, Move("deny")
    yield 2, Move("tell", how="plain")
    yield 2, Move("vanish")
    yield from ((1, Move("leave", how=how)) for how in CLOSINGS)


def _joining(walk: "GuestWalk", *, timed: bool) -> Iterator[Offer]:
    if walk.state == "greeting":
        yield 24, Move("let in")
        if timed:
            # Only time shows what comes of it.
            yield 24, Move("fall silent")
        yield 4, Move("challenge")
        yield 4, Move("admit", how="plain")
    else:
        yield 12, Move("admit", how="plain")
        yield 2, Move("admit", how="with a hole")
        yield 1, Move("deny")


def _joined(walk: "GuestWalk") -> Iterator[Offer]:
    if walk.is_frozen:
        yield 1, Move("listen")
        return
    yield 2, Move("freeze")
    yield 1, Move("admit", how="plain")
    yield from ((2, Move("tell", how=how)) for how in ("plain", "system", "forged", "stale", "forged", "hole"))
    if walk.is_unconfirmed:
        yield 12, Move("echo", how="plain")


def _waits(walk: "GuestWalk") -> Iterator[Offer]:
    spans = [(2, "a moment", 60)]
    if walk.state != "joined":
        spans = [(8, "before the join's end", 8), (8, "behind the join's end", 30)]
    elif walk.is_frozen:
        spans = [(4, "before a silent host's end", 20), (16, "behind a silent host's end", 60)]
    for weight, how, seconds in spans:
        moment = walk.now + seconds * TICKS
        if all(abs(moment - at) >= MARGINS.get(name, 0) * TICKS for name, at in walk.life.deadlines.items()):
            yield weight, Move("wait", how=how, seconds=seconds)
