"""The system's resolver is asked in a thread that holds up nobody."""

import asyncio
import threading
import time

import pytest

from tests.io.asynchronous import asynchronous
from tunnel.io.lookup import system_addresses


@asynchronous
async def test_the_system_knows_this_machine() -> None:
    found = await system_addresses("localhost")

    assert found
    assert all(address.is_loopback for address in found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".invalid", "a\0b", "\udcff"], ids=["too long", "a zero", "half a character"]
)
@asynchronous
async def test_a_name_that_cannot_be_one_is_an_error(name: str) -> None:
    with pytest.raises((OSError, ValueError)):
        await system_addresses(name)


def test_a_lookup_that_nobody_waits_for_holds_up_nothing() -> None:
    """Neither the end of the loop nor the end of the program: its thread is a daemon, and its answer is not missed."""

    async def give_up() -> list[threading.Thread]:
        asking = asyncio.create_task(system_addresses("localhost"))
        await asyncio.sleep(0)
        asking.cancel()
        return [thread for thread in threading.enumerate() if thread.name == "lookup"]

    began = time.monotonic()
    threads = asyncio.run(give_up())
    for thread in threads:
        thread.join(5)

    assert all(thread.daemon for thread in threads)
    assert time.monotonic() - began < 5


@asynchronous
async def test_an_answer_that_comes_after_the_cancellation_is_dropped() -> None:
    asking = asyncio.create_task(system_addresses("localhost"))
    await asyncio.sleep(0)
    threads = [thread for thread in threading.enumerate() if thread.name == "lookup"]
    for thread in threads:
        thread.join(5)
    asking.cancel()
    await asyncio.wait([asking])

    assert asking.cancelled()
