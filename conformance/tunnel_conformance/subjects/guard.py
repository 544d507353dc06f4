"""Stands between the kit and a program that it judges: everything that the program starts ends with it, and with the kit.

It is run by its path, on POSIX: `python -I -S guard.py LIFELINE GRACE_SECONDS FOLDER COMMAND...`, and imports nothing that starts
slowly. The lifeline is a socket. Over it come the program's environment, a `t` for every request to end (SIGTERM), and its
own end, which says that we are gone or want no more; back go `started PID`, `failed ERRNO`, `ended STATUS` and `gone`. The
program has the guard's standard streams to itself, and a session of its own.
"""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import NamedTuple

ENVIRONMENT_END = b"\0\0"
"""Every variable ends with one of them, and the last one with two."""

ASK = b"t"

DYING_SECONDS = 3.0
"""How long processes may take to be gone after SIGKILL."""

POLL_SECONDS = 0.005
"""Nobody tells when the last of many processes has gone."""

_PR_SET_CHILD_SUBREAPER = 36


class Dead(NamedTuple):
    """Who was buried, and who is left."""

    has_command: bool
    has_children: bool


def main(lifeline: int, grace_seconds: float, leaves: str, command: list[str]) -> None:
    """Run the command until the lifeline ends; then nothing that it has started is left, nor the folder, if one is named."""
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - it takes no name
    environment = _read_environment(lifeline)
    alarm = _alarm()
    _adopt_orphans()
    try:
        group = _start(command, environment)
    except OSError as error:
        _tell(lifeline, f"failed {error.errno}")
        return
    # The program alone holds its streams, so that their end is seen.
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    _tell(lifeline, f"started {group}")
    has_ended = _wait(group, lifeline, alarm)
    _end(group, grace_seconds, lifeline, has_ended=has_ended)
    if leaves:
        _remove(leaves)
    _tell(lifeline, "gone")


def _remove(folder: str) -> None:
    """The kit does the same, and more; but it may have been killed."""
    import shutil  # here, because it starts slowly

    for path, folders, _ in os.walk(folder):
        for name in folders:
            inside = os.path.join(path, name)  # noqa: PTH118 - `pathlib` starts slowly
            # Some make their folders read-only. A link may lead out of here.
            if not os.path.islink(inside):  # noqa: PTH114 - the same
                try:
                    os.chmod(inside, 0o700)  # noqa: PTH101 - the same
                except OSError:
                    """It has gone meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)


def _read_environment(lifeline: int) -> dict[bytes, bytes]:
    told = b""
    while not told.endswith(ENVIRONMENT_END):
        more = os.read(lifeline, 65536)
        if not more:
            sys.exit(0)
        told += more
    return dict(entry.split(b"=", 1) for entry in told.strip(b"\0").split(b"\0") if entry)


def _alarm() -> int:
    """A pipe into which a byte is written whenever a child has ended. Nobody but the lifeline ends the guard."""
    alarm, alarm_writer = os.pipe()
    os.set_blocking(alarm, False)
    os.set_blocking(alarm_writer, False)
    signal.set_wakeup_fd(alarm_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return alarm


def _adopt_orphans() -> None:
    """Linux makes us the parent of whoever loses theirs, daemons too. Elsewhere the kit finds them by their environment."""
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        except (ImportError, OSError, AttributeError):
            """As elsewhere."""


def _start(command: list[str], environment: dict[bytes, bytes]) -> int:
    """Start the command; the number of its process and of its group.

    Raises:
        OSError: it cannot be started.
    """
    reading, trouble = os.pipe()
    child = os.fork()
    if child == 0:
        _become(command, environment, trouble)
    os.close(trouble)
    # Its end is closed by `exec`.
    failed = os.read(reading, 32)
    os.close(reading)
    if failed:
        os.waitpid(child, 0)
        raise OSError(int(failed), "")
    return child


def _become(command: list[str], environment: dict[bytes, bytes], trouble: int) -> None:
    try:
        os.setsid()
        # What is ignored stays so in a program that is executed.
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGCHLD,
            signal.SIGPIPE,
            signal.SIGXFSZ,
        ):
            signal.signal(number, signal.SIG_DFL)
        # A crash leaves no file behind.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        os.execvpe(command[0], command, environment)  # noqa: S606 - words, and no shell
    except OSError as error:
        os.write(trouble, b"%d" % (error.errno or 0))
    os._exit(127)


def _wait(group: int, lifeline: int, alarm: int) -> bool:
    """Wait for the lifeline's end; whether the command has ended by then."""
    has_ended = False
    while True:
        ready, _, _ = select.select([lifeline, alarm], [], [])
        if alarm in ready:
            os.read(alarm, 4096)
        has_ended |= _reap(group, lifeline).has_command
        if lifeline in ready:
            if not _is_asked(lifeline):
                return has_ended
            _signal_group(group)


