"""A measured program is a process of its own, kept to one core, and asked things line by line, one JSON object each way.

The asker's side is `Child`; the asked side is `answer_lines` for a program that blocks, `answer` for one on an event loop.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, TypeAlias

from tests.app.processes import environment

Answer: TypeAlias = dict[str, Any]  # JSON between two programs of ours
Handlers: TypeAlias = Mapping[str, Callable[..., Answer]]

MEASURED_CORE: Final = 0
OTHER_CORE: Final = 1


def keep_to(core: int | None) -> None:
    """Run on this core only, where the system can do that and has so many."""
    if core is not None and hasattr(os, "sched_setaffinity") and core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


class Child:
    """A module of this folder, as a process.

    Args:
        module: its name, below `tests.bench`.
        core: the only one on which it runs.
        arguments: its command line.
    """

    def __init__(self, module: str, core: int | None, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.bench.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            preexec_fn=lambda: keep_to(core),  # noqa: PLW1509 - there is no other thread in the asking process
        )
        self.hello = self._read()
        """What it says when it is ready."""

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def ask(self, command: str, **arguments: object) -> Answer:
        """What it answers to a command."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def finish(self) -> None:
        """Ask no more, and wait until it has ended by itself."""
        self._process.communicate()
        assert not self._process.returncode, f"{self._process.args} has ended with {self._process.returncode}"

    def end(self) -> None:
        """Have it end, and wait for that."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Answer:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"{self._process.args} has ended with {self._process.wait()}; run it by hand to see why"
        return json.loads(line)


@contextmanager
def child(module: str, core: int | None, *arguments: str) -> Generator[Child]:
    """A process, which is gone at the end."""
    started = Child(module, core, *arguments)
    try:
        yield started
    finally:
        started.end()


def say(answer: Answer) -> None:
    """Tell the asker something."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def answer_lines(hello: Answer, handlers: Handlers) -> None:
    """Answer until nobody asks any more."""
    say(hello)
    for line in sys.stdin:
        _handle(line, handlers)


async def answer(hello: Answer, handlers: Handlers) -> None:
    """Answer until nobody asks any more, beside everything else on the event loop."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(hello)
    async for line in reader:
        _handle(line, handlers)


def run(serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run on asyncio's own event loop, or on the one that the command line names."""
    loop = import_module(sys.argv[1]).new_event_loop if sys.argv[1:] else None
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(serve())


def cpu() -> Answer:
    """How many seconds of CPU this process has used, its threads included."""
    return {"seconds": time.process_time()}


def _handle(line: str | bytes, handlers: Handlers) -> None:
    request = json.loads(line)
    say(handlers[request.pop("command")](**request))
