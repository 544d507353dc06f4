"""The window as the rest of the program knows it: nothing of it is loaded before it is wanted."""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from tunnel.app.tools import Tools
from tunnel.app.watch.token import Token
from tunnel.errors import NetworkFault

if TYPE_CHECKING:
    from tunnel.app.watch.serving import Serving


class Window:
    """The person's window of one process.

    Args:
        tools: what it shows.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(self, tools: Tools, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._tools = tools
        self._entropy = entropy
        self._token = Token(entropy)
        self._serving: Serving | None = None
        self._opening = asyncio.Lock()
        self._is_closed = False

    async def open(self) -> str:
        """Where it is, for reading; from now on if it was not open.

        Raises:
            NetworkFault: it has no port to be at, or the process ends.
        """
        async with self._opening:
            if self._serving is None and not self._is_closed:
                from tunnel.app.watch.serving import Serving

                try:
                    serving = Serving(self._tools, self._token, self._entropy)
                except OSError as error:
                    raise NetworkFault(f"no local port can be had for the window ({error.strerror})") from None
                await serving.begin()
                self._serving = serving
                self._tools.watch = serving.page.url
        if self._tools.watch is None:
            raise NetworkFault("the server ends")
        return self._tools.watch

    def new_token(self) -> str:
        """What its buttons ask for, from now on."""
        return self._token.new()

    async def close(self) -> None:
        """The process ends: its port is free."""
        async with self._opening:
            self._is_closed = True
            self._tools.watch = None
            if self._serving:
                await self._serving.end()
