"""Every wrong guest fails the cases that stand beside it, and no other; here those in which no time passes."""

import asyncio

import pytest
from tunnel_conformance.broken.guests import GUESTS

from tests.conformance.broken.playing import CHOICE, COMPLETE_SECONDS, seen


@pytest.mark.timeout(COMPLETE_SECONDS)
def test_every_wrong_guest_fails_what_it_must_and_nothing_else() -> None:
    kills = asyncio.run(seen(GUESTS, CHOICE, timed=False))

    assert kills.complaints == []
