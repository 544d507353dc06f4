"""Stands between this program and one that it runs: when this program is gone, whatever ended it, so is the other (CLOSE-2).

It is run by its path, on POSIX: `python -I -S guard.py LIFELINE GRACE_SECONDS COMMAND...`, and imports nothing that starts
slowly. The lifeline is a socket whose end says that we are gone, or ask; back come `started PID`, `failed ERRNO` and
`ended STATUS`. The command runs in a session of its own, without a terminal. What it starts ends with it, unless it
leaves the process group on purpose, as a daemon does.
"""

import errno
import os
import select
import signal
import sys
import time
from collections.abc import Callable

ASKED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""How the guard itself can be asked to end everything."""

DYING_SECONDS = 0.2
"""How long processes may take to be gone after SIGKILL."""

POLL_SECONDS = 0.01
"""Nobody tells when the last process of a group has gone."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(lifeline: int, grace_seconds: float, command: list[str]) -> None:
    """Run the command until it ends, or until the lifeline or a signal says so; then nothing of its group is left."""
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - it takes no name
    alarm = _alarm()
    prctl = _prctl()
    # Orphans of the group come to us, so that we can tell when they are gone.
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        watcher, pulse = _start_watcher(lifeline)
        group = _start(command, prctl)
    except OSError as error:
        _tell(lifeline, f"failed {error.errno}")
        return
    status = None
    try:
        _tell(pulse, f"{group}")
        _tell(lifeline, f"started {group}")
        status = _wait(group, lifeline, alarm)
    finally:
        status = _end(group, grace_seconds, status)
        _dismiss(watcher)
        _tell(lifeline, f"ended {status}")


def _alarm() -> int:
    """A pipe into which every signal that concerns us is written."""
    alarm, alarm_writer = os.pipe()
    os.set_blocking(alarm, False)
    os.set_blocking(alarm_writer, False)
    signal.set_wakeup_fd(alarm_writer, warn_on_full_buffer=False)
    for number in (*ASKED, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return alarm


def _prctl() -> Callable[[int, int], object]:
    """Linux can do two things more for us; elsewhere, and where Python has no ctypes, the watcher must do."""
    if sys.platform == "linux":
        try:
            import ctypes

            return ctypes.CDLL(None).prctl
        except (ImportError, OSError, AttributeError):
            pass
    return lambda _option, _value: None


def _start_watcher(lifeline: int) -> tuple[int, int]:
    """A process that ends the group when the guard has no time to do so: its number, and the pipe that it listens to."""
    listening, pulse = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        os.close(lifeline)
        os.close(pulse)
        _watch(listening)
    os.close(listening)
    return watcher, pulse


def _watch(listening: int) -> None:
    os.setsid()
    for number in ASKED:
        signal.signal(number, signal.SIG_IGN)
    for stream in (1, 2):
        os.dup2(0, stream)
    group = b""
    while told := os.read(listening, 32):
        group = told
    if group:
        _signal(int(group), signal.SIGKILL)
    os._exit(0)


def _start(command: list[str], prctl: Callable[[int, int], object]) -> int:
    """Start the command; the number of its process and of its group.

    Raises:
        OSError: it cannot be started.
    """
    reading, trouble = os.pipe()
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, guard, trouble, prctl)
    os.close(trouble)
    # Its end is closed by `exec`.
    failed = os.read(reading, 32)
    os.close(reading)
    if failed:
        os.waitpid(child, 0)
        raise OSError(int(failed), "")
    return child


def _become(command: list[str], guard: int, trouble: int, prctl: Callable[[int, int], object]) -> None:
    try:
        os.setsid()
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # What is ignored stays so: Python ignores two signals, and a shell's background jobs ignore SIGINT and SIGQUIT.
        for number in (*ASKED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() == guard:
            os.execvp(command[0], command)  # noqa: S606 - words, and no shell
    except (OSError, ValueError) as error:
        _tell(trouble, f"{getattr(error, 'errno', errno.EINVAL)}")
    finally:
        os._exit(127)


def _wait(group: int, lifeline: int, alarm: int) -> int | None:
    """Wait until the command ends, with its exit status, or until we are asked to end it."""
    while True:
        ready, _, _ = select.select([lifeline, alarm], [], [])
        signals = set(os.read(alarm, 4096)) if alarm in ready else set[int]()
        status = _reap(group, None)
        if status is not None or lifeline in ready or signals & ASKED:
            return status


def _end(group: int, grace_seconds: float, status: int | None) -> int:
    """Ask what is left of the group to end, then end it; the exit status of the command."""
    _signal(group, signal.SIGTERM)
    status = _gone(group, grace_seconds, status)
    _signal(group, signal.SIGKILL)
    status = _gone(group, DYING_SECONDS, status)
    return -signal.SIGKILL if status is None else status


def _gone(group: int, seconds: float, status: int | None) -> int | None:
    latest = time.monotonic() + seconds
    while True:
        status = _reap(group, status)
        if not _signal(group, 0) or time.monotonic() >= latest:
            return status
        time.sleep(POLL_SECONDS)


def _reap(group: int, status: int | None) -> int | None:
    """Bury the dead; the exit status of the command, once it is known."""
    try:
        while (dead := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            if dead[0] == group:
                status = os.waitstatus_to_exitcode(dead[1])
    except ChildProcessError:
        pass
    return status


def _signal(group: int, number: int) -> bool:
    """Whether there was somebody left to signal. On macOS the dead that nobody has buried may not be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _dismiss(watcher: int) -> None:
    try:
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)
    except (ProcessLookupError, ChildProcessError):
        """Somebody else has ended it."""


def _tell(whom: int, what: str) -> None:
    try:
        os.write(whom, f"{what}\n".encode())
    except OSError:
        """Nobody listens any more."""


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
