"""The display name: what git says is bounded and made visible, whatever git is."""

import asyncio
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.app.processes import gone
from tunnel.app.identity import LINE_BYTES, display_name, first_line, system_user
from tunnel.spec.v1.constants import NAME_BYTES

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 10.0
SOON_SECONDS = 0.3


def python(program: str) -> list[str]:
    return [sys.executable, "-S", "-c", program]


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


async def said(line: bytes) -> str:
    async def git() -> bytes:
        return line

    return await display_name("", git, lambda: "")


# --- Which name ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("git", "user", "name"),
    [
        (b"Alice Doe\n", "alice", "Alice Doe"),
        (b"", "alice", "alice"),
        (b"  \n", " alice ", "alice"),
        (b"", "", "anonymous"),
    ],
    ids=["git's", "the system's", "the system's when git's is blank", "nobody's"],
)
async def test_the_first_that_has_a_name_gives_it(git: bytes, user: str, name: str) -> None:
    async def ask() -> bytes:
        return git

    assert await display_name(" ", ask, lambda: user) == name


async def test_a_name_that_is_wanted_is_taken_and_nobody_is_asked_for_another() -> None:
    """NAME-1."""

    async def never() -> bytes:
        raise AssertionError

    assert await display_name(" A. \u202eN. Other ", never, lambda: "alice") == "A. \\u202eN. Other"
    assert len((await display_name("x" * 4096, never)).encode()) <= NAME_BYTES


async def test_a_hostile_name_becomes_visible() -> None:
    assert await said(b"Al\xe2\x80\xaeice\x1b[2J") == "Al\\u202eice\\u001b[2J"


async def test_bytes_that_are_no_text_are_replaced() -> None:
    assert await said(b"\xff\xed\xa0\x80Alice") == "\ufffd" * 4 + "Alice"


async def test_a_long_name_is_cut() -> None:
    assert len((await said(b"x" * LINE_BYTES)).encode()) <= NAME_BYTES


async def test_a_hostile_user_name_becomes_visible() -> None:
    async def git() -> bytes:
        return b""

    name = await display_name("", git, lambda: "ali\nce\udcff")

    assert name.startswith("ali\\nce")
    assert name.encode("utf-8").decode("utf-8").isprintable()


async def test_the_system_knows_a_user_or_none() -> None:
    assert isinstance(system_user(), str)


@pytest.mark.needs("git")
async def test_git_is_asked_for_its_user_name(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[user]\n\tname = Grace Höpper\n")
    command = ["env", f"GIT_CONFIG_GLOBAL={config}", f"GIT_DIR={tmp_path}", "git", "config", "user.name"]

    assert (await first_line(command)).decode() == "Grace Höpper"


# --- Whatever git is -----------------------------------------------------------------------------------------------------


async def test_the_first_line_is_taken() -> None:
    assert await first_line(shell("printf 'Alice\\nsecond\\n'")) == b"Alice"


async def test_a_line_without_an_end_is_taken_when_the_output_ends() -> None:
    assert await first_line(shell("printf Alice")) == b"Alice"


@pytest.mark.parametrize(
    "command",
    [
        ["/nonexistent/git"],
        shell("exit 1"),
        shell("echo Alice; exit 1"),
        shell(f"echo Alice; kill -{signal.SIGTERM.value} $$"),
        shell("exit 0"),
    ],
    ids=["is not there", "fails", "prints and fails", "is killed", "prints nothing"],
)
async def test_a_git_that_does_not_do_its_job_gives_no_name(command: list[str]) -> None:
    assert await first_line(command) == b""


async def test_a_git_that_hangs_is_given_up_and_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = shell(f"sleep 60 & echo $$ $! > {shlex.quote(str(pids))}; sleep 60")
    began = time.monotonic()

    assert await first_line(command, seconds=SOON_SECONDS) == b""

    assert SOON_SECONDS <= time.monotonic() - began < PATIENCE_SECONDS
    for pid in pids.read_text().split():
        await gone(int(pid))


async def test_a_git_whose_children_keep_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = shell(f"sleep 60 & echo $! > {shlex.quote(str(pid_file))}; echo Alice")
    began = time.monotonic()
    try:
        assert await first_line(command, seconds=PATIENCE_SECONDS) == b"Alice"
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)

    assert time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_a_git_that_prints_lines_without_end_gives_no_name() -> None:
    command = python("import sys\nwhile True: sys.stdout.write('y\\n' * 65536)")

    # It must have begun to print before it is given up.
    assert await first_line(command, seconds=2) == b""


async def test_a_git_that_prints_a_line_without_end_gives_no_name_as_soon_as_that_is_known() -> None:
    command = python("import sys\nwhile True: sys.stdout.write('x' * 65536)")
    began = time.monotonic()

    assert await first_line(command, seconds=PATIENCE_SECONDS) == b""

    assert time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_who_stops_asking_does_not_wait_for_git(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    asking = asyncio.create_task(
        first_line(shell(f"echo $$ > {shlex.quote(str(pid_file))}; sleep 60"), PATIENCE_SECONDS)
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
            await asyncio.sleep(0.01)

    asking.cancel()
    await asyncio.wait([asking], timeout=1)

    assert asking.cancelled()
    await gone(int(pid_file.read_text()))
