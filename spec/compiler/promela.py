"""Writes the machines as Promela for SPIN: every row in its order, every timer, and a world that does its worst.

Only the machines are translated. What the claims look at is written by hand beside them, in the templates, and reads no row.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from spec.compiler.explore import combinations
from spec.compiler.promela_text import Text, callees_first
from spec.compiler.python import environment
from spec.compiler.reader import Spec

Scene = Literal["host", "crowd", "together", "guest"]
"""The host in the world, the same with one more at the door, host and guest together over a wire that breaks, or the guest alone
against whatever answers."""

PEERS: dict[Scene, tuple[str, ...]] = {
    "host": ("ANN", "BOB", "THIEF", "REPLAYER"),
    "crowd": ("ANN", "BOB", "THIEF", "ANOTHER_THIEF", "REPLAYER"),
    "together": ("ANN", "THIEF"),
    "guest": (),
}
"""Who has a connection: guests with the link, who dial once; some with a leaked link, and one who only saw the wire."""

MACHINES: dict[Scene, tuple[str, ...]] = {
    "host": ("session", "connection"),
    "crowd": ("session", "connection"),
    "together": ("session", "connection", "guest"),
    "guest": ("guest",),
}

GUESTS = ("ANN", "BOB")
WELL_BEHAVED = ("upgraded", "heard", "lost", "overflow", "evict")
"""What else happens on the connection of a guest that keeps the rules, besides its `auth` and what it says."""

SEEN = {
    "session": ("hand_out_link", "admit", "refuse", "number", "number_chat", "end"),
    "connection": ("challenge", "judge", "relay", "welcome", "deny", "hang_up", "hang_up_told"),
    "guest": ("answer", "hang_up", "end"),
}
"""The actions that the claims look at, or that the other end hears of."""

SEEN_ALONE = {"guest": ("answer", "enter", "take", "confirm", "conceal", "send", "send_summary", "hang_up", "end")}
"""The same, of a guest that has no other end."""

SHORTEST_TICKS = 2
"""Of a duration: there is an age between its start and its end."""
MARGIN_TICKS = 3
"""Between the two longest durations: a link that nobody used is dead for a while before its session is idle."""


class Slips(NamedTuple):
    """Mistakes of an implementation that no row shows."""

    lazy_timers: bool = False
    """An input is handled although a timer is due."""
    one_challenge: bool = False
    """All connections get the same challenge."""


def promela(
    spec: Spec,
    scene: Scene = "host",
    slips: Slips = Slips(),  # noqa: B008 - it is frozen
    *,
    witness: bool = False,
    tracks: bool = False,
) -> str:
    """The whole model as text.

    Args:
        spec: the tables.
        scene: who is in it.
        slips: what an implementation of them gets wrong.
        witness: remember the last refusal and the cause of the end, so that it can be asked what ever happens.
        tracks: say of every row when it is taken first.

    Raises:
        PromelaError: two machines would call each other for ever.
    """
    machines = {name: spec.machines[name] for name in MACHINES[scene]}
    seen = SEEN_ALONE if scene == "guest" else SEEN
    texts = {name: Text(machine, seen[name], tracks=tracks) for name, machine in machines.items()}
    events = [event for machine in machines.values() for event in machine.events]
    return (
        environment()
        .get_template("guest.pml.jinja" if scene == "guest" else "host.pml.jinja")
        .render(
            spec=spec,
            seconds=ticks({t.duration: spec.constants[t.duration] for m in machines.values() for t in m.timers}),
            peers=PEERS[scene],
            nobody=[peer for peer in PEERS["crowd"] if peer not in PEERS[scene]],
            texts=texts.values(),
            session=texts.get("session"),
            connection=texts.get("connection"),
            guest=texts.get("guest"),
            handlers=callees_first(texts.values()),
            guests=GUESTS,
            well_behaved=WELL_BEHAVED,
            combinations=combinations,
            events=sorted({event.name for event in events}),
            facts=sorted({fact for event in events for fact in event.facts}),
            slips=slips,
            witness=witness,
        )
    )


def ticks(seconds: Mapping[str, int]) -> dict[str, int]:
    """Durations in the same order, as short as what can be told apart allows."""
    order = sorted(set(seconds.values()))
    short = {value: SHORTEST_TICKS + place for place, value in enumerate(order)}
    short[order[-1]] += MARGIN_TICKS - 1
    return {name: short[value] for name, value in seconds.items()}
