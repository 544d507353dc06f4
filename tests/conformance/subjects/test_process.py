"""A process of an implementation, whatever it does: how it fails, and that nothing of it is left."""

import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from tunnel_conformance.subjects import process as processes
from tunnel_conformance.subjects.base import Absent, Babbled, Died, SubjectFault
from tunnel_conformance.subjects.process import LINE_BYTES, MARK, Process

from tests.conformance.subjects.stage import is_running, until
from tests.io.asynchronous import asynchronous

BOUND_SECONDS = 8.0
"""So long anything here may take on a busy machine."""


class Ear:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.faults: list[SubjectFault] = []

    def line(self, line: bytes) -> None:
        self.lines.append(line)

    def fault(self, fault: SubjectFault) -> None:
        self.faults.append(fault)


@asynccontextmanager
async def running(folder: Path, *command: str) -> AsyncGenerator[tuple[Process, Ear]]:
    """A command that runs; at the end nothing of it is left, in bounded time."""
    process, ear = Process(), Ear()
    await process.start(command, {"PATH": os.environ["PATH"], MARK: secrets.token_hex(8)}, folder, ear)
    try:
        yield process, ear
    finally:
        began = time.monotonic()
        await process.end()
        assert time.monotonic() - began < BOUND_SECONDS
        assert process.family() == []
        assert not is_running(process.pid)


async def the_fault(folder: Path, *command: str) -> SubjectFault:
    async with running(folder, *command) as (_, ear):
        await until(lambda: ear.faults)
    assert len(ear.faults) == 1
    return ear.faults[0]


@asynchronous
async def test_lines_go_both_ways(tmp_path: Path) -> None:
    async with running(tmp_path, "cat") as (process, ear):
        process.write(b"one\n\ntwo\nhal")
        process.write(b"f\n")
        await until(lambda: len(ear.lines) == 4)

    assert ear.lines == [b"one", b"", b"two", b"half"]
    assert ear.faults == []


@asynchronous
async def test_it_runs_in_the_folder_and_environment_that_it_is_given_and_in_a_session_of_its_own(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "sh", "-c", "pwd; env | cut -d= -f1; echo $$; sleep 60") as (process, ear):
        await until(lambda: str(process.pid).encode() in ear.lines)
        session = os.getsid(process.pid)

    assert ear.lines[0] == str(tmp_path).encode()
    assert (
        {MARK.encode(), b"PATH"} <= set(ear.lines[1:-1]) <= {MARK.encode(), b"PATH", b"PWD", b"_", b"SHLVL", b"OLDPWD"}
    )
    assert session == process.pid


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/no/such/program"], "no such program"),
        (["no-such-program"], "no such program"),
        (["{folder}/words"], "may not be executed"),
        (["{folder}"], "may not be executed"),
        (["{folder}/no-script"], "needs a first line"),
        (["a\0b"], "null byte"),
        ([], "No command was given"),
    ],
    ids=["no file", "not on PATH", "not executable", "a folder", "no format", "a NUL", "nothing"],
)
@asynchronous
async def test_a_command_that_cannot_be_run_is_absent(tmp_path: Path, command: list[str], says: str) -> None:
    (tmp_path / "words").write_text("hello")
    (tmp_path / "no-script").write_text("hello")
    (tmp_path / "no-script").chmod(0o755)

    with pytest.raises(Absent, match=says):
        async with running(tmp_path, *(word.replace("{folder}", str(tmp_path)) for word in command)):
            pass


@asynchronous
async def test_a_folder_that_is_not_there_and_a_variable_that_cannot_be_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="No such file"):
        await Process().start(["true"], {}, tmp_path / "gone", Ear())
    for name, value in (("", "x"), ("A=B", "x"), ("A", "x\0y")):
        with pytest.raises(Absent, match="cannot be a variable"):
            await Process().start(["true"], {name: value}, tmp_path, Ear())


