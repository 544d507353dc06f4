"""A window opens once, is told to the agent for looking on only, and does not open again at the end."""

import asyncio
import os
import resource

import pytest

from tests.app.ends import end, listen, open_, status
from tunnel.app.watch.window import Window
from tunnel.errors import NetworkFault

pytestmark = pytest.mark.anyio


async def test_a_window_opens_once_however_often_it_is_wanted() -> None:
    window = Window(end("Alice"))
    addresses = await asyncio.gather(*(window.open() for _ in range(5)))
    await window.close()

    assert len(set(addresses)) == 1


async def test_an_agent_is_told_where_its_person_looks_on_and_never_the_token() -> None:
    alice = end("Alice")
    window = Window(alice)
    before = (await status(alice)).watch
    address = await window.open()
    token = window.new_token()
    await open_(alice)
    during, heard = await status(alice), await listen(alice)
    await window.close()
    after = (await status(alice)).watch
    await alice.exit()

    assert (before, after) == (None, None)
    assert during.watch == heard.status.watch == address
    assert token not in f"{during}{heard}"
    assert token.replace("-", "") not in f"{during}{heard}"


async def test_at_the_end_no_window_opens_any_more() -> None:
    window = Window(end("Alice"))
    await window.close()

    with pytest.raises(NetworkFault, match="the server ends"):
        await window.open()


async def test_without_a_port_there_is_no_window_and_the_next_one_may_come_about() -> None:
    alice = end("Alice")
    # Loaded before: without a descriptor nothing can be.
    spare = Window(alice)
    await spare.open()
    await spare.close()
    window = Window(alice)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        with pytest.raises(NetworkFault, match="no local port can be had for the window"):
            await window.open()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert await window.open()
    await window.close()
