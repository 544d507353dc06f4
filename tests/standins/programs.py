"""Real programs that run for the length of a test, on ports of 127.0.0.1."""

import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 10.0


def free_port(address: str = "127.0.0.1") -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind((address, 0))
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
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"{program.args!r} does not listen at {address}:{port}: {log.read_text(errors='replace')}")
