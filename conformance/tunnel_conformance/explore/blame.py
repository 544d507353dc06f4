"""Which rows and rules an implementation broke: those that should have been taken, and those that seem to have been."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tunnel_conformance.explore.lives import Carrier, machine_of
from tunnel_conformance.spec import rules, spec

_LOST: Final = re.compile(r"no connection came about|idle timeout|was closed|was reset")

_EVENTS: Final = {f"{name}/{row.id}": row.on for name, table in spec().machines.items() for row in table.transitions}
"""For each row, on what it is taken."""
_FIRES: Final = {
    f"{name}/timer {timer.name}": timer.fires for name, table in spec().machines.items() for timer in table.timers
}
"""For each timer, what it fires."""


def blamed(expected: Iterable[Carrier], got: str, *, timed: bool) -> tuple[Carrier, ...]:
    """The rows and timers behind what was expected, and the rows that would have led to what came.

    Args:
        expected: behind what must have been seen.
        got: what was seen, in words.
        timed: whether time has passed.
    """
    meant = tuple(carrier for carrier in expected if carrier.rules)
    # Where the session decides, the connection only carries; and where a row was taken, the timers only run.
    decided = tuple(one for one in meant if one.name in _EVENTS and not one.name.startswith("connection/"))
    fired = {_EVENTS[one.name] for one in decided}
    meant = (*decided, *(one for one in meant if _FIRES.get(one.name) in fired)) if decided else meant
    # Whoever is let in who should not be breaks the rules by which it is refused.
    is_host = any(one.name.startswith(("session/", "connection/")) for one in meant)
    instead = tuple(_instead(got, timed=timed)) if is_host else ()
    order = (*meant, *instead) if _lets_in(got) else (*instead, *meant)
    return tuple(dict.fromkeys(order))


def broken(carriers: Iterable[Carrier], got: str) -> tuple[str, ...]:
    """The rules that they carry out, each once; whoever is let in proves nothing about the rules of letting in."""
    rows = {row.name for row in _rows("admit")} if _lets_in(got) else set[str]()
    found = dict.fromkeys(rule for carrier in carriers if carrier.name not in rows for rule in carrier.rules)
    return tuple(found)


def sentences(ids: Iterable[str]) -> Iterator[str]:
    """The rules with what they say."""
    for rule in map(rules().__getitem__, ids):
        yield f"{rule.id} {rule.level.value}: {rule.text}"


def _lets_in(got: str) -> bool:
    return re.search(r"\bauth_ok\b", got) is not None


def _instead(got: str, *, timed: bool) -> Iterator[Carrier]:
    for refusal in spec().refusals.refusals:
        if repr(refusal.text) in got:
            yield from _rows(f"refuse {refusal.id}")
    if _lets_in(got):
        yield from _rows("admit")
    if timed and _LOST.search(got):
        yield from _rows("end idle")


def _rows(action: str) -> Iterator[Carrier]:
    for row in machine_of("session").transitions:
        if action in row.do and "opening" not in row.leaves:
            yield Carrier(f"session/{row.id}", row.rules)
