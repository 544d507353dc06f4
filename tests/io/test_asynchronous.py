"""The loop that tests run in can fail them."""

import asyncio

import pytest

from tests.io.asynchronous import asynchronous, skipping


def test_a_task_that_is_left_behind_fails_the_test() -> None:
    tasks: list[asyncio.Task[None]] = []

    @asynchronous
    async def leave() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(10)))

    with pytest.raises(AssertionError):
        leave()


def test_an_exception_that_nobody_has_seen_fails_the_test() -> None:
    async def fail() -> None:
        raise ValueError("unseen")

    @asynchronous
    async def ignore() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    with pytest.raises(AssertionError):
        ignore()


def test_waiting_takes_no_time_in_a_skipping_loop() -> None:
    times: list[float] = []

    @skipping
    async def wait() -> None:
        await asyncio.sleep(3600)
        times.append(asyncio.get_running_loop().time())

    wait()

    assert times == [pytest.approx(3600)]
