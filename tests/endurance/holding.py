"""Counts what processes hold, and names what is more than it was: descriptors, children, tasks, files, and memory beyond a bound."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from msgspec import Struct

MIB = 1024 * 1024
LEAK_BYTES = 5 * MIB
"""So much more memory than before is a leak."""


class Holding(Struct, frozen=True, kw_only=True):
    """What one process holds at one moment."""

    things: dict[str, int]
    """Descriptors by what they lead to, children, tasks and files."""
    bytes: int
    """Memory that is resident."""


async def own(*folders: Path) -> Holding:
    """What this process holds, once what is on its way out has gone."""
    # A task that is done is only gone when the loop has had its turn.
    await asyncio.sleep(0)
    gc.collect()
    tasks = Counter(f"task {_name(task)}" for task in asyncio.all_tasks() - {asyncio.current_task()})
    process = psutil.Process()
    return Holding(things=_things(process, folders) | tasks, bytes=process.memory_info().rss)


def of(pid: int, *folders: Path) -> Holding:
    """What another process holds."""
    process = psutil.Process(pid)
    return Holding(things=_things(process, folders), bytes=process.memory_info().rss)


def leaks(before: Holding, after: Holding, who: str) -> list[str]:
    """What there is more than there was."""
    found = [
        f"{who} holds {count - before.things.get(thing, 0)} more: {thing}"
        for thing, count in sorted(after.things.items())
        if count > before.things.get(thing, 0)
    ]
    if (more := after.bytes - before.bytes) > LEAK_BYTES:
        found.append(f"{who} holds {more / MIB:.1f} MiB more, and {LEAK_BYTES / MIB:g} MiB are allowed")
    return found


def growth_mib(before: Holding, after: Holding) -> float:
    """By how much memory has grown."""
    return round((after.bytes - before.bytes) / MIB, 1)


def _things(process: psutil.Process, folders: Iterable[Path]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        # The one by which the folder is read is gone by now.
        with suppress(OSError):
            # socket:[12345] and pipe:[12345] have numbers of their own every time.
            counted[f"descriptor of {str(descriptor.readlink()).partition(':[')[0]}"] += 1
    counted["child"] = len(process.children(recursive=True))
    counted["file in its home"] = sum(
        not path.is_dir() for folder in folders for path in folder.rglob("*") if folder.exists()
    )
    return counted


def _name(task: "asyncio.Task[object]") -> str:
    return getattr(task.get_coro(), "__qualname__", repr(task))
