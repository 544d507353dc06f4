"""Explores for the command line: conversations that chance draws, beside the tables, in the place of the cases."""

import asyncio
import shlex
import sys
from typing import Final

from rich.text import Text

from tunnel.spec.model import Role
from tunnel_conformance.ending import Ending, Paper
from tunnel_conformance.explore.search import Finding, explore
from tunnel_conformance.judging import Named, Wish, believed
from tunnel_conformance.report.expect import INVALID
from tunnel_conformance.report.words import said
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
    ending = Ending()
    try:
        found = asyncio.run(_search(subject, role, wish, examples, seed, ending))
    except (UnjudgeableError, SubjectFault) as error:
        _say(f"HARNESS  {error}")
        return INVALID
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ending.told()
    console = Paper()
    if found is None:
        told = f"Nothing was found with seed {seed}: {subject.name} keeps to its tables in what was tried."
        console.print(Text(told), soft_wrap=True)
        return 0
    console.print(Text(found.text), soft_wrap=True)
    console.print(
        Text(f"\nPut the case into a file, explored.toml, to play it again:\n\n  {_again(role, subject, wish)}"),
        soft_wrap=True,
    )
    return FOUND


def _again(role: Role, subject: Named, wish: Wish) -> str:
    """What plays the case of a file as it was found."""
    words = ["tunnel-conformance", role.value, "--cases", "explored.toml"]
    words += ["--control", wish.control] if wish.control != "mcp" else []
    words += ["--time-env", wish.time_env] if wish.time_env else []
    # A value may be a secret of the tester's.
    words += [word for name in wish.environment for word in ("--env", f"{name}=...")]
    return shlex.join([*words, "--", *subject.command])


async def _search(subject: Named, role: Role, wish: Wish, examples: int, seed: int, ending: Ending) -> Finding | None:
    ending.watch()
    launcher = await believed(subject, role, wish, CHECKED_AT)
    if trouble := await self_test(launcher, role):
        raise UnjudgeableError("\n".join([trouble.text, *map(said, trouble.log)]))
    return await explore(launcher, role, examples, seed, _say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
