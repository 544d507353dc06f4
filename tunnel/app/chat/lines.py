"""Lines of a descriptor, whatever it is: no thread waits for them, and no line takes more memory than it may."""

import asyncio
import os
from collections import deque
from contextlib import suppress
from typing import Final

CHUNK_BYTES: Final = 65_536


class Lines:
    """The lines that come in at a descriptor, in their order.

    Args:
        fd: it stays the caller's.
        limit: of a longer line, only so many bytes are kept.
    """

    def __init__(self, fd: int, limit: int) -> None:
        self._fd = fd
        self._limit = limit
        self._whole: deque[bytes] = deque()
        self._begun = b""
        self._has_ended = False
        self._is_stopped = False
        self._waiting: asyncio.Future[None] | None = None

    @property
    def has_more(self) -> bool:
        """Whether something was read that nobody has asked for."""
        return bool(self._whole or self._begun)

    async def next(self) -> bytes | None:
        """The next line, without its end; None when there is none any more."""
        while not self._is_stopped:
            if self._whole:
                return self._whole.popleft()
            if self._has_ended:
                last, self._begun = self._begun, b""
                return last or None
            await self._readable()
            if not self._is_stopped:
                self._read()
        return None

    def stop(self) -> None:
        """Nobody wants to know any more."""
        self._is_stopped = True
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        try:
            loop.add_reader(self._fd, lambda: waiting.done() or waiting.set_result(None))
        except OSError:
            # Nobody can wait for a file, which is always ready, or for what is not open, which reading will tell.
            return
        try:
            await waiting
        finally:
            loop.remove_reader(self._fd)

    def _read(self) -> None:
        chunk = b""
        # A terminal that is gone is an error to read.
        with suppress(OSError):
            chunk = os.read(self._fd, CHUNK_BYTES)
        self._has_ended = not chunk
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._whole.append(self._line(end))
            self._begun = b""
        self._begun = self._line(rest)

    def _line(self, piece: bytes) -> bytes:
        return self._begun + piece[: self._limit - len(self._begun)]
