"""A program that runs for a transport never outlives us, whatever it does and whatever ends us; and it cannot hold us up."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path

import psutil
import pytest

from tests.io.asynchronous import asynchronous, until
from tests.transport.trees import ENVIRONMENT, GONE_SECONDS, HERE, act, all_gone, family, line, program, running, spent
from tunnel.transport import child as child_module
from tunnel.transport.base import TransportError
from tunnel.transport.child import GRACE_SECONDS, LINE_BYTES, LONGEST_SECONDS, Child, _kill, _spawn

STOP_SECONDS = 1.5
"""What the end of this process may take in all."""


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def collected(child: Child) -> list[str]:
    return [text async for text in child.lines()]


# --- What it is given ------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_program_has_no_input_no_terminal_no_file_of_ours_and_a_session_of_its_own() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    child = await Child.start(act("surroundings"), {**ENVIRONMENT, "MARK": "a mark"})
    said = dict(text.split(" ", 1) for text in await collected(child) if " " in text)
    os.close(reading)
    os.close(writing)

    assert said["stdin"] == "''"
    assert said["files"].split()[:3] == ["0", "1", "2"]
    assert str(writing) not in said["files"].split()[3:]
    assert (said["leads"], said["terminal"], said["MARK"]) == ("True", "no", "a mark")
    # Python itself ignores these two.
    assert set(said["ignored"].split()) == {"SIGPIPE", "SIGXFSZ"}


@asynchronous
async def test_what_it_writes_on_both_streams_is_read() -> None:
    child = await Child.start(["/bin/sh", "-c", "echo out; echo err >&2; echo end"], ENVIRONMENT)

    assert await collected(child) == ["out", "err", "end"]


# --- How it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status"),
    [(("exits", "0"), 0), (("exits", "7", "sorry"), 7), (("dies", "9"), -9), (("dies", "15"), -15)],
    ids=["well", "with a status", "killed", "by a signal"],
)
@asynchronous
async def test_its_end_is_told(words: tuple[str, ...], status: int) -> None:
    child = await Child.start(act(*words), ENVIRONMENT)

    assert await child.exited == status
    assert await collected(child) == list(words[2:])


@asynchronous
async def test_it_is_asked_to_end_and_its_last_words_are_heard() -> None:
    """CLOSE-2."""
    async with running(*act("tidy")) as child:
        await line(child, "here")
        await child.stop()

        assert await child.exited == 3
        assert await collected(child) == ["tidied"]


@asynchronous
async def test_one_that_ignores_it_is_killed_a_moment_later() -> None:
    """CLOSE-2."""
    async with running(*act("stubborn")) as child:
        await line(child, "here")
        began = time.monotonic()
        await child.stop()

        assert GRACE_SECONDS <= time.monotonic() - began < STOP_SECONDS
        assert await child.exited == -signal.SIGKILL


@asynchronous
async def test_its_children_end_with_it() -> None:
    """CLOSE-2."""
    child = await Child.start(act("family"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    group = program(child, tree)
    assert (len(tree), len(group)) == (5, 3), "guard, watcher, and a family of three"
    await child.stop()

    assert await all_gone(group, 0)
    assert await all_gone(tree)


@asynchronous
async def test_what_it_leaves_behind_ends_soon_after_it() -> None:
    """CLOSE-2."""
    child = await Child.start(act("leaves_family"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    group = program(child, tree)
    assert group

    assert await child.exited == 5
    assert await all_gone(group, 0)
    assert await all_gone(tree)


@asynchronous
async def test_a_child_that_stands_still_is_ended() -> None:
    """CLOSE-2."""
    async with running(*act("stays")) as child:
        await line(child, "here")
        assert child._group
        os.kill(child._group, signal.SIGSTOP)
        await until(lambda: psutil.Process(child._group).status() == psutil.STATUS_STOPPED)
        await child.stop()

        assert await child.exited == -signal.SIGKILL


@asynchronous
async def test_it_can_be_stopped_twice_and_by_two() -> None:
    async with running(*act("stays")) as child:
        await asyncio.gather(child.stop(), child.stop())
        await child.stop()

        assert await child.exited == -signal.SIGTERM


@asynchronous
async def test_a_stop_goes_on_when_its_waiter_is_cancelled() -> None:
    """CLOSE-2."""
    async with running(*act("stubborn")) as child:
        await line(child, "here")
        stopping = asyncio.ensure_future(child.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait([stopping])

        assert stopping.cancelled()
        assert await child.exited == -signal.SIGKILL


@asynchronous
async def test_whoever_gives_up_waiting_for_its_end_disturbs_nobody() -> None:
    child = await Child.start(act("stays"), ENVIRONMENT)
    child.exited.cancel()
    await child.stop()

    assert child.exited.cancelled()


@asynchronous
async def test_its_end_is_seen_while_a_daemon_holds_its_output(tmp_path: Path) -> None:
    daemon = "import os; os.setsid(); print('here', os.getpid(), flush=True)\nwhile True: os.write(1, b'x')"
    told = tmp_path / "told"
    os.mkfifo(told)
    # Its parent ends once it is told: by then the daemon has a session of its own.
    parent = ["/bin/sh", "-c", '"$0" -S -c "$1" & read -r _ < "$2"', sys.executable, daemon, str(told)]
    child = await Child.start(parent, ENVIRONMENT)
    here = psutil.Process(int((await line(child, "here")).split()[1]))
    telling = os.open(told, os.O_RDWR)
    os.write(telling, b"end\n")
    status = await asyncio.wait_for(child.exited, 10)
    os.close(telling)

    assert status == 0
    # What it left on purpose lives on, until it writes to where nobody reads.
    assert await all_gone([here])


@asynchronous
async def test_what_still_stands_in_the_pipe_is_read_at_the_end() -> None:
    child = await Child.start(["/bin/sh", "-c", "sleep 0.1; echo late"], ENVIRONMENT)
    asyncio.get_running_loop().remove_reader(child._pipe)
    await child.exited

    assert await collected(child) == ["late"]


@asynchronous
async def test_a_word_on_the_lifeline_is_taken_for_its_end() -> None:
    child = await Child.start(act("stays"), ENVIRONMENT)
    await line(child, "here")
    child._lifeline.send(b"?")

    assert await child.exited == -signal.SIGTERM


@asynchronous
async def test_nobody_is_left_to_kill_in_a_group_that_is_gone() -> None:
    child = await Child.start(["true"], ENVIRONMENT)
    await child.exited

    assert child._group
    assert not _kill(child._group)


# --- How it starts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("/no/such/program", "No such file or directory"),
        ("no-such-program", "No such file or directory"),
        ("/etc/passwd", "Permission denied"),
        ("", "Invalid argument"),
        ("a\0b", "embedded null byte"),
        ("\x1b[2J" + "x" * 5000, "File name too long"),
    ],
    ids=["a missing file", "a missing name", "no program", "no name", "a null byte", "hostile"],
)
@asynchronous
async def test_one_that_cannot_be_started_is_said_with_why_and_what_to_do(program: str, reason: str) -> None:
    with pytest.raises(TransportError) as caught:
        await Child.start([program], ENVIRONMENT)

    said = str(caught.value)
    assert reason in said
    assert "Check that it is installed" in said
    assert said.isprintable()
    assert len(said) < 300


@asynchronous
async def test_an_environment_that_is_none_is_said() -> None:
    with pytest.raises(TransportError, match="illegal environment variable name"):
        await Child.start(["true"], {"A=B": "c"})


@asynchronous
async def test_without_files_left_nothing_is_started_and_nothing_is_lost() -> None:
    before = open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One more for each number that may be free below the highest.
    held = [os.dup(0) for _ in range(3)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(held) + 1, hard))
    try:
        for held_fd in held:
            with pytest.raises(TransportError, match="Too many open files"):
                await Child.start(["true"], ENVIRONMENT)
            os.close(held_fd)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert open_files() == before


@asynchronous
async def test_one_that_does_not_start_in_time_is_said_and_ended() -> None:
    with pytest.raises(TransportError, match="nothing happens for 0 s"):
        await Child.start(act("stays"), ENVIRONMENT, 0)

    assert psutil.Process().children() == []


def test_windows_is_told_so() -> None:
    """It claims nothing of what else works there."""
    with pytest.raises(TransportError, match=r"Windows.*WSL\.$"):
        _spawn(["true"], ENVIRONMENT, "win32")


@pytest.mark.parametrize("seconds", [None, 0, 0.004, 0.008])
@asynchronous
async def test_a_start_that_is_cancelled_leaves_nothing(seconds: float | None) -> None:
    """CLOSE-2."""
    us = psutil.Process()
    before = set(us.children(recursive=True))
    starting = asyncio.ensure_future(Child.start(act("stubborn"), ENVIRONMENT))
    if seconds is not None:
        await asyncio.sleep(seconds)
    starting.cancel()
    await asyncio.wait([starting])

    assert starting.cancelled()
    assert await all_gone(list(set(us.children(recursive=True)) - before), 0)


@asynchronous
async def test_it_starts_fast() -> None:
    """What the guard costs is not felt."""
    cost: list[float] = []
    for _ in range(5):
        before = spent()
        child = await Child.start(["true"], ENVIRONMENT)
        await child.exited
        # What it cost is known once it is buried, which is not waited for on a busy machine.
        child._guard.wait()
        cost.append(spent() - before)

    assert 0 < min(cost) < 0.1


# --- What it writes --------------------------------------------------------------------------------------------------


@asynchronous
async def test_binary_comes_out_visible() -> None:
    async with running(*act("writes", "1", r"\x1b[2J\xff\x00\xe2\x80\xae")) as child:
        text = await line(child)

        assert text == "\\u001b[2J\ufffd\\u0000\\u202e"


@pytest.mark.parametrize("part", ["x", r"\x1b", r"\xff"], ids=["text", "control", "no text"])
@asynchronous
async def test_output_without_a_line_break_is_cut_and_what_follows_is_heard(part: str) -> None:
    async with running(*act("writes", "3000000", part)) as child:
        first = await line(child)

        assert len(first) <= LINE_BYTES * len(r"\u001b")
        assert await line(child) == "written"


@asynchronous
async def test_a_flood_that_nobody_reads_blocks_nobody_and_takes_no_memory() -> None:
    tracemalloc.start()
    async with running(*act("writes", "30000", r"a line of a flood\n")) as child:
        # Far more than a pipe holds: it gets to its end only if somebody reads.
        await asyncio.wait_for(line(child, "written"), 20)
        _, most = tracemalloc.get_traced_memory()
    async with running(*act("floods")) as flood:
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await flood.stop()

        assert time.monotonic() - began < STOP_SECONDS
    tracemalloc.stop()

    assert most < 4_000_000


@asynchronous
async def test_before_and_after_a_reader_it_is_not_held_up() -> None:
    async with running(*act("writes", "20000", r"a line of a flood\n")) as child:
        await line(child)
        await until(lambda: b"written" in child._output._lines)

        assert await line(child, "written")


@asynchronous
async def test_news_that_are_none_change_nothing() -> None:
    async with running(*act("stays")) as child:
        await line(child, "here")
        child._hear()
        child._read()

        assert not child.exited.done()


@asynchronous
async def test_one_that_closes_its_output_goes_on() -> None:
    async with running("/bin/sh", "-c", "echo here; exec >&- 2>&-; sleep 60") as child:
        await line(child, "here")
        reading = asyncio.ensure_future(collected(child))
        await asyncio.sleep(0)
        assert not reading.done()
        await child.stop()

        assert await reading == []


# --- What ends us, or the guard --------------------------------------------------------------------------------------


@asynchronous
async def test_a_guard_that_is_killed_takes_everything_with_it() -> None:
    """CLOSE-2."""
    child = await Child.start(act("family"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    child._guard.kill()

    assert await child.exited == -signal.SIGKILL
    assert await all_gone(tree)
    await child.stop()


@asynchronous
async def test_guard_and_watcher_killed_take_everything_with_them() -> None:
    """CLOSE-2."""
    child = await Child.start(act("family"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    watcher = next(process for process in tree if process.ppid() == child._guard.pid and process.pid != child._group)
    watcher.kill()
    child._guard.kill()

    assert await child.exited == -signal.SIGKILL
    assert await all_gone(tree)


@asynchronous
async def test_a_guard_that_stands_still_is_killed() -> None:
    """CLOSE-2."""
    child = await Child.start(act("family"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    child._guard.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    await child.stop()

    assert time.monotonic() - began < LONGEST_SECONDS + 0.5
    assert await child.exited == -signal.SIGKILL
    assert await all_gone(tree)


@asynchronous
async def test_a_guard_that_is_killed_before_it_has_begun_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "guard.py"
    slow.write_text("import time\ntime.sleep(60)\n")

    def spawn(
        command: Sequence[str], environment: Mapping[str, str]
    ) -> tuple["subprocess.Popen[bytes]", socket.socket, FileIO]:
        spawned = _spawn(command, environment)
        spawned[0].kill()
        return spawned

    monkeypatch.setattr(child_module, "_GUARD", slow)
    monkeypatch.setattr(child_module, "_spawn", spawn)

    with pytest.raises(TransportError, match="its guard was ended"):
        await Child.start(act("stays"), ENVIRONMENT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@asynchronous
async def test_a_guard_that_is_asked_to_end_ends_everything(number: int) -> None:
    """CLOSE-2."""
    child = await Child.start(act("stays"), ENVIRONMENT)
    await line(child, "here")
    tree = family(child)
    child._guard.send_signal(number)

    assert await child.exited == -signal.SIGTERM
    assert await all_gone(tree)


@pytest.mark.parametrize(
    "whom",
    ["us", "us, after a stop", "us and the guard", "us, the guard and the watcher"],
)
@asynchronous
async def test_when_this_process_is_killed_nothing_is_left(whom: str) -> None:
    """CLOSE-2: what only the kernel can end is the program itself, where it can."""
    owner = subprocess.Popen(  # noqa: ASYNC220 - as quick as it gets
        [sys.executable, str(HERE / "owner.py"), *act("family")], stdout=subprocess.PIPE, env=ENVIRONMENT
    )
    assert owner.stdout
    guard, group = map(int, owner.stdout.readline().split())
    tree = psutil.Process(owner.pid).children(recursive=True)
    watcher = next(process.pid for process in tree if process.ppid() == guard and process.pid != group)
    killed = {"us": [], "us, after a stop": [], "us and the guard": [guard]}.get(whom, [watcher, guard])
    if whom == "us, after a stop":
        owner.send_signal(signal.SIGSTOP)
    for pid in (owner.pid, *killed):
        os.kill(pid, signal.SIGKILL)
    owner.stdout.close()
    owner.wait()
    if watcher in killed:
        spared = [process for process in tree if process.pid not in (group, guard, watcher)]
        tree = [process for process in tree if sys.platform == "linux" and process not in spared]
        gone = await all_gone(tree)
        for process in spared:
            process.kill()
        assert gone
    else:
        assert await all_gone(tree, GONE_SECONDS)
