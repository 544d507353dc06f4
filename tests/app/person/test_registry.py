"""Servers are found by their sockets, which nobody else can reach, and which do not outlive them."""

import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from tunnel.app.person.registry import START_SECONDS, Listening, _address, _born, connect, listen

ME = os.geteuid()


def begin(home: Path, pid: int = 4711, later: float = 0) -> Listening:
    """A server that starts so many seconds from now."""
    return listen(home, pid, os.urandom, ME, lambda: time.time() + later)


def found(home: Path | None) -> list[int]:
    """The processes that answer."""
    servers = connect(home, ME, 1)
    for _, connection in servers:
        connection.close()
    return [pid for pid, _ in servers]


def names(home: Path) -> list[str]:
    return sorted(path.name for path in (home / ".tunnel" / "run").iterdir())


def killed(home: Path, pid: int) -> None:
    """A server that could not take its socket away."""
    dead = begin(home, pid)
    dead.socket.close()


def test_servers_are_found_by_their_process_the_eldest_first(tmp_path: Path) -> None:
    servers = [begin(tmp_path, pid) for pid in (900, 12, 345)]

    assert found(tmp_path) == [900, 12, 345]
    for server in servers:
        server.close()


def test_only_this_user_gets_at_a_socket(tmp_path: Path) -> None:
    server = begin(tmp_path)
    (name,) = names(tmp_path)
    run = tmp_path / ".tunnel" / "run"

    assert stat.S_IMODE((run / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    server.close()


def test_a_server_that_ends_leaves_nothing_behind(tmp_path: Path) -> None:
    server = begin(tmp_path)
    before = names(tmp_path)
    server.close()
    server.close()

    assert len(before) == 1
    assert names(tmp_path) == []
    assert found(tmp_path) == []


def test_what_a_killed_server_leaves_is_not_found_and_the_next_one_sweeps_it(tmp_path: Path) -> None:
    killed(tmp_path, 1)
    living = begin(tmp_path, 2)
    killed(tmp_path, 3)
    seen = found(tmp_path)
    left = names(tmp_path)
    next_one = begin(tmp_path, 4)

    assert seen == [2]
    assert [name.partition("-")[0] for name in left] == ["2", "3"]
    assert [name.partition("-")[0] for name in names(tmp_path)] == ["2", "4"]
    living.close()
    next_one.close()


def test_who_starts_at_the_same_time_sweeps_no_socket_that_does_not_listen_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Listening] = []
    chmod = os.chmod

    def chmod_late(*arguments: Any, **more: Any) -> None:
        """Between the name and the first connection that can be taken, as it happens on a machine that is busy."""
        monkeypatch.setattr(os, "chmod", chmod)
        others.append(begin(tmp_path, 2))
        chmod(*arguments, **more)

    monkeypatch.setattr(os, "chmod", chmod_late)
    server = begin(tmp_path, 1)

    assert sorted(found(tmp_path)) == [1, 2]
    for one in (server, *others):
        one.close()
    assert names(tmp_path) == []


def test_what_is_left_by_who_was_killed_before_it_listened_is_not_found_and_swept_later(tmp_path: Path) -> None:
    living = begin(tmp_path, 1)
    killed(tmp_path, 2)
    (left,) = (tmp_path / ".tunnel" / "run").glob("2-*.sock")
    left = left.rename(left.with_suffix(".new"))
    begin(tmp_path, 3, later=START_SECONDS - 10).close()
    kept = left.exists()
    seen = found(tmp_path)
    begin(tmp_path, 4, later=START_SECONDS + 10).close()

    assert kept
    assert seen == [1]
    assert len(names(tmp_path)) == 1
    living.close()


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "1-00.sock", "x-0011223344556677.sock", "1-0011223344556677.sock", "1-0011223344556677.new"],
)
def test_files_that_are_no_sockets_of_ours_are_left_alone(tmp_path: Path, name: str) -> None:
    begin(tmp_path).close()
    (tmp_path / ".tunnel" / "run" / name).write_text("mine")
    server = begin(tmp_path, 7, later=START_SECONDS + 10)

    assert found(tmp_path) == [7]
    assert name in names(tmp_path)
    server.close()


def test_a_path_that_is_longer_than_a_socket_s_may_be_works(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120)
    home.mkdir()
    server = begin(home)

    assert found(home) == [4711]
    server.close()


def test_where_the_folder_is_not_ours_there_is_no_socket_and_no_server(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".tunnel").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="tunnel"):
        begin(tmp_path)
    with pytest.raises(OSError, match="tunnel"):
        connect(tmp_path, ME, 1)


@pytest.mark.parametrize(("taken", "why"), [("new", "in use"), ("sock", "directory")])
def test_a_socket_that_cannot_be_made_costs_no_descriptor_and_leaves_nothing_behind(
    tmp_path: Path, taken: str, why: str
) -> None:
    (tmp_path / ".tunnel" / "run" / f"1-0000000000000000.{taken}").mkdir(parents=True)
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a folder of descriptors, whose own must be closed

    with pytest.raises(OSError, match=why):
        listen(tmp_path, 1, bytes, ME)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
    assert names(tmp_path) == [f"1-0000000000000000.{taken}"]


def test_without_a_folder_or_a_home_there_are_no_servers(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert found(None) == []


def test_a_name_that_leads_elsewhere_is_neither_followed_nor_removed(tmp_path: Path) -> None:
    begin(tmp_path).close()
    elsewhere = socket.socket(socket.AF_UNIX)
    target = Path("/proc/self/cwd") / os.path.relpath(tmp_path / "s")
    elsewhere.bind(str(target))
    elsewhere.close()
    link = tmp_path / ".tunnel" / "run" / "1-0011223344556677.sock"
    link.symlink_to(tmp_path / "s")
    begin(tmp_path).close()

    assert link.is_symlink()


def test_where_descriptors_have_no_paths_a_socket_is_named_by_its_own(tmp_path: Path) -> None:
    assert _address(3, "1.sock", tmp_path, tmp_path / "nowhere") == str(tmp_path / ".tunnel" / "run" / "1.sock")


def test_a_socket_that_has_just_gone_has_no_age(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    assert _born(folder, "gone") == 0
    os.close(folder)
