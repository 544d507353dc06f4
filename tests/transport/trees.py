"""Processes that tests start, and whether any of them is left."""

import asyncio
import os
import resource
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tunnel.transport.child import Child

HERE = Path(__file__).parent
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

GONE_SECONDS = 2.0
"""The longest that a tree may take to be gone."""


def act(*words: str) -> list[str]:
    """The command of a program in acts.py."""
    return [sys.executable, "-S", str(HERE / "acts.py"), *words]


@asynccontextmanager
async def running(*command: str) -> AsyncGenerator[Child]:
    """A child; in the end it is stopped, and nothing of its tree is left."""
    child = await Child.start(command, ENVIRONMENT)
    tree = family(child)
    try:
        yield child
    finally:
        await child.stop()
        assert await all_gone(tree)


def family(child: Child) -> list[psutil.Process]:
    """The guard, and everything below it."""
    guard = psutil.Process(child._guard.pid)
    return [guard, *guard.children(recursive=True)]


def program(child: Child, tree: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Of its tree what is in its process group: without guard and watcher."""
    return [process for process in tree if _group(process) == child._group]


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None


def spent() -> float:
    """The seconds of processors that processes have cost which are gone: no other process adds to them."""
    of = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of.ru_utime + of.ru_stime


def is_alive(process: psutil.Process) -> bool:
    """Dead and not yet waited for by whoever adopts it, a process is a zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def all_gone(tree: Sequence[psutil.Process], seconds: float = GONE_SECONDS) -> bool:
    """Whether the processes are gone in time."""
    latest = time.monotonic() + seconds
    while any(is_alive(process) for process in tree):
        if time.monotonic() > latest:
            return False
        await asyncio.sleep(0.01)
    return True


async def line(child: Child, begins: str = "") -> str:
    """The next line of its output that begins so."""
    async for text in child.lines():
        if text.startswith(begins):
            return text
    raise AssertionError(f"no line begins with {begins}")
