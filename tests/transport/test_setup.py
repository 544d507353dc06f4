"""A transport that is told nothing finds the real internet, no wishes, and nobody to talk to."""

import pytest

from tunnel.io.internet import CLOUDFLARED_DOWNLOADS, DOH_SERVERS
from tunnel.transport.setup import Setup


def test_what_is_not_said_is_the_real_internet_and_no_wish() -> None:
    setup = Setup()

    assert (setup.doh_servers, setup.downloads) == (DOH_SERVERS, CLOUDFLARED_DOWNLOADS)
    assert (setup.command, setup.url, setup.port, setup.ca_file, setup.home) == ("", "", 0, None, None)
    assert setup.checks_reachability
    assert setup.environment == {}


def test_nobody_is_told_anything_until_somebody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    Setup().report("a line")

    assert capsys.readouterr() == ("", "")


def test_two_setups_share_no_environment() -> None:
    assert Setup().environment is not Setup().environment
