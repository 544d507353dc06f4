"""Wrong hosts and guests whose mistake takes time to see: it passes many times as fast, for all of them at once."""

import asyncio

import pytest
from tunnel_conformance.broken.registry import BROKEN

from tests.conformance.broken.playing import CHOICE, COMPLETE_SECONDS, seen


@pytest.mark.needs("faketime")
@pytest.mark.timeout(COMPLETE_SECONDS)
def test_everybody_fails_what_they_must_when_time_passes() -> None:
    kills = asyncio.run(seen(BROKEN, CHOICE, timed=True))

    assert kills.complaints == []
