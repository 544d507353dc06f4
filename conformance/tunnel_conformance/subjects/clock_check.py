"""Finds out whether an implementation's clock goes as fast as it was told to: a case that waits for it would prove nothing.

A host is watched from the wire, where it hangs up on whoever does not authenticate, and at its agent, which listens for a
set time. A guest joins a host that never answers. Programs that cannot be sped up are named: static ones, which load no
library, and those that wait on a thread with a time limit, which hangs under libfaketime.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import WebSocketException

from tunnel.spec.model import Role
from tunnel.spec.v1.constants import AUTH_SECONDS, JOIN_SECONDS, KEY_BYTES, TUNNEL_ID_BYTES
from tunnel_conformance.subjects.agent import Agent
from tunnel_conformance.subjects.base import Answer, Launcher, Subject, SubjectFault
from tunnel_conformance.subjects.clock import Clock
from tunnel_conformance.subjects.shown import shown
from tunnel_conformance.wire import link as links
from tunnel_conformance.wire.dialing import connected_to
from tunnel_conformance.wire.fields import objects

OPEN_SECONDS: Final = 60.0
"""How long opening a tunnel may take, in real time."""

SLACK_SECONDS: Final = 2.0
"""What may come on top of a time that is measured, on a busy machine."""

_EARLIEST: Final = 0.5
"""What ends before this part of its time has not waited for it."""


class Pace(Struct, frozen=True, kw_only=True):
    """How fast a clock should go, and how exactly that is looked at."""

    speed: float
    slack_seconds: float

    async def shows(self, what: Awaitable[object], protocol_seconds: float) -> bool:
        """Whether something comes to its end when it does at this speed, and not at once, which says nothing."""
        began = time.monotonic()
        fast = protocol_seconds / self.speed
        # Some slack, but well before it would end in real time.
        latest = min(2 * fast + self.slack_seconds, (fast + protocol_seconds) / 2)
        with suppress(TimeoutError, SubjectFault):
            async with asyncio.timeout(latest):
                await what
            return time.monotonic() - began > fast * _EARLIEST
        return False


async def check_clock(
    launcher: Launcher, speed: float, role: Role = Role.HOST, slack_seconds: float = SLACK_SECONDS
) -> str | None:
    """Start it at this speed and see whether its clock goes so fast.

    Args:
        launcher: starts it.
        speed: how many times as fast.
        role: what it can do.
        slack_seconds: what may come on top of a time that is measured.

    Returns:
        None when all is well, else what is wrong, in sentences.
    """
    if launcher.clock.trouble:
        return launcher.clock.trouble
    if speed <= 1:
        return None
    try:
        subject = await launcher.start(speed)
    except SubjectFault as fault:
        return f"It could not be started with a clock {speed:g} times as fast. {fault}"
    try:
        pace = Pace(speed=speed, slack_seconds=slack_seconds)
        trouble = await (_host(subject, pace) if role is Role.HOST else _guest(subject, pace))
        return trouble and f"{trouble} {_why(subject, launcher.clock)}".strip()
    except SubjectFault as fault:
        return f"With a clock {speed:g} times as fast it could not be observed. {fault}"
    finally:
        await subject.end()


async def _host(subject: Subject, pace: Pace) -> str | None:
    speed = pace.speed
    opened = await subject.call("open", {"goal": "watch the clock"}, OPEN_SECONDS)
    try:
        link = links.parse(opened.result and opened.result.get("joinLink"))
    except ValueError:
        why = shown(opened.error) if opened.error is not None else "there is no join link in its answer"
        return f"Its clock could not be observed, because it opens no tunnel: {why}."
    # Real time takes `speed` seconds for what takes one at this speed.
    waits: dict[str, object] = {"sinceSeq": await _last(subject), "timeoutMs": int(speed * 1000)}
    hanging_up = asyncio.ensure_future(pace.shows(_hung_up(subject.reachable_at(link.text), link.path), AUTH_SECONDS))
    try:
        if await pace.shows(_answered(subject.call("listen", waits, speed)), speed):
            # Whether it hangs up on strangers at all is for the cases to say.
            return None
        hangs_up = await hanging_up
    finally:
        hanging_up.cancel()
        await asyncio.wait([hanging_up])
    if hangs_up:
        return f"The clock of its relay goes {speed:g} times as fast, but its agent's listen of {speed:g} s did not end in time."
    return (
        f"It was told to go {speed:g} times as fast and goes in real time or not at all: neither was a stranger hung up on "
        f"after {AUTH_SECONDS} s of its time, nor did a listen of {speed:g} s end."
    )


async def _guest(subject: Subject, pace: Pace) -> str | None:
    visits: list[ServerConnection] = []

    async def stay_silent(visit: ServerConnection) -> None:
        visits.append(visit)
        await visit.wait_closed()

    async with serve(stay_silent, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.5) as server:
        port = int(next(iter(server.sockets)).getsockname()[1])
        link = links.mint(port, secrets.token_hex(TUNNEL_ID_BYTES), secrets.token_bytes(KEY_BYTES))
        joins = subject.call("join", {"joinLink": link.text}, JOIN_SECONDS)
        is_fast = await pace.shows(joins, JOIN_SECONDS)
    if is_fast:
        return None
    if not visits:
        return "Its clock could not be observed, because it did not dial the link that it was to join."
    return (
        f"It was told to go {pace.speed:g} times as fast and goes in real time or not at all: its join of a host that never sends "
        f"a challenge did not fail after {JOIN_SECONDS} s of its time."
    )


async def _last(subject: Subject) -> int:
    """The number of the last message: behind one that no message has, some hear everything."""
    heard = await subject.call("listen", {"sinceSeq": 0, "timeoutMs": 0}, OPEN_SECONDS)
    messages = objects((heard.result or {}).get("messages"))
    return max((seq for message in messages if isinstance(seq := message.get("seq"), int)), default=0)


async def _answered(call: Awaitable[Answer]) -> None:
    """Wait for a result.

    Raises:
        SubjectFault: there is an error instead.
    """
    if (answer := await call).error is not None:
        raise SubjectFault(answer.error)


async def _hung_up(address: tuple[str, int], path: str) -> None:
    """Connect, say nothing, and wait for the end."""
    host, port = address
    url = f"ws://{f'[{host}]' if ':' in host else host}:{port}{path}"
    with suppress(OSError, WebSocketException):
        connection = await connected_to(address)
        async with connect(
            url, sock=connection, compression=None, proxy=None, ping_interval=None, close_timeout=1
        ) as websocket:
            async for _ in websocket:
                """What it says makes no difference."""


def _why(subject: Subject, clock: Clock) -> str:
    if clock.kind != "faketime" or not isinstance(subject, Agent):
        return "Check that the variable given for its speed does what it should."
    without = _without_library(subject.process.family())
    if without:
        return (
            f"libfaketime is not loaded in {', '.join(without)}: a statically linked program, or one that was started with "
            "another environment, cannot be sped up. Run the time cases in real time."
        )
    return (
        "libfaketime is loaded: it waits in a way that is not sped up, such as a wait on a thread with a time limit, which "
        "hangs. Run the time cases in real time."
    )


def _without_library(pids: Sequence[int]) -> list[str]:
    """The programs among these processes that have not loaded libfaketime, as far as the system tells."""
    found: list[str] = []
    for pid in pids:
        with suppress(OSError, psutil.Error):
            if "libfaketime" not in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace"):
                found.append(psutil.Process(pid).name())
    return found
