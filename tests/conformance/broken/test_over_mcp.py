"""A sample of them as MCP servers: how they are controlled makes no difference to what is wrong with them."""

from typing import Final

import pytest
from tunnel_conformance.broken.registry import BROKEN, find
from tunnel_conformance.broken.wrong import Broken

from tests.conformance.broken.playing import COMPLETE, COMPLETE_SECONDS, complaints, is_sampled, played

SAMPLE: Final = (
    "host-reuses-the-link-after-leave",
    "host-trusts-from",
    "host-dies-on-null",
    "guest-answers-every-challenge",
    "guest-shows-system-texts-as-chat",
    "guest-dies-on-null",
)
"""One by its rows, one by its functions and one that crashes, in either role."""


@pytest.mark.timeout(COMPLETE_SECONDS)
def test_what_is_wrong_is_seen_over_mcp_too() -> None:
    chosen = [broken for name in SAMPLE if isinstance(broken := find(name), Broken)]
    found = complaints(played(BROKEN if COMPLETE else chosen, is_sampled, control="mcp"), control="mcp")

    assert len(chosen) == len(SAMPLE)
    assert not found, found
