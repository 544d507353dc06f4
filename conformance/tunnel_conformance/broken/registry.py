"""All broken implementations, by their ids."""

import difflib
from typing import Final

from tunnel_conformance.broken.guests import GUESTS
from tunnel_conformance.broken.hosts import HOSTS
from tunnel_conformance.broken.wrong import Broken

CORRECT: Final = "correct"
"""The implementation that is not broken, controlled in the same way."""

BROKEN: Final[tuple[Broken, ...]] = (*HOSTS, *GUESTS)


def find(id: str) -> Broken | None:
    """The broken implementation with this id; none for the correct one.

    Raises:
        LookupError: there is none; the text says which one may be meant.
    """
    if id == CORRECT:
        return None
    found = next((broken for broken in BROKEN if broken.id == id), None)
    if found is None:
        near = difflib.get_close_matches(id, [broken.id for broken in BROKEN], n=1)
        hint = f"did you mean '{near[0]}'?" if near else "--list names them all."
        raise LookupError(f"There is no broken implementation of this name; {hint}")
    return found
