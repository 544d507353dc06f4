"""A transport is chosen by its name, and a name that there is none of is answered with those that there are."""

import subprocess
import sys

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.transport.base import TransportError
from tunnel.transport.choose import DEFAULT, TRANSPORTS, choose
from tunnel.transport.presets import PRESETS
from tunnel.transport.setup import Setup

SETUP = Setup(command="carry {port}", url="http://127.0.0.1:8000")
"""With it every transport can be chosen."""

SECRET = "KeyThatMustNotBeSeen"


@pytest.mark.parametrize("name", list(TRANSPORTS))
@asynchronous
async def test_every_transport_is_found_by_its_own_name(name: str) -> None:
    assert choose(name, SETUP).name == name


@pytest.mark.parametrize("name", ["", "  ", "\t"])
@asynchronous
async def test_no_name_chooses_the_one_that_works_between_two_machines(name: str) -> None:
    assert choose(name, SETUP).name == DEFAULT == "cloudflared"


@pytest.mark.parametrize("name", [" loopback ", "Loopback", "LOOPBACK\n"])
@asynchronous
async def test_blanks_and_capitals_do_not_matter(name: str) -> None:
    assert choose(name, SETUP).name == "loopback"


@pytest.mark.parametrize(
    "name", ["carrier-pigeon", "loop back", "x" * 10_000, "\x1b[2J", f"wss://example.org/t/00ff#{SECRET}", SECRET * 2]
)
@asynchronous
async def test_a_name_that_there_is_none_of_is_answered_with_those_that_there_are(name: str) -> None:
    with pytest.raises(TransportError) as caught:
        choose(name, SETUP)

    said = str(caught.value)
    assert "TUNNEL_TRANSPORT" in said
    assert all(known in said for known in TRANSPORTS)
    assert len(said) < 400
    assert said.isprintable()
    assert SECRET.lower() not in said.lower()


@asynchronous
async def test_a_misspelt_name_is_shown() -> None:
    with pytest.raises(
        TransportError, match="There is no transport called 'cloudflare'; there is cloudflared, direct,"
    ):
        choose("cloudflare", SETUP)


@pytest.mark.parametrize("name", ["direct", "command"])
@asynchronous
async def test_a_transport_that_needs_a_setting_says_so_at_once(name: str) -> None:
    with pytest.raises(TransportError, match="TUNNEL_"):
        choose(name, Setup())


@asynchronous
async def test_every_choice_is_a_transport_of_its_own() -> None:
    assert choose("loopback", SETUP) is not choose("loopback", SETUP)


def test_no_preset_has_the_name_of_another_transport() -> None:
    assert len(TRANSPORTS) == len(PRESETS) + 4


def test_what_a_transport_stands_on_is_not_imported_before_it_is_chosen() -> None:
    program = "import sys, tunnel.app.serve; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = done.stdout.split()

    assert "tunnel.transport.choose" in imported
    assert {"tunnel.transport.cloudflared", "tunnel.transport.command"} & set(imported) == set()