@pytest.mark.parametrize(
    ("script", "kind", "says"),
    [
        ("exit 0", Died, "ended with status 0"),
        ("echo oops >&2; exit 7", Died, "ended with status 7"),
        ("kill -SEGV $$", Died, "was ended by SIGSEGV"),
        ("kill -40 $$", Died, "was ended by signal 40"),
        ("sleep 60 & exit 1", Died, "ended with status 1"),
        ("exec >&-; sleep 60", Babbled, "closed its stdout and runs on"),
        ("exec cat /dev/zero", Babbled, f"more than {LINE_BYTES} bytes"),
    ],
    ids=["ends", "fails", "crashes", "by a strange signal", "leaves a child", "closes stdout", "a line without end"],
)
@asynchronous
async def test_what_ends_the_conversation_is_named(
    tmp_path: Path, script: str, kind: type[SubjectFault], says: str
) -> None:
    fault = await the_fault(tmp_path, "sh", "-c", script)

    assert type(fault) is kind
    assert says in str(fault)
    assert fault.tail == ("oops" if "oops" in script else "")


@asynchronous
async def test_what_it_says_last_is_heard_before_its_end(tmp_path: Path) -> None:
    async with running(tmp_path, "sh", "-c", "seq 1 20000; echo end; echo the tail >&2") as (_, ear):
        await until(lambda: ear.faults)

    assert ear.lines[-2:] == [b"20000", b"end"]
    assert ear.faults[0].tail == "the tail"


@asynchronous
async def test_a_flood_on_stderr_keeps_its_end_and_harms_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, "sh", "-c", "yes flood | head -c 6000000 >&2; echo done; cat") as (process, ear):
        await until(lambda: ear.lines)
        await until(lambda: process.tail.endswith("flood"))

        assert len(process.tail) < 5000
    assert ear.faults == []


@asynchronous
async def test_a_flood_on_stdout_is_taken_line_by_line_until_it_is_enough(tmp_path: Path) -> None:
    async with running(tmp_path, "yes") as (process, ear):
        await until(lambda: len(ear.lines) > 100_000)
        process.fail(Babbled, "It is enough.")
        heard = len(ear.lines)
        process.fail(Babbled, "It is more than enough.")
        await asyncio.sleep(0)

    assert len(ear.lines) == heard
    assert [str(fault) for fault in ear.faults] == ["It is enough."]


@asynchronous
async def test_a_program_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, "sleep", "60") as (process, ear):
        process.write(b"x" * 1_000_000 + b"\n")

    assert ear.faults == []
    process.write(b"after the end\n")


@asynchronous
async def test_asked_to_end_it_tells_its_status(tmp_path: Path) -> None:
    async with running(tmp_path, "sh", "-c", 'trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done') as (
        process,
        ear,
    ):
        await until(lambda: ear.lines)
        status = await process.stop(BOUND_SECONDS)
        await until(lambda: ear.faults)

    assert status == 5
    assert "status 5 after it was asked to end" in str(ear.faults[0])


@asynchronous
async def test_one_that_does_not_end_when_asked_has_no_status_and_is_ended_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path, "sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.01; done') as (
        process,
        ear,
    ):
        await until(lambda: ear.lines)

        assert await process.stop(0.1) is None
    assert await process.stop(0.1) == -signal.SIGKILL


@asynchronous
async def test_a_stopped_process_is_ended(tmp_path: Path) -> None:
    async with running(tmp_path, "sleep", "60") as (process, _):
        os.kill(process.pid, signal.SIGSTOP)


DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1] + ".new", "w").write(str(os.getpid()))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        os.execve("/bin/sleep", ["sleep", "60"], {} if "bare" in sys.argv else os.environ)
    os._exit(0)
os.wait()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["marked", "bare"])
@asynchronous
async def test_a_daemon_in_a_session_of_its_own_is_ended_too(tmp_path: Path, how: str) -> None:
    note = tmp_path / "pid"
    async with running(tmp_path, sys.executable, "-ISc", DAEMON, str(note), how) as (process, ear):
        await until(lambda: ear.lines)
        await until(note.exists)
        daemon = int(note.read_text())

        assert is_running(daemon)
        assert os.getsid(daemon) != process.pid
        assert {process.pid, daemon} <= set(process.family())
    assert not is_running(daemon)


