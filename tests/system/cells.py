"""One cell of the table of ends: a server is brought to a stage, its session or itself is ended, and what is left is listed."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from tests.app import ends
from tests.app.processes import Server
from tests.standins.leftovers import Left
from tests.system import stages
from tests.system.places import LOOK_SECONDS, Place
from tests.system.stages import Bring, Held
from tests.system.talking import a_person, in_a_hurry
from tunnel.transport.cloudflared import ATTEMPTS

GONE_SECONDS: Final = 2.0
"""So soon after the end nothing is left."""

PATIENCE_SECONDS: Final = 6.0
"""So long it is watched what is left that should not be."""

IDLE_SECONDS: Final = 60.0
"""So long a host in a hurry may take to be idle."""

LISTEN_MS: Final = 10_000
"""Shorter than the patience of whoever asks."""

STAGES: Final[Mapping[str, Bring]] = {
    "host opening": stages.opening,
    "host waiting": stages.waiting,
    "host joining": stages.a_stranger_joins,
    "host talking": stages.hosting,
    "host closing": stages.host_closing,
    "guest dialling": stages.dialling,
    "guest joining": stages.joining,
    "guest talking": stages.visiting,
    "guest closing": stages.guest_closing,
}
WAYS: Final = ("close", "idle", "EOF", "SIGTERM", "SIGINT", "SIGKILL", "crash")
LIVES_ON: Final = frozenset({"close", "idle", "crash"})
"""Here the session ends, and the process stays."""

IMPOSSIBLE: Final = {
    **{(stage, "crash"): "a guest has no child" for stage in STAGES if stage.startswith("guest")},
    ("host opening", "idle"): "an opening is given up long before",
    ("host joining", "idle"): "who does not answer the challenge is sent away after 15 s, and the host waits",
    ("guest dialling", "idle"): "a join is given up after 20 s",
    ("guest joining", "idle"): "a join is given up after 20 s",
    ("host closing", "idle"): "the session is over",
    ("guest closing", "idle"): "the session is over",
}
"""Ends that there are not, and why."""


_SWEPT = re.compile(r"^file .*(\.jsonl|/[0-9]+-[0-9a-f]+\.sock)$")


class Cell(NamedTuple):
    stage: str
    way: str


CELLS: Final = [Cell(stage, way) for stage in STAGES for way in WAYS if (stage, way) not in IMPOSSIBLE]


class Outcome(NamedTuple):
    """What was seen."""

    during: list[str]
    """What there was just before the end, beyond what there was before."""
    seconds: float
    """From the end on until nothing was left, or nobody watched any longer."""
    left: list[str]
    """What was left then. After SIGKILL the session's log and the server's own socket may wait for the next start."""
    waits: bool
    """Whether one of them did."""
    after_next: list[str]
    """Which of these files were left when the next server had started. It is only started if there were any."""
    told: str | None
    """How the peer was told why; None where there is none."""


async def outcome(cell: Cell, folder: Path, is_up: asyncio.Event | None = None) -> Outcome:
    """Bring a server there, and tell so; end it, and look."""
    place = Place(folder, cell.stage.replace(" ", "-") + "-" + cell.way)
    before = await place.left()
    async with AsyncExitStack() as undoing:
        held = await _bring(cell)(undoing, place, in_a_hurry(stages.HURRY) if _hurries(cell) else {})
        if is_up:
            is_up.set()
        if cell.way in LIVES_ON:
            before = held.before
        during = (await place.left()).beyond(before)
        began = await _ended(cell.way, held.server, place)
        seconds, rest = await _until_gone(place, before, began, may_wait=_SWEPT if cell.way == "SIGKILL" else None)
        told = await asyncio.wait_for(_told(held), PATIENCE_SECONDS)
    waiting = (await place.left()).files - before.files
    after_next = await _after_the_next_start(place, waiting) if waiting else []
    return Outcome(during, seconds, rest, bool(waiting), after_next, told)


def table(outcomes: Mapping[Cell, Outcome | BaseException]) -> str:
    """Stages down, ways across: after how many seconds nothing was left."""
    console = Console(width=110, color_system=None)
    rows = Table(
        "", *WAYS, box=box.ASCII2, title="Seconds until nothing was left: no process, socket, descriptor or file"
    )
    for stage in STAGES:
        rows.add_row(stage, *(_shown(outcomes, stage, way) for way in WAYS))
    with console.capture() as text:
        console.print(rows)
        console.print("* The server's socket, and a session's log, were left, and the next start took them away.")
        console.print("- There is no such end:")
        for reason in dict.fromkeys(IMPOSSIBLE.values()):
            console.print(f"  {reason}.")
    return text.get()


def _shown(outcomes: Mapping[Cell, Outcome | BaseException], stage: str, way: str) -> str:
    match outcomes.get(Cell(stage, way)):
        case Outcome() as seen if seen.left:
            return f"LEFT {len(seen.left)}"
        case Outcome() as seen:
            return f"{seen.seconds:.2f}{'*' if seen.waits else ''}"
        case None:
            return "-"
        case error:
            return type(error).__name__


# --- What happens to a cell ----------------------------------------------------------------------------------------------


def _bring(cell: Cell) -> Bring:
    return stages.visiting_a_host_in_a_hurry if cell == Cell("guest talking", "idle") else STAGES[cell.stage]


def _hurries(cell: Cell) -> bool:
    return cell.way == "idle" and cell.stage.startswith("host")


async def _ended(way: str, server: Server, place: Place) -> float:
    """End it; when that was."""
    match way:
        case "close":
            began = time.monotonic()
            await server.call("tunnel_close", summary="done")
            return began
        case "idle":
            async with asyncio.timeout(IDLE_SECONDS):
                while (now := await server.call("tunnel_status"))["state"] != "closed":
                    await server.call("tunnel_listen", sinceSeq=now["lastSeq"], timeoutMs=LISTEN_MS)
        case "crash":
            # While a tunnel is being opened, cloudflared is started again.
            opens = (await server.call("tunnel_status"))["state"] == "opening"
            for number in range(1, ATTEMPTS + 1 if opens else 2):
                os.kill((await place.started(number)).pid, signal.SIGKILL)
        case _:
            server.stop(way)
    return time.monotonic()


async def _until_gone(
    place: Place, before: Left, began: float, may_wait: re.Pattern[str] | None
) -> tuple[float, list[str]]:
    while True:
        rest = (await place.left()).beyond(before)
        rest = [item for item in rest if not (may_wait and may_wait.search(item))]
        if not rest or time.monotonic() - began > PATIENCE_SECONDS:
            return time.monotonic() - began, rest
        await asyncio.sleep(LOOK_SECONDS)


async def _told(held: Held) -> str | None:
    if held.peer is None:
        return None
    now: Any = await ends.status(held.peer)
    while now.closed_because is None:
        await ends.listen(held.peer, now.last_seq, 20)
        now = await ends.status(held.peer)
    return now.closed_because


async def _after_the_next_start(place: Place, waiting: frozenset[str]) -> list[str]:
    async with a_person(**place.environment()) as server:
        await server.call("tunnel_status")
        return sorted((await place.left()).files & waiting)
