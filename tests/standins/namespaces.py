"""Machines of a network of its own: Linux network namespaces, joined by cables, gone when the test is over.

Each machine has the loopback address and one private address for each of its cables, and no way to anybody else. Nobody
forwards packets. A run that was killed leaves its machines behind; the next one takes them away.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

START_SECONDS = 10.0

_ETC = Path("/etc/netns")
_RUN = Path("/run/netns")
_PREFIX = "tunnel-test-"
_LISTENING = "0A"


class Machine:
    """One machine.

    Args:
        namespace: its namespace's name.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.addresses: dict[str, str] = {}
        """Its address on the cable to each other machine."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands in front of a command that is run on it."""
        return ("ip", "netns", "exec", self.namespace)

    def knows(self, names: Mapping[str, str]) -> None:
        """The addresses of names, as its resolver tells them; of any other name it knows nothing."""
        files = {
            "hosts": "".join(f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **names}.items()),
            "nsswitch.conf": "hosts: files\n",
        }
        folder = _ETC / self.namespace
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)

    def unplug(self, cable: str) -> None:
        """Take one end of a cable out: what is sent is lost, and nobody is told."""
        _ip("-n", self.namespace, "link", "set", _interface(cable), "down")

    def run(self, *command: str) -> str:
        """Run a command to its end; what it writes."""
        return subprocess.run([*self.prefix, *command], check=True, capture_output=True, text=True).stdout

    @contextmanager
    def running(self, command: Sequence[str], port: int, log: Path) -> Generator[None]:
        """A program on it, once it listens at its port. What it says is in the log."""
        with log.open("wb") as output:
            program = subprocess.Popen(
                [*self.prefix, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_english()
            )
        try:
            _until_it_listens(program, port, log)
            yield
        finally:
            program.kill()
            program.wait()


@contextmanager
def network(*cables: tuple[str, str]) -> Generator[dict[str, Machine]]:
    """Machines by name, with a cable between each two that are named together."""
    _sweep()
    names = dict.fromkeys(name for cable in cables for name in cable)
    with ExitStack() as undoing:
        machines = {name: undoing.enter_context(_machine(name)) for name in names}
        for number, (left, right) in enumerate(cables):
            _plug(machines, left, right, f"10.77.{number}")
        yield machines


@contextmanager
def _machine(name: str) -> Generator[Machine]:
    namespace = f"{_PREFIX}{os.getpid()}-{name}"
    # Also when making it is interrupted half-way.
    try:
        _ip("netns", "add", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        yield Machine(namespace)
    finally:
        _remove(namespace)


def _plug(machines: Mapping[str, Machine], left: str, right: str, subnet: str) -> None:
    one, other = machines[left], machines[right]
    peer = ("peer", "name", _interface(left), "netns", other.namespace)
    _ip("link", "add", _interface(right), "netns", one.namespace, "type", "veth", *peer)
    for machine, to, host in ((one, right, 1), (other, left, 2)):
        machine.addresses[to] = f"{subnet}.{host}"
        _ip("-n", machine.namespace, "address", "add", f"{subnet}.{host}/24", "dev", _interface(to))
        _ip("-n", machine.namespace, "link", "set", _interface(to), "up")


def _interface(to: str) -> str:
    return f"to-{to}"


def _remove(namespace: str) -> None:
    """Whoever still runs in it is ended: a namespace lives as long as its last process."""
    if (_RUN / namespace).exists():
        for pid in _ip("netns", "pids", namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        _ip("netns", "delete", namespace)
    # The folder around it stays, even when it is empty: another run may be about to write into it.
    shutil.rmtree(_ETC / namespace, ignore_errors=True)


def _sweep() -> None:
    """Take away what is left of runs that were killed."""
    for left in _RUN.glob(f"{_PREFIX}*") if _RUN.exists() else ():
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            try:
                _remove(left.name)
            except AssertionError:
                # Another run may be taking the same one away.
                if not _vanishes(left):
                    raise


def _vanishes(left: Path) -> bool:
    end = time.monotonic() + START_SECONDS
    while left.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return not left.exists()


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def _until_it_listens(program: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait for a program's port. From outside nobody can knock, so the kernel's list is read."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and program.poll() is None:
        if _listens(program.pid, port):
            return
        time.sleep(0.01)
    raise AssertionError(f"{program.args!r} does not listen at port {port}: {log.read_text(errors='replace')}")


def _listens(pid: int, port: int) -> bool:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                # Before `ip` has entered the namespace, it sees ours.
                return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    return False


def _english() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
