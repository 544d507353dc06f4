"""The list of broken implementations: everybody on it is somebody's reason to exist."""

import os
import re
import subprocess
import sys
from typing import Final

import pytest
from tunnel_conformance.broken import kills
from tunnel_conformance.broken.guests import GUESTS
from tunnel_conformance.broken.hosts import HOSTS
from tunnel_conformance.broken.registry import BROKEN, CORRECT, find
from tunnel_conformance.spec import rules, spec

from tests.conformance.broken.playing import PYTHON
from tunnel.spec.model import Role

CASES = spec().cases.cases

PATCHED: Final = """
import os
from tunnel_conformance.broken.registry import BROKEN

for broken in BROKEN:
    if not (child := os.fork()):
        broken.patch()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(broken.id, status, flush=True)
"""
"""Patches last as long as the process, so each gets one of its own."""


def test_there_are_many_wrong_hosts_and_many_wrong_guests() -> None:
    assert len(HOSTS) >= 14
    assert len(GUESTS) >= 8
    assert {broken.role for broken in HOSTS} == {Role.HOST}
    assert {broken.role for broken in GUESTS} == {Role.GUEST}


def test_every_case_can_fail() -> None:
    assert kills.unkilled(CASES, BROKEN) == []


def test_what_cannot_be_caught_is_a_case_that_nobody_fails() -> None:
    rows = kills.killers(CASES, BROKEN)

    assert [case for case in kills.UNCATCHABLE if rows.get(case) != []] == []


def test_every_broken_implementation_is_caught() -> None:
    assert kills.unknown(CASES, BROKEN) == []
    assert [broken.id for broken in BROKEN if not broken.fails] == []


def test_no_two_are_called_the_same() -> None:
    ids = [broken.id for broken in BROKEN]

    assert len(set(ids)) == len(ids)
    assert CORRECT not in ids


def test_each_says_what_is_wrong_with_it() -> None:
    assert [broken.id for broken in BROKEN if not re.fullmatch(r"[A-Z].*\.", broken.doc)] == []
    assert [broken.id for broken in BROKEN if not broken.rules or set(broken.rules) - set(rules())] == []
    assert [broken.id for broken in BROKEN if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", broken.name)] == []


def test_each_finds_what_it_is_to_change() -> None:
    """Whatever it changes takes what it was written for, as it was when its cases were listed."""
    found = subprocess.run(
        [sys.executable, "-c", PATCHED], check=False, capture_output=True, env={**os.environ, **PYTHON}, timeout=60
    )

    assert found.stderr == b""
    assert found.stdout.decode().splitlines() == [f"{broken.id} 0" for broken in BROKEN]


def test_one_is_found_by_its_id() -> None:
    assert find("host-never-expires") in HOSTS
    assert find(CORRECT) is None


@pytest.mark.parametrize(
    ("id", "hint"),
    [("host-never-expire", "did you mean 'host-never-expires'?"), ("", "--list names them all.")],
    ids=["misspelt", "nothing"],
)
def test_one_that_is_not_there_is_not_found(id: str, hint: str) -> None:
    with pytest.raises(LookupError) as caught:
        find(id)

    assert str(caught.value) == f"There is no broken implementation of this name; {hint}"
