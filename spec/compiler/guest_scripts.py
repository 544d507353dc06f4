"""Scripts that lead a guest through everything that its table can do to it."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import product

from spec.compiler.explore import Place
from spec.compiler.guestside import GuestSide
from spec.compiler.hostside import Tables, Taken
from spec.compiler.script import Exchange, Line, Script, clock, touched

EVENTS = (
    "connected", "unreachable", "challenge", "auth_fail", "malformed", "other", "heard", "oversize", "not_text", "overflow", "exit",
)  # fmt: skip
"""What comes without facts."""


def guest_scripts(tables: Tables) -> Iterator[tuple[Script, list[Taken]]]:
    """All of them, the shortest first, each with the rows that it takes."""
    lines = tuple(_lines(tables))
    ways: dict[Place, tuple[Line, ...]] = {GuestSide(tables).at: ()}
    open_ends = deque(ways)
    while open_ends:
        way = ways[open_ends.popleft()]
        for more in lines:
            side = GuestSide(tables)
            turns = tuple(Exchange(line, _heard_after(tables, side, line)) for line in (*way, *more))
            yield Script("guest", turns, touched(side.taken)), side.taken
            if side.at not in ways and len(more) == 1:
                ways[side.at] = (*way, *more)
                open_ends.append(side.at)


def play_guest(tables: Tables, lines: Iterable[Line]) -> Iterator[tuple[str, ...]]:
    """What is heard of a guest after each of these lines."""
    side = GuestSide(tables)
    return (_heard_after(tables, side, line) for line in lines)


def guest_left_by(tables: Tables, lines: Iterable[Line]) -> tuple[object, ...]:
    """Where a guest is after these lines."""
    side = GuestSide(tables)
    for line in lines:
        _perform(side, line)
    return (side.at,)


def _heard_after(tables: Tables, side: GuestSide, line: Line) -> tuple[str, ...]:
    side.words = []
    _perform(side, line)
    due = min(tables.guest.remaining(side.at, that_fire=True).values(), default=None)
    return (*side.words, side.at.state, f"{side.last} taken", f"{side.shown} shown", clock("next", due))


def _lines(tables: Tables) -> Iterator[tuple[Line, ...]]:
    """What can happen to a guest; some of it needs something else to happen before."""
    yield from (((event,),) for event in EVENTS)
    yield from ((("wait", ticks),) for ticks in ("1", "2", "7"))
    yield from ((("lost", closing),) for closing in ("", *tables.cause_of))
    yield from ((("close", summary),) for summary in ("", "summary"))
    for before in ((), (("fill",),)):
        yield from ((*before, ("auth_ok", order)) for order in ("next", "hole"))
        yield from ((*before, ("say", fits)) for fits in ("fits", "too long"))
        for order, sender in product(("next", "hole", "stale"), ("host", "guest", "echo")):
            said: tuple[Line, ...] = (("say", "fits"),) if sender == "echo" else ()
            yield (*said, *before, ("msg", order, sender))


def _perform(side: GuestSide, line: Line) -> None:
    match line:
        case ("wait", ticks):
            for _ in range(int(ticks)):
                side.pass_time()
        case ("fill",):
            side.fill()
        case ("lost", closing):
            side.lose(closing)
        case ("close", summary):
            side.take("close", has_summary=bool(summary))
        case ("auth_ok", order):
            side.enter(in_order=order == "next")
        case ("say", fits):
            side.say(fits=fits == "fits")
        case ("msg", order, sender):
            number = {"next": side.last + 1, "hole": side.last + 2, "stale": max(side.last, 1)}[order]
            side.message(number, sender)
        case (event,):
            side.take(event)
        case _:
            raise ValueError(line)
