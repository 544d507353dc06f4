"""A folder for a download goes with its user; one whose user was killed is swept, one that is used is not."""

import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tunnel.transport.scratch import scratch, sweep

HOLD = """
import sys, pathlib
from tunnel.transport.scratch import scratch
with scratch(pathlib.Path(sys.argv[1])) as folder:
    (folder / "part").touch()
    print(folder.name, flush=True)
    sys.stdin.read()
"""


def names(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir()]


def test_it_is_its_owners_alone_and_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
        assert folder.parent == tmp_path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert names(tmp_path) == []


def test_two_do_not_meet(tmp_path: Path) -> None:
    with scratch(tmp_path) as one, scratch(tmp_path) as another:
        assert one != another


def test_one_that_is_used_by_another_process_is_swept_only_after_its_death(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        name = holder.stdout.readline().strip()
        sweep(tmp_path)
        before = names(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        after = names(tmp_path)
        sweep(tmp_path)

    assert before == after == [name]
    assert names(tmp_path) == []


def test_what_is_no_such_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "cloudflared").touch()
    (tmp_path / ".download-file").touch()
    sweep(tmp_path)
    sweep(tmp_path / "none")
    sweep(tmp_path / "cloudflared")

    assert sorted(names(tmp_path)) == [".download-file", "cloudflared"]


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "bin" / ".download-link").symlink_to(tmp_path / "mine")
    sweep(tmp_path / "bin")

    assert names(tmp_path / "mine") == ["file"]


def test_without_files_left_it_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"), scratch(tmp_path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    sweep(tmp_path)

    assert names(tmp_path) == []


def test_one_that_is_swept_before_it_is_locked_is_made_anew(tmp_path: Path) -> None:
    """Others sweep without a pause: whoever gets a folder keeps it."""
    is_over = threading.Event()

    def sweep_on() -> None:
        while not is_over.is_set():
            sweep(tmp_path)

    sweepers = [threading.Thread(target=sweep_on) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for _ in range(200):
            with scratch(tmp_path, attempts=1000) as folder:
                (folder / "part").touch()
                sweep(tmp_path)
                assert (folder / "part").exists()
    finally:
        is_over.set()
        for sweeper in sweepers:
            sweeper.join()

    assert names(tmp_path) == []


def test_where_every_one_is_swept_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="removed at once"), scratch(tmp_path, attempts=0):
        pass
