"""Real programs that run for the length of a test, on ports that nobody else is given meanwhile."""

import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

START_SECONDS = 10.0

FIRST_PORT = 10_000
BLOCK_PORTS = 200
"""So many ports belong to one process of tests, until it ends."""

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class _Block:
    """Ports that the system gives to nobody who does not name them, and that no other process of tests takes.

    A block is claimed by a name among the kernel's sockets, which is given back with the last breath of the process.
    """

    def __init__(self) -> None:
        self._claim = socket.socket(socket.AF_UNIX)
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        blocks = [
            range(start, start + BLOCK_PORTS) for start in range(FIRST_PORT, _ephemeral() - BLOCK_PORTS, BLOCK_PORTS)
        ]
        # It looks at its own first.
        mine = next(filter(self._is_ours, blocks[worker:] + blocks[:worker]), range(0))
        self._ports = cycle(mine)
        self._turns = len(mine)

    def next(self) -> int:
        """The next one at which nobody is; 0 where there is none."""
        for _ in range(self._turns):
            port = next(self._ports)
            with socket.socket() as probe, suppress(OSError):
                probe.bind(("", port))
                return port
        return 0

    def _is_ours(self, ports: range) -> bool:
        with suppress(OSError):
            self._claim.bind(f"\0tunnel-test-ports-{ports.start}")
            return True
        return False


def _ephemeral() -> int:
    """The first port that the system gives to whoever names none; 0 where that is not known."""
    try:
        return int(_RANGE.read_text().split()[0])
    except OSError:
        return 0


_block = _Block()


def free_port() -> int:
    """A port at which nobody listens, and that nobody takes before it is used.

    Where the system leaves no room for that, it is only a port that was free a moment ago.
    """
    if port := _block.next():
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    arguments: Sequence[str],
    port: int,
    log: Path,
    address: str = "127.0.0.1",
    environment: Mapping[str, str] | None = None,
) -> Generator["subprocess.Popen[bytes]"]:
    """A program, once it listens at its port. What it says is in the log."""
    with log.open("wb") as output:
        program = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
    try:
        until_it_listens(program, address, port, log)
        yield program
    finally:
        program.kill()
        program.wait()


def until_it_listens(program: "subprocess.Popen[bytes]", address: str, port: int, log: Path) -> None:
    """Wait for a program's port. It tells nobody when it is ready."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and program.poll() is None:
        with socket.socket() as probe:
            # A stranger may be there instead: then our program has ended.
            if probe.connect_ex((address, port)) == 0 and program.poll() is None:
                return
        time.sleep(0.01)
    raise AssertionError(f"{program.args!r} does not listen at {address}:{port}: {log.read_text(errors='replace')}")
