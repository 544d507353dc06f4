"""What is looked at is this machine, unless another is given."""

import sys
from pathlib import Path

from tests.app.doctor.machines import machine, settings
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.io.internet import QUICK_TUNNEL_API
from tunnel.io.lookup import system_addresses
from tunnel.transport.choose import DEFAULT


def test_this_machine_is_looked_at() -> None:
    here = Surroundings(settings=settings(None))

    assert here.python == sys.version_info[:3]
    assert here.api_url == f"https://{QUICK_TUNNEL_API}:443"
    assert here.lookup is system_addresses
    assert here.environment


def test_the_transport_is_the_default_if_none_is_set(tmp_path: Path) -> None:
    assert machine(tmp_path).transport == DEFAULT
    assert machine(tmp_path, variables={"TUNNEL_TRANSPORT": "direct"}).transport == "direct"


def test_the_way_out_is_the_one_that_is_set(tmp_path: Path) -> None:
    at = machine(tmp_path, variables={"TUNNEL_CA_FILE": "/ca.pem", "TUNNEL_DOH": "https://192.0.2.1/"})

    assert (at.way().ca_file, at.way().doh_servers) == (Path("/ca.pem"), ("https://192.0.2.1/",))
    assert (at.way().environment, at.way().lookup, at.way().patience) == (at.environment, at.lookup, at.patience)
