"""A variable that does nothing is named, with the one that was likely meant; what others set is their own."""

from collections.abc import Iterator, Mapping

import pytest

from tunnel.app.misspelt import KNOWN, MOST, OF_CLOUDFLARED, misspelt
from tunnel.app.settings import read_settings
from tunnel.transport.cloudflared import KEPT


class Noting(Mapping[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_what_is_known_is_what_is_read_and_what_cloudflared_is_left() -> None:
    environment = Noting()
    read_settings(environment)

    assert environment.asked == {*KNOWN, "HOME"}
    assert set(OF_CLOUDFLARED) == KEPT


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TUNNEL_BUDGETT", "TUNNEL_BUDGET"),
        ("tunnel_budget", "TUNNEL_BUDGET"),
        ("TUNEL_BUDGET", "TUNNEL_BUDGET"),
        ("TUNNEL_TRANSPORTS", "TUNNEL_TRANSPORT"),
        ("TUNNEL_EDGE_IP", "TUNNEL_EDGE_IP_VERSION"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(name: str, meant: str) -> None:
    assert misspelt([name]) == (f"{name} is no variable of this program, which passes over it. Did you mean {meant}?",)


def test_a_name_that_is_like_no_other_is_named_alone() -> None:
    assert misspelt(["TUNNEL_QXZ"]) == ("TUNNEL_QXZ is no variable of this program, which passes over it.",)


def test_what_is_known_and_what_belongs_to_others_is_left_in_peace() -> None:
    assert misspelt([*KNOWN, *OF_CLOUDFLARED, "HOME", "PATH", "BUDGET", "SSH_TUNNEL", "_TUNNEL_MCP_COMPLETE"]) == ()


def test_hostile_names_are_shown_visible_cut_and_counted() -> None:
    names = [f"TUNNEL_\x1b[2J\u202e{number}{'x' * 100_000}" for number in range(1000)]
    said = misspelt(names)

    assert len(said) == MOST + 1
    assert said[-1] == f"{1000 - MOST} more variables are not known either."
    assert all(sentence.isprintable() and len(sentence) < 200 for sentence in said)
