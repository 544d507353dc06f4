"""What two agents do with their servers, wherever those run and whatever is between them."""

import functools
import subprocess
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.app.processes import Answer, Server, a_server

FOREVER_MS = 60_000
"""Longer than any test runs: who waits so long is not answered by the clock."""

NO_PROXY_AT_ALL = {f"{scheme}_proxy": "" for scheme in ("ws", "wss", "http", "https", "socks", "all", "no")}
"""Whatever proxies the tester's own environment names are not used."""


class Told(NamedTuple):
    """What was heard in a conversation, and how its end was told."""

    by_guest: list[str]
    by_host: list[str]
    at_last: list[str]
    why: tuple[str, str]
    """To the host and to the guest."""


WELL = Told(["Which port?"], ["8443"], ["closed — 8443 it is"], ("closed_by_host", "closed_by_host"))
"""A conversation in which nothing is lost."""


@asynccontextmanager
async def a_person(*prefix: str, **variables: str) -> AsyncGenerator[Server]:
    """One person's server, which has shaken hands with its client."""
    async with AsyncExitStack() as undoing:
        server = await undoing.enter_async_context(a_server(*prefix, **{**NO_PROXY_AT_ALL, **variables}))
        # Before it has ended, its number cannot be another's.
        undoing.callback(_tidy, server.process.pid)
        await server.shake_hands()
        yield server


async def talk(host: Server, guest: Server, link: str) -> Told:
    """The guest joins, asks and is answered while it listens; the host closes while it listens again."""
    await guest.call("tunnel_join", joinLink=link)
    question = (await guest.call("tunnel_say", text="Which port?"))["seq"]
    asked = await host.call("tunnel_listen", sinceSeq=question - 1)
    listening = await begin_listening(guest, question)
    await host.call("tunnel_say", text="8443")
    answered = await heard(guest, listening)
    listening = await begin_listening(guest, answered["cursor"])
    closed = await host.call("tunnel_close", summary="8443 it is")
    over = await heard(guest, listening)
    return Told(said(asked), said(answered), said(over), (closed["closedBecause"], over["status"]["closedBecause"]))


async def begin_listening(server: Server, since: int | None = None) -> int:
    """Begin to wait for news, behind everything that there is when no number is given."""
    if since is None:
        since = (await server.call("tunnel_status"))["lastSeq"]
    return await server.begin_call("tunnel_listen", sinceSeq=since, timeoutMs=FOREVER_MS)


async def heard(server: Server, listening: int) -> Answer:
    """What a listen is answered."""
    return (await server.answer_to(listening))["result"]["structuredContent"]


def said(answer: dict[str, Any]) -> list[str]:  # a tool's structured result
    return [message["text"] for message in answer["messages"]]


def in_a_hurry(speed: int) -> dict[str, str]:
    """The environment of a process for which time passes so many times as fast."""
    # Not the command itself in front: it stays between us and the process, and signals end there.
    return {"LD_PRELOAD": faketime(), "FAKETIME": f"+0 x{speed}"}


def _tidy(pid: int) -> None:
    """Take away what the library shares between processes: it does so itself only when a process ends at its leisure."""
    for file in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        Path("/dev/shm", file).unlink(missing_ok=True)


@functools.cache
def faketime(*options: str) -> str:
    """Where the library is that the command preloads when it is given these options."""
    command = ["faketime", *options, "-f", "+0 x1", "env"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return next(line.partition("=")[2] for line in shown.splitlines() if line.startswith("LD_PRELOAD="))
