"""How this process is asked to end, on systems that ask in different ways."""

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)


def leave_at_once() -> None:
    """Until there is an event loop, nothing is open, nothing waits to be written, and there is nobody to tell."""
    for number in SIGNALS:
        signal.signal(number, _leave)


def on_signals(end: Callable[[], object], add: Callable[[int, Callable[[], None]], None] | None = None) -> None:
    """Have the running event loop call `end` when the process is asked to end: once, however often it is asked.

    Args:
        end: what is called.
        add: how the loop takes a handler; when left out, the loop is asked.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def ask() -> None:
        nonlocal asked
        if not asked:
            asked = True
            end()

    def ask_soon(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(ask)

    for number in SIGNALS:
        try:
            (add or loop.add_signal_handler)(number, ask)
        except NotImplementedError:  # Windows
            signal.signal(number, ask_soon)


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Not an exception: in a callback of a weak reference, as imports have them, it would be printed and forgotten.
    os._exit(0)
