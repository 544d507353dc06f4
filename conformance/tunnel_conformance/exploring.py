"""Explores for the command line: conversations that chance draws, beside the tables, in the place of the cases."""

import asyncio
import signal
import sys
from typing import Final

from rich.console import Console
from rich.text import Text

from tunnel.spec.model import Role
from tunnel_conformance.explore.search import Finding, explore
from tunnel_conformance.judging import INTERRUPTED, TERMINATED, Named, Wish, believed, cut_short
from tunnel_conformance.report.expect import INVALID
from tunnel_conformance.self_test import self_test
from tunnel_conformance.subjects.base import SubjectFault

CHECKED_AT: Final = 15.0
"""So fast a clock is tried before it is believed."""

FOUND: Final = 1
"""Exit status when the implementation left its tables."""


class UnjudgeableError(Exception):
    """The implementation does not come as far as a conversation; the text says why."""


def search(subject: Named, role: Role, wish: Wish, examples: int, seed: int) -> int:
    """Search for a conversation in which an implementation leaves its tables, tell it, and say with which status to exit.

    Args:
        subject: who is judged.
        role: in which role.
        wish: how it is controlled, and how time passes.
        examples: how many conversations are drawn.
        seed: what chance begins with.
    """
    try:
        found = asyncio.run(_search(subject, role, wish, examples, seed))
    except (UnjudgeableError, SubjectFault) as error:
        _say(f"HARNESS  {error}")
        return INVALID
    except KeyboardInterrupt:
        return cut_short("Interrupted", INTERRUPTED)
    except asyncio.CancelledError:
        return cut_short("Terminated", TERMINATED)
    console = Console()
    if found is None:
        told = f"Nothing was found with seed {seed}: {subject.name} keeps to its tables in what was tried."
        console.print(Text(told), soft_wrap=True)
        return 0
    console.print(Text(found.text), soft_wrap=True)
    return FOUND


async def _search(subject: Named, role: Role, wish: Wish, examples: int, seed: int) -> Finding | None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    launcher = await believed(subject, role, wish, CHECKED_AT)
    if trouble := await self_test(launcher, role):
        raise UnjudgeableError(trouble)
    return await explore(launcher, role, examples, seed, _say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
