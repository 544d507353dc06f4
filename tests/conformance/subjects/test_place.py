"""Where an implementation runs, and that nothing of it stays."""

import os
from pathlib import Path

import pytest
from tunnel_conformance.subjects.place import SETTINGS, Place
from tunnel_conformance.subjects.process import MARK

DEAD_PID = 2**22 + 1
"""Above the largest number that Linux gives to a process."""


@pytest.fixture
def shared_memory(tmp_path: Path) -> Path:
    return tmp_path


def environment_of(inherited: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    place = Place(inherited, given)
    place.remove()
    return place.environment


def test_settings_proxies_folders_and_clocks_of_the_tester_are_left_out() -> None:
    inherited = {
        "PATH": "/bin",
        "LANG": "C",
        "HOME": "/home/me",
        "TMPDIR": "/home/me/tmp",
        "TUNNEL_TRANSPORT": "command",
        "TUNNEL_COMMAND": "rm",
        "HTTP_PROXY": "http://proxy",
        "https_proxy": "http://proxy",
        "LD_PRELOAD": "libfaketime.so.1",
        "FAKETIME": "+1d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "XDG_CONFIG_HOME": "/home/me/.config",
        "XDG_RUNTIME_DIR": "/run/user/1",
    }

    environment = environment_of(inherited, {})

    private = {name: environment.pop(name) for name in ("HOME", "TMPDIR", "TMP", "TEMP", "PATH", MARK)}
    assert environment == {"LANG": "C", "XDG_RUNTIME_DIR": "/run/user/1", **SETTINGS}
    assert private["PATH"].endswith("/bin:/bin")
    assert not any("/home/me" in value for value in private.values())


def test_what_the_user_gives_goes_before_everything_but_the_stand_in_and_the_mark() -> None:
    given = {"HOME": "/mine", "TUNNEL_TRANSPORT": "cloudflared", "PATH": "/mine/bin", MARK: "mine"}

    environment = environment_of({"PATH": "/bin"}, given)

    assert (environment["HOME"], environment["TUNNEL_TRANSPORT"]) == ("/mine", "cloudflared")
    assert environment["PATH"].endswith("/bin:/mine/bin")
    assert len(environment[MARK]) == 32


def test_two_places_share_nothing() -> None:
    one, other = environment_of({}, {}), environment_of({}, {})

    assert {name for name in one if one[name] == other[name]} == set(SETTINGS)


def test_its_folders_are_private_and_go_with_it_also_those_that_were_made_read_only() -> None:
    place = Place({}, {})
    mode = place.folder.stat().st_mode & 0o777
    home = Path(place.environment["HOME"])
    locked = home / "cache" / "locked"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    (home / "away").symlink_to("/")
    locked.chmod(0o500)
    locked.parent.chmod(0o500)

    place.remove()
    place.remove()

    assert mode == 0o700
    assert not place.folder.exists()


@pytest.mark.parametrize("kind", ["faketime_shm_", "sem.faketime_sem_", "faketime_sem_"])
def test_what_libfaketime_leaves_of_dead_processes_is_removed(shared_memory: Path, kind: str) -> None:
    place = Place({}, {}, shared_memory)
    left_over, alive = shared_memory / f"{kind}{DEAD_PID}", shared_memory / f"{kind}{os.getpid()}"
    older, foreign, nameless = (
        shared_memory / f"{kind}{DEAD_PID + 1}",
        shared_memory / f"other{DEAD_PID}",
        shared_memory / f"{kind}x",
    )
    for file in (left_over, alive, older, foreign, nameless):
        file.touch()
    os.utime(older, (0, 0))

    place.remove()

    assert set(shared_memory.iterdir()) == {alive, older, foreign, nameless}


def test_a_machine_without_shared_memory_has_no_left_overs(tmp_path: Path) -> None:
    place = Place({}, {}, tmp_path / "missing")

    place.remove()

    assert not place.folder.exists()
