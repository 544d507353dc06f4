"""Scripts that lead a host and two connections through everything their tables can do to them."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spec.compiler.explore import Place
from spec.compiler.hostside import HostSide, Tables, Taken
from spec.compiler.script import SMALL, Exchange, Line, Script, Touched, clock, touched

WHO = ("A", "B")
"""Connections to the host."""


class _Scene(NamedTuple):
    """A host and its connections."""

    session: Place
    connections: tuple[tuple[str, Place], ...]


def host_scripts(tables: Tables) -> Iterator[tuple[Script, list[Taken]]]:
    """All of them, the shortest first, each with the rows that its last line takes."""
    first = _Scene(tables.session.start(), ())
    ways: dict[_Scene, tuple[tuple[Exchange, ...], Touched]] = {first: ((), frozenset())}
    open_ends = deque([first])
    while open_ends:
        scene = open_ends.popleft()
        turns, before = ways[scene]
        for line in _lines(scene):
            side = HostSide(tables, scene.session, dict(scene.connections))
            _perform(side, line)
            then = _Scene(side.at, tuple(side.connections.items()))
            more = (*turns, Exchange(line, _heard(tables, side)))
            script = Script("host", more, before | touched(side.taken))
            yield script, side.taken
            # A transcript that is full stays full, so such a script ends there.
            if then not in ways and "no room" not in line:
                ways[then] = more, script.touched
                open_ends.append(then)


def play_host(tables: Tables, lines: Iterable[Line]) -> Iterator[tuple[str, ...]]:
    """What is heard of a host after each of these lines."""
    side = HostSide(tables, tables.session.start(), {})
    for line in lines:
        side.words = []
        _perform(side, line)
        yield _heard(tables, side)


def host_left_by(tables: Tables, lines: Iterable[Line]) -> tuple[object, ...]:
    """Where a host and its connections are after these lines."""
    side = HostSide(tables, tables.session.start(), {})
    for line in lines:
        _perform(side, line)
    return side.at, tuple(side.connections.items())


def _lines(scene: _Scene) -> Iterator[Line]:
    yield from (("wait", "1"), ("wait", "2"), ("wait", "11"), ("reachable",), ("unreachable",), ("exit",))
    yield from (("close", summary) for summary in ("", "summary"))
    yield from (("say", fits, room) for fits in ("fits", "too long") for room in ("room", "no room"))
    present = dict(scene.connections)
    for who in WHO:
        if who in present:
            for event in ("upgraded", "other", "heard", "control", "flood", "oversize", "not_text", "overflow", "lost"):
                yield event, who
            yield from (("auth", who, proof) for proof in ("right", "wrong", "malformed"))
            yield from (("send", who, room) for room in ("room", "no room"))
        elif scene.session.state != "closed":
            yield "accept", who


def _perform(side: HostSide, line: Line) -> None:
    match line:
        case ("wait", ticks):
            for _ in range(int(ticks)):
                side.pass_time()
        case ("accept", who):
            side.accept(who)
            strangers = [name for name, place in side.connections.items() if place.state in ("opening", "challenged")]
            if len(strangers) > SMALL["STRANGER_CONNECTIONS"]:
                side.on_connection(strangers[0], "evict")
        case ("auth", who, proof):
            # Before the challenge there is none to answer.
            is_right = proof == "right" and side.connections[who].state != "opening"
            side.on_connection(who, "auth", {"well_formed": proof != "malformed", "proof_ok": is_right})
        case ("send", who, room):
            side.on_connection(who, "send", {"has_room": room == "room"})
        case ("control", who):
            side.on_connection(who, "control", flooding=False)
        case ("flood", who):
            side.on_connection(who, "control", flooding=False)
            side.on_connection(who, "control", flooding=True)
        case ("say", fits, room):
            side.in_session("say", fits=fits == "fits", has_room=room == "room")
        case ("close", summary):
            side.in_session("close", has_summary=bool(summary))
        case ("lost", who):
            side.on_connection(who, "lost")
            if side.connections[who].state == "gone":
                del side.connections[who]
        case (event, who):
            side.on_connection(who, event)
        case (event,):
            side.in_session(event)
        case _:
            raise ValueError(line)


def _heard(tables: Tables, side: HostSide) -> tuple[str, ...]:
    words = [" ".join(part for part in word if part) for word in side.words]
    running = tables.session.remaining(side.at)
    due = [*tables.session.remaining(side.at, that_fire=True).values()]
    for place in side.connections.values():
        due += tables.connection.remaining(place, that_fire=True).values()
    return (
        *words,
        side.at.state,
        *(clock(name, running.get(name)) for name in ("link", "idle")),
        clock("next", min(due, default=None)),
    )
