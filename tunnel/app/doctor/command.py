"""The command `tunnel-mcp doctor`: looks, says on a terminal what it still waits for, and prints what it found."""

import asyncio
import os
from contextlib import nullcontext

from rich.console import Console
from rich.status import Status

from tunnel.app.doctor.checks import CHECK_SECONDS, TITLES, examine
from tunnel.app.doctor.findings import Row, has_problem
from tunnel.app.doctor.report import as_json, show
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.app.settings import read_settings


def run(*, json: bool, at: Surroundings | None = None) -> int:
    """Look at this machine; the exit status.

    Args:
        json: for a program.
        at: another machine.
    """
    at = at or Surroundings(settings=read_settings(os.environ))
    rows = asyncio.run(examined(at, Console(stderr=True)))
    out = Console()
    if json:
        out.out(as_json(rows), highlight=False)
    else:
        show(rows, out)
    return 1 if has_problem(rows) else 0


async def examined(at: Surroundings, console: Console) -> list[Row]:
    """What is found; meanwhile a person who looks on sees that something happens, and what is waited for."""
    left = dict(TITLES)
    status = Status(_waiting(left), console=console) if console.is_terminal else None

    def done(name: str) -> None:
        left.pop(name, None)
        if status:
            status.update(_waiting(left))

    with status or nullcontext():
        return await examine(at, done)


def _waiting(left: dict[str, str]) -> str:
    return f"looking, for at most {CHECK_SECONDS:.0f} s: {', '.join(left.values())}"
