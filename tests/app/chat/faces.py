"""A person for tests: types what the test says, and keeps what is shown."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from tests.app.ends import PATIENCE_SECONDS
from tunnel.app.chat import show
from tunnel.app.listening import HeardMessage
from tunnel.app.results import Status
from tunnel.core import link
from tunnel.core.link import JoinLink
from tunnel.errors import NetworkFault


class Typist:
    """Somebody who types, at a terminal.

    Args:
        lines: what is typed; the input ends behind them if `ends`.
        ends: whether it does.
        left: what is typed and not taken, as a sentence.
        join_link: what is given when a link is asked for; None gives up.
        is_blind: whether what is shown cannot be.
    """

    is_piped: ClassVar[bool] = False

    def __init__(
        self,
        *lines: str,
        ends: bool = False,
        left: str = "",
        join_link: str | None = None,
        is_blind: bool = False,
    ) -> None:
        self.told: list[str] = []
        self.shown: list[str] = []
        self.closes = 0
        self._join_link = join_link
        self._left = left
        self._is_blind = is_blind
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        for line in (*lines, *([None] if ends else [])):
            self._lines.put_nowait(line)
        self._look: Callable[[], str] = str

    @property
    def status_line(self) -> str:
        return self._look()

    def type(self, line: str | None) -> None:
        self._lines.put_nowait(line)

    async def until(self, text: str) -> None:
        """Wait until a text is shown or told."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any(text in line for line in (*self.told, *self.shown)):
                await asyncio.sleep(0.01)

    async def link(self) -> JoinLink | None:
        return link.parse(self._join_link) if self._join_link is not None else None

    def tell(self, text: str) -> None:
        self.told.append(text)

    async def show(self, messages: Sequence[HeardMessage], peer: str) -> None:
        if self._is_blind:
            raise NetworkFault("nobody looks")
        self.shown += [show.in_a_line(message) for message in messages]

    async def begin(self, look: Callable[[], Status], said: Callable[[], int]) -> None:
        self._look = lambda: show.status_line(look(), said())

    async def line(self) -> str | None:
        return await self._lines.get()

    def stop(self) -> str:
        self._lines.put_nowait(None)
        return self._left

    async def close(self) -> None:
        self.closes += 1


class Piper(Typist):
    """Somebody without a terminal."""

    is_piped: ClassVar[bool] = True
