"""What a program writes, in lines: bounded in memory however much it is, whoever reads it or not."""

import re
from collections import deque
from typing import Final

LINE_BYTES: Final = 4096
"""A longer line is cut; the rest of it is dropped."""

KEPT_BYTES: Final = 262_144
"""So much waits for a reader; then the oldest lines are dropped."""

_LINE_COST: Final = 64
"""What a line costs beside its bytes."""

# A carriage return alone draws a line over: a progress bar is many lines.
_BREAK: Final = re.compile(rb"[\r\n]+")


class Output:
    """Lines that wait to be read. Blank ones are left out."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._cost = 0
        self._begun = b""

    def feed(self, data: bytes) -> None:
        """The program wrote this."""
        *whole, begun = _BREAK.split(self._begun + data)
        for line in whole:
            self._keep(line[:LINE_BYTES])
        self._begun = begun[:LINE_BYTES]

    def end(self) -> None:
        """It writes no more: what stands without a line break is a line too."""
        self._keep(self._begun)
        self._begun = b""

    def next(self) -> bytes | None:
        """The oldest line that waits; None when there is none."""
        if not self._lines:
            return None
        line = self._lines.popleft()
        self._cost -= len(line) + _LINE_COST
        return line

    def _keep(self, line: bytes) -> None:
        if line.strip():
            self._lines.append(line)
            self._cost += len(line) + _LINE_COST
        while self._cost > KEPT_BYTES:
            self.next()
