"""A transport is chosen by its name, and a name that there is none of is answered with those that there are."""

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.transport.base import TransportError
from tunnel.transport.choose import DEFAULT, TRANSPORTS, choose


@pytest.mark.parametrize("name", list(TRANSPORTS))
@asynchronous
async def test_every_transport_is_found_by_its_own_name(name: str) -> None:
    assert choose(name).name == name


@pytest.mark.parametrize("name", ["", "  ", "\t"])
@asynchronous
async def test_no_name_chooses_the_default(name: str) -> None:
    assert choose(name).name == DEFAULT


@pytest.mark.parametrize("name", [" loopback ", "Loopback", "LOOPBACK\n"])
@asynchronous
async def test_blanks_and_capitals_do_not_matter(name: str) -> None:
    assert choose(name).name == "loopback"


@pytest.mark.parametrize("name", ["carrier-pigeon", "loop back", "x" * 10_000, "\x1b[2J"])
@asynchronous
async def test_a_name_that_there_is_none_of_is_answered_with_those_that_there_are(name: str) -> None:
    with pytest.raises(TransportError) as caught:
        choose(name)

    said = str(caught.value)
    assert "TUNNEL_TRANSPORT" in said
    assert all(known in said for known in TRANSPORTS)
    assert len(said) < 300
    assert said.isprintable()


@asynchronous
async def test_every_choice_is_a_transport_of_its_own() -> None:
    assert choose("loopback") is not choose("loopback")
