"""What the library says by itself to who breaks WebSocket is said in the spec's words, and nothing of it is logged."""

import logging

import pytest
from websockets.protocol import State
from websockets.uri import parse_uri

from tunnel.io.frames import SILENT, GuestFrames, HostFrames
from tunnel.spec.v1.refusals import CLOSINGS, Closing


def both_ends() -> list[HostFrames | GuestFrames]:
    return [HostFrames(1), GuestFrames(parse_uri("ws://x/"), 1)]


@pytest.mark.parametrize("closing", [Closing.TOO_BIG, Closing.NOT_TEXT], ids=lambda closing: closing.value)
@pytest.mark.parametrize("end", both_ends(), ids=["host", "guest"])
def test_a_failure_that_the_spec_names_has_its_words(end: HostFrames | GuestFrames, closing: Closing) -> None:
    """CLOSE-4."""
    end.state = State.OPEN
    end.fail(CLOSINGS[closing].code, "the library's words")

    assert end.close_sent is not None
    assert end.close_sent.reason == CLOSINGS[closing].reason


@pytest.mark.parametrize("end", both_ends(), ids=["host", "guest"])
def test_any_other_failure_keeps_the_librarys_words(end: HostFrames | GuestFrames) -> None:
    end.state = State.OPEN
    end.fail(1002, "reserved bits must be 0")

    assert end.close_sent is not None
    assert end.close_sent.reason == "reserved bits must be 0"


@pytest.mark.parametrize("end", both_ends(), ids=["host", "guest"])
def test_nothing_that_strangers_send_is_logged(end: HostFrames | GuestFrames) -> None:
    assert end.logger is SILENT
    assert not SILENT.isEnabledFor(logging.CRITICAL)
    assert not SILENT.propagate
