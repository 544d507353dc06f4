"""The environment is input from outside too: whatever it holds, the server starts."""

import os

import pytest

from tunnel.app.settings import TRANSPORT_BYTES, read_settings


def test_without_the_variable_the_default_transport_is_meant() -> None:
    assert read_settings({}).transport == ""


def test_a_name_is_taken_as_it_stands() -> None:
    assert read_settings({"TUNNEL_TRANSPORT": "loopback"}).transport == "loopback"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("loop\nback", "loop\\nback"),
        ("\u202eloopback", "\\u202eloopback"),
        ("loopback\ufe0f", "loopback\\ufe0f"),
    ],
    ids=["a line break", "a change of direction", "an invisible mark"],
)
def test_a_hostile_value_becomes_visible_and_is_no_name_any_more(value: str, shown: str) -> None:
    assert read_settings({"TUNNEL_TRANSPORT": value}).transport == shown


def test_bytes_that_are_no_text_become_one() -> None:
    shown = read_settings({"TUNNEL_TRANSPORT": os.fsdecode(b"loop\xff\xed\xa0\x80")}).transport

    assert shown.startswith("loop")
    assert shown.encode("utf-8").decode("utf-8").isprintable()


def test_a_huge_value_is_cut() -> None:
    assert len(read_settings({"TUNNEL_TRANSPORT": "x" * 1_000_000}).transport.encode()) == TRANSPORT_BYTES
