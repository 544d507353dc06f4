import asyncio

from tunnel_conformance.wire.bell import Bell

from tests.io.asynchronous import asynchronous


@asynchronous
async def test_who_waits_looks_again_when_the_bell_rings() -> None:
    bell, seen = Bell(), [0]

    async def count() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            seen[0] += 1
            bell.ring()

    counting = asyncio.create_task(count())

    assert await bell.until(lambda: seen[0] == 3, 5)
    await counting


@asynchronous
async def test_waiting_ends() -> None:
    assert not await Bell().until(lambda: False, 0.01)
