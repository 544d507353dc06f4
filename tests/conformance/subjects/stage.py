"""What the tests of `tunnel_conformance.subjects` share: actors, our own server, and whether anything is left of them."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from tunnel_conformance.subjects.agent import Agent
from tunnel_conformance.subjects.base import Answer, Launcher, SubjectFault
from tunnel_conformance.subjects.clock import Clock, RealTime
from tunnel_conformance.subjects.line import LineLauncher
from tunnel_conformance.subjects.mcp import Era, McpLauncher

SOURCES = os.pathsep.join(path for path in sys.path if path)
OURS = [sys.executable, "-m", "tunnel"]
SECONDS = 10.0
"""How long an answer may take that comes at once."""


def python(program: str, *arguments: str) -> list[str]:
    """A program of this folder; without the packages of the site it starts at once."""
    return [sys.executable, "-ES", str(Path(__file__).with_name(program)), *arguments]


def actor(control: str, era: Era | None = None) -> Launcher:
    command = python("actor.py", control)
    if control == "line":
        return LineLauncher("actor", command, {}, RealTime())
    return McpLauncher("actor", command, {}, RealTime(), era)


def ours(clock: Clock | None = None, era: Era | None = None) -> McpLauncher:
    return McpLauncher("ours", OURS, {"PYTHONPATH": SOURCES}, clock or RealTime(), era)


@asynccontextmanager
async def started(launcher: Launcher, speed: float = 1.0) -> AsyncGenerator[Agent]:
    """One of it, of which nothing is left behind."""
    subject = await launcher.start(speed)
    assert isinstance(subject, Agent)
    try:
        yield subject
    finally:
        await subject.end()
        assert subject.process.family() == []
        assert not subject.place.folder.exists()


def result_of(answer: Answer) -> dict[str, Any]:  # Any: JSON
    assert answer.result is not None, answer.error
    return answer.result


async def say(subject: Agent, text: str, seconds: float = SECONDS) -> Answer:
    return await subject.call("say", {"text": text}, seconds)


async def fault_of(launcher: Launcher) -> SubjectFault:
    """How it fails to start."""
    try:
        subject = await launcher.start()
    except SubjectFault as fault:
        return fault
    await subject.end()
    raise AssertionError("it has started")


async def until(holds: Callable[[], object]) -> None:
    """Wait for what a real process does."""
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