def _is_asked(lifeline: int) -> bool:
    try:
        return bool(os.read(lifeline, 64))
    except OSError:
        return False


def _end(group: int, grace_seconds: float, lifeline: int, *, has_ended: bool) -> None:
    """Ask everybody to end, then end them."""
    if not has_ended:
        _signal_group(group)
        latest = time.monotonic() + grace_seconds
        while _family(group) and time.monotonic() < latest:
            _reap(group, lifeline)
            time.sleep(POLL_SECONDS)
    latest = time.monotonic() + DYING_SECONDS
    held: set[int] = set()
    while (family := _family(group)) and time.monotonic() < latest:
        # Who is stopped starts nobody else: the family is known before the first of it is killed.
        for pid in family - held:
            _signal(pid, signal.SIGSTOP)
        if family <= held:
            for pid in family:
                _signal(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        held |= family
        _reap(group, lifeline)
    # Whose number stands in the list of processes still counts as alive.
    while _reap(group, lifeline).has_children and time.monotonic() < latest:
        time.sleep(POLL_SECONDS)


def _family(group: int) -> set[int]:
    """Everybody who descends from us, or is in the command's group."""
    listed = _processes()
    family = {pid for pid, (_parent, of_group) in listed.items() if of_group == group}
    parents = family | {os.getpid()}
    while parents:
        parents = {pid for pid, (parent, _group) in listed.items() if parent in parents} - family
        family |= parents
    return family


def _processes() -> dict[int, tuple[int, int]]:
    """Every living process: its parent and its group."""
    if sys.platform != "linux":
        return _listed_by_ps()
    listed: dict[int, tuple[int, int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - `pathlib` starts slowly
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:  # noqa: PTH123 - the same
                    state, parent, group, *_ = stat.read().rpartition(b")")[2].split(maxsplit=3)
            except (OSError, ValueError):
                continue
            if state not in (b"Z", b"X"):
                listed[int(entry)] = int(parent), int(group)
    return listed


def _listed_by_ps() -> dict[int, tuple[int, int]]:
    with subprocess.Popen(["/bin/ps", "-axo", "pid=,ppid=,pgid=,stat="], stdout=subprocess.PIPE) as ps:
        lines = ps.communicate()[0].decode("ascii", "replace").splitlines()
    rows = [line.split() for line in lines]
    return {int(row[0]): (int(row[1]), int(row[2])) for row in rows if int(row[0]) != ps.pid and row[3][0] != "Z"}


def _reap(group: int, lifeline: int) -> Dead:
    """Bury the dead."""
    has_command = False
    try:
        while (dead := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            if dead[0] == group:
                has_command = True
                _tell(lifeline, f"ended {os.waitstatus_to_exitcode(dead[1])}")
    except ChildProcessError:
        return Dead(has_command=has_command, has_children=False)
    return Dead(has_command=has_command, has_children=True)


def _signal_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        """Nobody is left."""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        """It has ended meanwhile."""


def _tell(lifeline: int, what: str) -> None:
    try:
        os.write(lifeline, f"{what}\n".encode())
    except OSError:
        """Nobody listens any more."""


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:])
