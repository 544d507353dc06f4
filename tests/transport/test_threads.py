"""Work in a thread is over when its caller goes on, also when the caller is cancelled."""

import asyncio
import threading

import pytest

from tests.io.asynchronous import asynchronous, until
from tunnel.transport.threads import in_thread


@asynchronous
async def test_its_result_and_its_error_come_back() -> None:
    async with asyncio.timeout(5):
        assert await in_thread(lambda: threading.current_thread() is threading.main_thread()) is False
        with pytest.raises(ZeroDivisionError):
            await in_thread(lambda: 1 // 0)


@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
@asynchronous
async def test_whoever_is_cancelled_goes_on_when_it_is_over(fails: bool) -> None:
    may_end = threading.Event()
    steps: list[str] = []

    def work() -> None:
        steps.append("begun")
        may_end.wait(5)
        steps.append("over")
        if fails:
            raise OSError

    waiting = asyncio.ensure_future(in_thread(work))
    await until(lambda: steps == ["begun"])
    waiting.cancel()
    await asyncio.wait([waiting], timeout=0.05)
    is_early = waiting.done()
    may_end.set()
    await asyncio.wait([waiting])

    assert not is_early
    assert waiting.cancelled()
    assert steps == ["begun", "over"]
