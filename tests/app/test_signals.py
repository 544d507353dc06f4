"""A process that is asked to end hears it once, however often and in whichever way it is asked."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator

import pytest

from tunnel.app.signals import SIGNALS, on_signals

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _handlers_put_back() -> Generator[None]:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_way_to_ask_is_known() -> None:
    assert {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} == set(SIGNALS)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_a_signal_is_heard(number: signal.Signals) -> None:
    asked = asyncio.Event()
    on_signals(asked.set)

    os.kill(os.getpid(), number)

    await asyncio.wait_for(asked.wait(), 5)


async def test_more_signals_are_heard_as_one() -> None:
    asked: list[int] = []
    on_signals(lambda: asked.append(1))
    for number in SIGNALS * 2:
        os.kill(os.getpid(), number)
        # Into the loop, and out of it again.
        for _ in range(5):
            await asyncio.sleep(0)

    assert asked == [1]


DEAF = """
import os, signal, weakref
from tunnel.app.signals import leave_at_once

class Gone:
    def __del__(self):
        ask()

def ask(_reference=None):
    os.kill(os.getpid(), signal.SIG%s)
    for _ in range(1000):
        pass

leave_at_once()
gone = Gone() if %r == "__del__" else set()
watched = weakref.ref(gone, ask) if %r == "weak reference" else None
del gone
print("the server starts")
"""
"""Here Python prints an exception and goes on. Imports are full of such places."""


@pytest.mark.parametrize("where", ["__del__", "weak reference"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_start_is_ended_wherever_the_interpreter_is(number: signal.Signals, where: str) -> None:
    program = DEAF % (number.name[3:], where, where)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_a_loop_that_takes_no_handlers_is_told_through_the_system() -> None:
    def no_handlers(_number: int, _handler: object) -> None:
        raise NotImplementedError

    asked = asyncio.Event()
    on_signals(asked.set, no_handlers)

    os.kill(os.getpid(), signal.SIGTERM)

    await asyncio.wait_for(asked.wait(), 5)
