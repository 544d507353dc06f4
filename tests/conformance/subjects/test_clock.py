"""How protocol time passes: which speeds, and what an implementation is told."""

import os
import sys
from pathlib import Path

import pytest
from tunnel_conformance.subjects.clock import (
    MAX_SPEED,
    SHORTEST_REAL_SECONDS,
    Clock,
    Constants,
    FakeTime,
    RealTime,
    find_faketime,
    speed_for,
)

from tunnel.spec.v1.constants import AUTH_SECONDS, IDLE_SECONDS, LINK_SECONDS

LIBRARY = Path("/usr/lib/faketime/libfaketime.so.1")


@pytest.mark.parametrize(
    ("deadlines", "speed"),
    [
        ([AUTH_SECONDS, IDLE_SECONDS], 15),
        ([LINK_SECONDS], MAX_SPEED),
        ([], MAX_SPEED),
        ([2.9], 2),
        ([0.5], 1),
        ([0.0], 1),
    ],
    ids=["the shortest counts", "never faster than the fastest", "no deadline", "a fraction", "too short", "none left"],
)
def test_the_shortest_deadline_takes_a_second_at_least(deadlines: list[float], speed: float) -> None:
    assert speed_for(deadlines) == speed
    assert all(deadline / speed >= SHORTEST_REAL_SECONDS for deadline in deadlines if deadline > 1)


@pytest.mark.parametrize(
    ("clock", "kind", "speed"),
    [
        (RealTime(), "real", 1),
        (Constants("SPEED"), "constants", 15),
        (FakeTime(LIBRARY), "faketime", 15),
        (FakeTime(None), "faketime", 1),
    ],
    ids=["real", "constants", "faketime", "missing"],
)
def test_a_clock_goes_as_fast_as_it_can(clock: Clock, kind: str, speed: float) -> None:
    assert clock.kind == kind
    assert clock.speed_for([AUTH_SECONDS]) == speed


def test_what_an_implementation_is_told() -> None:
    assert RealTime().environment(1) == {}
    assert Constants("SPEED").environment(15.0) == {"SPEED": "15"}
    assert Constants("SPEED").environment(1.0) == {"SPEED": "1"}
    assert FakeTime(None).environment(15.0) == {}
    assert FakeTime(LIBRARY).environment(1.0) == {}
    told = FakeTime(LIBRARY).environment(15.0)
    assert (told["LD_PRELOAD"], told["FAKETIME"]) == (str(LIBRARY), "+0 x15")
    told = FakeTime(Path("/opt/libfaketime.1.dylib")).environment(2.0)
    assert (told["DYLD_INSERT_LIBRARIES"], told["FAKETIME"]) == ("/opt/libfaketime.1.dylib", "+0 x2")


def test_a_missing_library_says_how_to_install_it() -> None:
    assert "apt-get install faketime" in str(FakeTime(None).trouble)
    assert (FakeTime(LIBRARY).trouble, RealTime().trouble, Constants("SPEED").trouble) == (None, None, None)


def test_the_library_is_found_beside_its_command(tmp_path: Path) -> None:
    command, library = tmp_path / "bin" / "faketime", tmp_path / "lib" / "faketime" / "libfaketime.1.dylib"
    for file in (command, library):
        file.parent.mkdir(parents=True)
        file.touch()
    command.chmod(0o755)

    assert find_faketime({"PATH": str(command.parent)}, "darwin").library == library


def test_the_library_can_be_named(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    missing = find_faketime({"FAKETIME_LIBRARY": str(library)})
    library.touch()

    assert missing.trouble
    assert find_faketime({"FAKETIME_LIBRARY": str(library)}).library == library


def test_there_is_none_for_other_systems() -> None:
    assert find_faketime({"PATH": ""}, "win32").trouble
    assert sys.platform == "darwin" or find_faketime({"PATH": ""}, "darwin").trouble


@pytest.mark.needs("faketime")
def test_it_is_found_where_it_is_installed() -> None:
    found = find_faketime(os.environ)

    assert found.trouble is None
    assert found.library
    assert found.library.is_file()
    assert sys.platform in ("linux", "darwin")
