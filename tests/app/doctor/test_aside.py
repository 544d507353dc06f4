"""What hangs in a thread holds up nobody who does not wait for it."""

import asyncio
import threading

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.app.doctor.aside import aside


@asynchronous
async def test_what_the_work_returns_comes_back() -> None:
    assert await aside(lambda: threading.current_thread() is not threading.main_thread())


@asynchronous
async def test_what_the_work_raises_comes_back() -> None:
    def fail() -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError, match="no"):
        await aside(fail)


@pytest.mark.parametrize("fails", [True, False])
def test_work_that_hangs_delays_neither_its_caller_nor_the_end_of_the_loop(*, fails: bool) -> None:
    hanging = threading.Event()
    threads: list[threading.Thread] = []

    def hang() -> None:
        threads.append(threading.current_thread())
        hanging.wait()
        if fails:
            raise OSError

    async def give_up() -> None:
        async with asyncio.timeout(0.05):
            await aside(hang)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    hanging.set()
    threads[0].join()


@asynchronous
async def test_an_answer_that_comes_too_late_is_dropped() -> None:
    going, gone = threading.Event(), threading.Event()

    def hang() -> None:
        going.wait()
        gone.set()

    asking = asyncio.ensure_future(aside(hang))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    going.set()
    while not gone.is_set() or any(thread.name == "aside" for thread in threading.enumerate()):
        await asyncio.sleep(0)

    assert asking.cancelled()
