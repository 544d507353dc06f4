"""What a dialling may use is the process's own, unless a test says otherwise; and it ends before the join does."""

from typing import Any

import pytest

from tunnel.io.internet import DOH_SERVERS
from tunnel.io.lookup import system_addresses
from tunnel.io.way import Patience, Way
from tunnel.spec.v1.constants import JOIN_SECONDS

ROOM_SECONDS = 2
"""So much is left for the proof."""


@pytest.mark.parametrize(
    "stages",
    [
        ("system", "doh", "tcp", "tls", "websocket"),
        ("proxy", "tls", "websocket"),
        ("system", "doh", "proxy", "websocket"),
    ],
    ids=["straight", "through a proxy that resolves", "through a proxy without TLS"],
)
def test_the_stages_of_every_way_fit_into_a_join(stages: tuple[str, ...]) -> None:
    """AUTH-9: whoever is slow is named before the whole is given up."""
    patience: Any = Patience()

    assert sum(getattr(patience, f"{stage}_seconds") for stage in stages) <= JOIN_SECONDS - ROOM_SECONDS


def test_a_way_is_the_processs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://a:1")
    way = Way()

    assert way.environment["HTTPS_PROXY"] == "http://a:1"
    assert way.doh_servers == DOH_SERVERS
    assert way.ca_file is None
    assert way.lookup is system_addresses