@asynchronous
async def test_a_daemon_outlives_neither_its_parent_nor_the_guard_that_its_parent_has_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = DAEMON + "\nos.kill(os.getppid(), 9)"
    async with running(tmp_path, sys.executable, "-ISc", script, str(note)) as (process, ear):
        await until(note.exists)
        process.write(b"")
        os.kill(psutil.Process(process.pid).ppid(), signal.SIGKILL)
        await until(lambda: ear.faults)
        daemon = int(note.read_text())

    assert isinstance(ear.faults[0], Died)
    assert not is_running(daemon)


@asynchronous
async def test_a_program_that_multiplies_is_ended(tmp_path: Path) -> None:
    script = "import os, time\nfor _ in range(5): os.fork()\nprint('ready', flush=True)\nwhile True: time.sleep(1)"
    async with running(tmp_path, sys.executable, "-ISc", script) as (process, ear):
        await until(lambda: len(ear.lines) == 32)

        assert len(process.family()) == 32


@asynchronous
async def test_who_is_cancelled_while_it_ends_a_process_still_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, "sh", "-c", 'trap "" TERM; echo ready; while :; do sleep 0.01; done') as (
        process,
        ear,
    ):
        await until(lambda: ear.lines)
        ending = asyncio.create_task(process.end())
        await asyncio.sleep(0)
        ending.cancel()
        await asyncio.wait([ending])

        assert ending.cancelled()
        assert process.family() == []


@asynchronous
async def test_who_is_cancelled_while_it_starts_a_process_leaves_nothing(tmp_path: Path) -> None:
    mark = secrets.token_hex(8)
    for turns in (1, 2, 5, 20):
        process = Process()
        environment = {"PATH": os.environ["PATH"], MARK: mark}
        starting = asyncio.create_task(process.start(["sleep", "60"], environment, tmp_path, Ear()))
        for _ in range(turns):
            await asyncio.sleep(0.001)
        starting.cancel()
        await asyncio.wait([starting])

        assert starting.cancelled() or starting.done()
        if not starting.cancelled():
            await process.end()
        assert process.family() == []


def test_when_the_kit_itself_is_killed_the_program_ends(tmp_path: Path) -> None:
    kit = """
import asyncio, os, sys
from pathlib import Path
from tunnel_conformance.subjects.process import Process
class Ear:
    def line(self, line): print(line.decode(), flush=True)
    def fault(self, fault): print(fault, flush=True)
async def main():
    process = Process()
    await process.start(["sh", "-c", "trap '' TERM HUP; echo $$; while :; do sleep 0.05; done"], dict(os.environ), Path("."), Ear())
    await asyncio.sleep(60)
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with psutil.Popen([sys.executable, "-c", kit], stdout=-1, env=environment, cwd=tmp_path) as running_kit:
        pid = int(running_kit.stdout.readline())
        program = psutil.Process(pid)
        running_kit.kill()
        psutil.wait_procs([program], BOUND_SECONDS)

    assert not is_running(pid)


@asynchronous
async def test_a_guard_that_cannot_start_is_an_absent_command(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="nothing happens"):
        await Process(guard=tmp_path / "no-guard.py").start(["true"], {}, tmp_path, Ear())


@asynchronous
async def test_a_guard_that_is_gone_before_its_start_is_told_is_an_absent_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    spawn = loop.subprocess_exec

    async def late(protocol: Any, *words: Any, **how: Any) -> Any:
        started = await spawn(protocol, *words, **how)
        while started[0].get_returncode() is None or process._lifeline:
            await asyncio.sleep(0.001)
        return started

    monkeypatch.setattr(loop, "subprocess_exec", late)
    process = Process(guard=tmp_path / "no-guard.py")
    with pytest.raises(Absent, match="nothing happens"):
        await process.start(["true"], {}, tmp_path, Ear())


def test_the_longest_answer_holds_a_backlog_twice() -> None:
    assert processes.LONG_LINE_BYTES > 2 * 16_777_216
