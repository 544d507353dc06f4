"""What can happen next in a world of host, guest, wire and thief: of itself, or because somebody wants it."""

from collections.abc import Callable, Iterator

from spec.compiler.explore import Place
from spec.compiler.hostside import ADMITTED
from spec.compiler.turn import Turn
from spec.compiler.world import LINE, THIEF, Item, World

UNDER_WAY = 2
"""So many items may be under way before nobody says more of his own will."""

Thing = tuple[str, Callable[[Turn], None]]
"""A sentence, and what it does."""


def by_itself(world: World) -> Iterator[Thing]:
    """What happens when nobody wants anything."""
    guest, line = world.guest, world.line
    yield "time passes", Turn.pass_time
    if world.to_guest:
        yield f"the guest gets {_said(world.to_guest[0])}", Turn.reach_guest
    # While much is on its way to the guest, the host takes its time: what it numbers has to go there too.
    if world.to_host and len(world.to_guest) < UNDER_WAY:
        yield f"the host gets {_said(world.to_host[0])}", Turn.reach_host
    if guest is not None and line is not None and guest.state == "joined" and line.state == ADMITTED:
        if not world.is_cut and not world.to_guest and _has_waited(guest):
            yield "the guest hears a ping", lambda turn: turn.guest("heard")
        if not world.is_cut and not world.to_host and _has_waited(line):
            yield "the host hears a ping", lambda turn: turn.connection(LINE, "heard")


def by_will(world: World) -> Iterator[Thing]:
    """What somebody may want, or what may go wrong."""
    yield from _of_the_host(world)
    yield from _of_the_guest(world)
    yield from _of_the_thief(world)


def _of_the_host(world: World) -> Iterator[Thing]:
    if world.session.state == "closed":
        return
    if world.session.state == "opening":
        yield "the host becomes reachable", lambda turn: turn.session("reachable")
    if len(world.to_guest) < UNDER_WAY:
        yield "the host says something", lambda turn: turn.session("say", fits=True, has_room=True)
    yield "the host closes", lambda turn: turn.session("close", has_summary=False)
    yield "the host closes with a summary", lambda turn: turn.session("close", has_summary=True)
    yield "the host's process ends", lambda turn: turn.session("exit")
    yield "the host's transport is lost", lambda turn: turn.session("unreachable")
    if world.line is not None and world.line.state != "gone":
        yield "too much waits for the guest", lambda turn: turn.connection(LINE, "overflow")
        yield "too many strangers wait", lambda turn: turn.connection(LINE, "evict")


def _of_the_guest(world: World) -> Iterator[Thing]:
    guest, line = world.guest, world.line
    if guest is None:
        if world.session.state != "opening":
            yield "the guest dials", Turn.dial
        return
    if guest.state == "ended":
        return
    if guest.state == "joined" and len(world.to_host) < UNDER_WAY:
        yield "the guest says something", lambda turn: turn.guest("say", fits=True, has_room=True)
    yield "the guest closes", lambda turn: turn.guest("close", has_summary=False)
    yield "the guest closes with a summary", lambda turn: turn.guest("close", has_summary=True)
    yield "the guest's process ends", lambda turn: turn.guest("exit")
    yield "too much waits for the host", lambda turn: turn.guest("overflow")
    if line is not None and not world.is_cut:
        for ahead in range(len(world.to_guest) + 1):
            for back in range(len(world.to_host) + 1):
                text = f"the wire is cut behind {ahead} items to the guest and {back} to the host"
                yield text, lambda turn, ahead=ahead, back=back: turn.cut(ahead, back)


def _of_the_thief(world: World) -> Iterator[Thing]:
    if world.thief is None:
        if world.session.state != "closed":
            yield "a thief connects", Turn.break_in
        return
    # Nobody holds a link before there is one.
    holds_link = world.session.state != "opening"
    for word, proof in (("wrong", False), ("right", True)):
        if proof <= holds_link:
            yield (
                f"the thief answers with the {word} proof",
                lambda turn, proof=proof: turn.connection(THIEF, "auth", well_formed=True, proof_ok=proof),
            )
    yield "the thief sends something", lambda turn: turn.connection(THIEF, "send", has_room=True)
    yield "the thief sends more than there is room for", lambda turn: turn.connection(THIEF, "send", has_room=False)
    yield "the thief goes", lambda turn: turn.connection(THIEF, "lost")
    if world.thief.state == ADMITTED:
        yield "the host hears the thief", lambda turn: turn.connection(THIEF, "heard")


def _has_waited(end: Place) -> bool:
    return dict(end.ages).get("silence", 0) > 0


def _said(item: Item) -> str:
    return f"`{item.name}{' ' if item.about else ''}{item.about}`"
