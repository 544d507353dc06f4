"""Questions and answers by number, over lines of JSON that a process reads and writes; many may be open at once."""

import asyncio
import json
from collections.abc import Callable
from typing import Final

from tunnel_conformance.subjects.base import Babbled, Hung, SubjectFault
from tunnel_conformance.subjects.process import LINE_BYTES, LONG_LINE_BYTES, Process
from tunnel_conformance.subjects.shown import shown
from tunnel_conformance.wire.fields import MOST_VALUES, parsed, values

Message = dict[str, object]

JUNK_LINES: Final = 20
"""So many lines that are no message are put up with: a stray print breaks nothing as long as it is a line of its own."""

UNASKED_LINES: Final = 10_000
"""So many lines may come without an answer among them."""

UNASKED_BYTES: Final = 8 * 1024 * 1024
"""So much may come without an answer."""

_NOTED_LINES: Final = 3


class Dialogue:
    """The kit asks, and a process answers.

    Args:
        process: who is asked; this listens to it.
    """

    def __init__(self, process: Process) -> None:
        self.read: Callable[[Message], bool] = lambda _message: False
        """Is given every JSON object that comes: whether it is a message of the protocol. It passes on what is an answer."""
        self.strays: list[str] = []
        """What came that is no message, as it is shown."""
        self._process = process
        self._asked = 0
        self._open: dict[int, asyncio.Future[Message]] = {}
        self._dropped: set[int] = set()
        self._fault: SubjectFault | None = None
        self._unasked = 0
        self._unasked_bytes = 0
        self._long: set[int] = set()
        """The questions whose answers may be long."""

    def line(self, line: bytes) -> None:
        """It wrote this line."""
        self._unasked += 1
        self._unasked_bytes += len(line)
        if self._unasked > UNASKED_LINES:
            self._give_up(f"It wrote {UNASKED_LINES} lines on stdout that answer nothing.")
        elif line.strip() and not self._understand(line):
            self._put_up_with(line)
        if self._unasked_bytes > UNASKED_BYTES:
            self._give_up(f"It wrote more than {UNASKED_BYTES} bytes on stdout that answer nothing.")

    def fault(self, fault: SubjectFault) -> None:
        """Nothing more comes: whoever waits is told, and whoever asks."""
        self._fault = fault
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(_again(fault))

    def send(self, message: Message) -> None:
        """Say something that has no answer."""
        self._process.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def ask(
        self,
        message: Message,
        what: str,
        seconds: float,
        withdraw: Callable[[int], None] = lambda _number: None,
        *,
        is_long: bool = False,
    ) -> Message:
        """Ask, and wait for the answer.

        Args:
            message: the question; its `id` is set here.
            what: how a person calls it.
            seconds: how long that may take.
            withdraw: is called with its number when the answer is no longer waited for.
            is_long: whether the answer may hold a whole transcript.

        Raises:
            SubjectFault: no answer comes.
        """
        if self._fault:
            raise _again(self._fault)
        self._asked += 1
        number = self._asked
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        if is_long:
            self._long.add(number)
            self._process.line_bytes = LONG_LINE_BYTES
        self.send({**message, "id": number})
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise Hung(f"No answer to {what} came within {seconds:g} s.", self._process.tail) from None
        finally:
            del self._open[number]
            if not answer.done() or answer.cancelled():
                self._dropped.add(number)
                withdraw(number)

    def answer(self, number: object, message: Message) -> bool:
        """This answers the question with this number; whether there is such a question."""
        if not isinstance(number, int) or isinstance(number, bool):
            return False
        if number in self._dropped:
            self._dropped.remove(number)
            self._is_answered(number)
            return True
        answer = self._open.get(number)
        if answer is None or answer.done():
            return False
        self._is_answered(number)
        answer.set_result(message)
        return True

    def _is_answered(self, number: int) -> None:
        self._unasked = self._unasked_bytes = 0
        self._long.discard(number)
        self._process.line_bytes = LONG_LINE_BYTES if self._long else LINE_BYTES

    def _understand(self, line: bytes) -> bool:
        text = line.decode("utf-8", "backslashreplace")
        message = parsed(text) if values(text) <= MOST_VALUES else None
        return message is not None and self.read(message)

    def _put_up_with(self, line: bytes) -> None:
        text = shown(line[:400].decode("utf-8", "replace"), 80)
        self.strays.append(text)
        if len(self.strays) > JUNK_LINES:
            self._give_up(f"It wrote more than {JUNK_LINES} lines on stdout that are no message; the last is '{text}'.")
        elif len(self.strays) <= _NOTED_LINES:
            self._process.note(f"a line on stdout is no message: '{text}'")

    def _give_up(self, text: str) -> None:
        self._process.fail(Babbled, text)


def _again(fault: SubjectFault) -> SubjectFault:
    """The same, to be raised in another place."""
    return type(fault)(str(fault), fault.tail)
