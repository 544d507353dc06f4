"""Work that may hang, as a look at a slow disk does, in a thread that nobody waits for at the end."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """What the work returns, or raises."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(result)  # pyright: ignore[reportArgumentType] - what the work returned
        else:
            answer.set_exception(error)

    def run() -> None:
        try:
            told: tuple[T | None, Exception | None] = (work(), None)
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            told = (None, error)
        # The loop may be closed: then nobody wants to know any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, *told)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await answer
