"""One person's talk over a tunnel: says what is typed, shows what is heard, and ends with the tunnel, whoever ends it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Final, Protocol

from msgspec import structs

from tunnel.app.arguments import whole_text
from tunnel.app.chat import show
from tunnel.app.chat.typed import End, Say, ShowHelp, ShowStatus, Unknown, meaning
from tunnel.app.listening import HeardMessage
from tunnel.app.results import Status
from tunnel.app.settings import LONGEST_LISTEN_SECONDS
from tunnel.app.slot import Tunnel
from tunnel.core.link import JoinLink
from tunnel.errors import TunnelError
from tunnel.spec.v1.constants import SUMMARY_BYTES

LOOK_SECONDS: Final = 1.0
"""While a guest is waited for, the link is looked at this often: nobody tells when it expires."""

_OVER: Final = frozenset({"peer_left", "closed"})


class Face(Protocol):
    """Where a person types and reads."""

    is_piped: ClassVar[bool]
    """Whether there is no terminal: then the end of the input does not mean that its person is gone."""

    async def link(self) -> JoinLink | None:
        """The link that the person gives; None when there will be none. A TunnelError says why what was given is none."""
        ...

    def tell(self, text: str) -> None:
        """Our own words to the person."""
        ...

    async def show(self, messages: Sequence[HeardMessage], peer: str) -> None:
        """What was said. A TunnelError says that it cannot be shown."""
        ...

    async def begin(self, look: Callable[[], Status], said: Callable[[], int]) -> None:
        """From now on the person can talk, and is shown how things stand."""
        ...

    async def line(self) -> str | None:
        """What the person types next; None when nothing more comes."""
        ...

    def stop(self) -> str:
        """Take nothing more; what was typed and nobody asked for, in a sentence."""
        ...

    async def close(self) -> None:
        """Give back what is the person's."""
        ...


class Talk:
    """The talk.

    Args:
        tunnel: open or joined.
        face: where the person is.
        seconds: how long to listen at a time.
    """

    def __init__(self, tunnel: Tunnel, face: Face, seconds: float = LONGEST_LISTEN_SECONDS) -> None:
        self._seconds = seconds
        self._tunnel = tunnel
        self._face = face
        self._chats = 0
        self._has_said = False
        self._is_whole = True

    async def run(self) -> bool:
        """Talk until it is over, and tell the person why; whether that is a normal end, and nothing was left unsaid."""
        await self._face.begin(self._tunnel.status, lambda: self._chats)
        hearing = asyncio.ensure_future(self._hear())
        speaking = asyncio.ensure_future(self._speak())
        try:
            await asyncio.wait([hearing, speaking], return_when=asyncio.FIRST_COMPLETED)
            over = self._tunnel.status()
            left = self._face.stop()
            await self._tunnel.close(speaking.result() if speaking.done() else "")
            await speaking
            await hearing
        finally:
            for task in (hearing, speaking):
                task.cancel()
        text, is_good = show.ended(over if over.state in _OVER else self._tunnel.status())
        self._face.tell(text)
        if left:
            self._not_said(left)
        return is_good and (self._is_whole or not self._face.is_piped)

    async def _hear(self) -> None:
        """Show what is said, until nothing more can come. A long message comes in parts, and is shown as a whole."""
        cursor = offset = 0
        begun = ""
        while True:
            heard = await self._tunnel.listen(cursor, self._seconds, offset)
            cursor, offset = heard.cursor, 0
            if heard.messages:
                first, *others = heard.messages
                begun += first.text
                if first.rest is None:
                    await self._show([structs.replace(first, text=begun), *others])
                    begun = ""
                else:
                    cursor, offset = first.seq - 1, first.rest
            elif self._tunnel.status().state in _OVER:
                return

    async def _show(self, messages: list[HeardMessage]) -> None:
        self._chats += sum(message.kind == "chat" for message in messages)
        await self._face.show(messages, self._tunnel.status().peer)

    async def _speak(self) -> str:
        """Do what is typed, until the person ends it; the summary."""
        while (line := await self._face.line()) is not None:
            match meaning(line):
                case Say(text):
                    await self._say(text)
                case End(summary) if self._fits(summary):
                    return summary
                case ShowStatus():
                    self._face.tell(show.status_text(self._tunnel.status(), self._chats))
                case ShowHelp():
                    self._face.tell(show.help_text(is_piped=self._face.is_piped))
                case Unknown(explanation):
                    self._not_said(explanation)
                case _:
                    pass
        if self._face.is_piped and self._has_said:
            await self._somebody()
        return ""

    async def _say(self, text: str) -> None:
        try:
            await self._tunnel.say(whole_text("the text", text))
            self._has_said = True
        except TunnelError as error:
            self._not_said(f"Not sent: {error}")

    def _fits(self, summary: str) -> bool:
        try:
            whole_text("the summary", summary, SUMMARY_BYTES)
        except TunnelError as error:
            self._not_said(f"Not closed: {error}")
            return False
        return True

    def _not_said(self, why: str) -> None:
        self._is_whole = False
        self._face.tell(why)

    async def _somebody(self) -> None:
        """What was said to nobody yet waits for the guest, as long as its link is good."""
        while (now := self._tunnel.status()).state == "waiting_for_guest":
            if not now.link_expires_in_sec:
                self._not_said("Nobody came while the join link was good, so nobody has heard what was said.")
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._tunnel.changed()
