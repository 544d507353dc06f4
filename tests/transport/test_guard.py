"""The guard by itself: it needs nothing but a lifeline, starts in no time, and ends what it guards in every way it can be told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.transport.trees import ENVIRONMENT, act, is_alive, spent
from tunnel.transport import guard

GUARD = Path(guard.__file__)
PATIENCE_SECONDS = 20.0

FAST = (sys.executable, "-I", "-S")
"""How it is run. Tests run it mostly without these options, and it must not matter."""


class Guarded:
    """A guard with the other end of its lifeline."""

    def __init__(self, process: "subprocess.Popen[bytes]", lifeline: socket.socket) -> None:
        self.process = process
        self.lifeline = lifeline
        self._news = lifeline.makefile("r")

    def news(self) -> list[str]:
        """What it says next: a word and a number; nothing when it is gone."""
        return self._news.readline().split()

    def tree(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        self.lifeline.close()
        self._news.close()


@contextmanager
def guarded(
    *command: str, grace: float = 0.3, python: tuple[str, ...] = (sys.executable,), **environment: str
) -> Generator[Guarded]:
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_SECONDS)
    process = subprocess.Popen(
        [*python, str(GUARD), str(theirs.fileno()), str(grace), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        env={**os.environ, **ENVIRONMENT, **environment},
    )
    theirs.close()
    here = Guarded(process, ours)
    try:
        yield here
    finally:
        here.close()
        process.wait(PATIENCE_SECONDS)
        assert process.stdout
        process.stdout.close()


def gone(tree: list[psutil.Process], seconds: float = 2.0) -> bool:
    latest = time.monotonic() + seconds
    while any(is_alive(process) for process in tree) and time.monotonic() < latest:
        time.sleep(0.01)
    return not any(is_alive(process) for process in tree)


def heard(guarded: Guarded) -> None:
    """Wait until the program says that it is here."""
    assert guarded.process.stdout
    assert guarded.process.stdout.readline().startswith(b"here")


@pytest.mark.parametrize(
    ("words", "status"), [(("exits", "0"), "0"), (("exits", "42"), "42"), (("dies", "9"), "-9"), (("dies", "1"), "-1")]
)
def test_it_says_when_a_program_starts_and_how_it_ends(words: tuple[str, ...], status: str) -> None:
    with guarded(*act(*words)) as here:
        assert here.news()[0] == "started"
        assert here.news() == ["ended", status]
        assert here.news() == []
        assert here.process.wait() == 0


@pytest.mark.parametrize(("program", "errno"), [("/no/such/program", "2"), ("/etc/passwd", "13"), ("", "22")])
def test_it_says_why_a_program_does_not_start(program: str, errno: str) -> None:
    with guarded(program) as here:
        assert here.news() == ["failed", errno]
        assert here.process.wait() == 0


@pytest.mark.parametrize("how", ["the lifeline is closed", "nothing more is sent", "SIGTERM", "SIGINT", "SIGHUP"])
def test_it_ends_everything_when_it_is_told_to(how: str) -> None:
    """CLOSE-2."""
    with guarded(*act("family")) as here:
        heard(here)
        tree = here.tree()
        assert len(tree) == 4, "the watcher, and a family of three"
        match how:
            case "the lifeline is closed":
                here.close()
            case "nothing more is sent":
                here.lifeline.shutdown(socket.SHUT_WR)
            case _:
                here.process.send_signal(signal.Signals[how])
        here.process.wait()

        assert gone(tree, 0)
        if how != "the lifeline is closed":
            assert [here.news()[0], here.news()] == ["started", ["ended", "-15"]]


def test_it_is_not_ended_by_what_is_no_question() -> None:
    """A process that it has adopted dies: that is no end."""
    with guarded("/bin/sh", "-c", "(sleep 0.1 &) ; echo here; sleep 0.4; exit 6") as here:
        heard(here)

        assert [here.news()[0], here.news()] == ["started", ["ended", "6"]]


def test_it_gives_time_and_no_more() -> None:
    """CLOSE-2."""
    with guarded(*act("stubborn"), grace=0.5) as here:
        heard(here)
        began = time.monotonic()
        here.lifeline.shutdown(socket.SHUT_WR)

        assert [here.news()[0], here.news()] == ["started", ["ended", "-9"]]
        assert 0.5 <= time.monotonic() - began < 1.5


def test_killed_it_leaves_the_rest_to_its_watcher() -> None:
    """CLOSE-2: also where the kernel tells nobody of a parent's death."""
    with guarded(*act("family"), PYTHONPATH=f"{Path(__file__).parent / 'no_ctypes'}") as here:
        heard(here)
        tree = here.tree()
        here.process.kill()

        assert gone(tree)


def test_without_its_watcher_it_does_its_work() -> None:
    """CLOSE-2."""
    with guarded(*act("stays")) as here:
        heard(here)
        group = int(here.news()[1])
        tree = here.tree()
        next(process for process in tree if process.pid != group).kill()
        here.lifeline.shutdown(socket.SHUT_WR)

        assert here.news() == ["ended", "-15"]
        assert gone(tree, 0)


def test_it_costs_well_under_a_tenth_of_a_second() -> None:
    cost: list[float] = []
    for _ in range(5):
        before = spent()
        with guarded("true", python=FAST) as here:
            assert here.news()[0] == "started"
        cost.append(spent() - before)

    assert 0 < min(cost) < 0.1
