"""A side that is stopped and goes on before its peer takes it for dead has missed nothing, and nothing of its is lost."""

import asyncio
import signal
from pathlib import Path
from typing import Final

import psutil

from tests.endurance.agents import Agent, Pair, a_pair
from tests.endurance.results import Found, Run, too_few
from tunnel.spec.v1.constants import SILENCE_SECONDS

STOP_SECONDS: Final = 0.3
LONG_STOP_SECONDS: Final = SILENCE_SECONDS / 4
LONG_AT: Final = 20
"""The stop of either side that has this number is a long one."""

MEANWHILE: Final = 5
"""So many messages are said while the other side is stopped."""


async def run(stops: int, folder: Path) -> Found:
    """Stop one side after the other, and talk meanwhile.

    Args:
        stops: how often each side is stopped.
        folder: not needed.
    """
    async with a_pair() as pair:
        return await between(pair, stops)


async def between(pair: Pair, stops: int, stop: signal.Signals = signal.SIGSTOP) -> Found:
    """Stop one side of these after the other.

    Args:
        pair: who talk.
        stops: how often each side is stopped.
        stop: the signal that stops a process.
    """
    stopped = 0
    for number in range(stops):
        seconds = LONG_STOP_SECONDS if number == LONG_AT else STOP_SECONDS
        stopped += await _stopped(pair.guest, pair.host, seconds, number, stop)
        stopped += await _stopped(pair.host, pair.guest, seconds, number, stop)
        await pair.exchange(1)
    faults = too_few("stops", stopped, 2 * stops) + await pair.faults()
    faults += [
        f"{agent.name} is {state}"
        for agent in (pair.host, pair.guest)
        if (state := (await agent.server.call("tunnel_status"))["state"]) != "connected"
    ]
    longest = LONG_STOP_SECONDS if stops > LONG_AT else STOP_SECONDS
    return Found(figures={"stops": stopped, "longest stop s": longest, "messages": pair.messages}, faults=faults)


RUN: Final = Run(
    name="stopped-process",
    claim="A side that SIGSTOP stops and SIGCONT lets go on, before it counts as dead, hears everything that was said meanwhile, and "
    "what it is told is confirmed (SEQ-1).",
    unit="stops",
    size=30,
    small=2,
    run=run,
)


async def _stopped(sleeper: Agent, speaker: Agent, seconds: float, number: int, stop: signal.Signals) -> bool:
    """Whether it stood still to the end."""
    sleeper.server.process.send_signal(stop)
    texts = [f"while {sleeper.name} is stopped, {number}.{part}" for part in range(MEANWHILE)]
    saying = asyncio.create_task(speaker.say(*texts))
    await asyncio.sleep(seconds)
    stood = psutil.Process(sleeper.server.process.pid).status() == psutil.STATUS_STOPPED
    sleeper.server.process.send_signal(signal.SIGCONT)
    await saying
    return stood
