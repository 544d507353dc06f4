"""The server's side of a person's commands: tells where it is, takes an approval, opens the window.

An approval is bound to its connection and to what was typed there, and works once. What grants is given only to what
looks like a person's own command.
"""

import asyncio
import hmac
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from tunnel.app.listening import OWN
from tunnel.app.person import registry
from tunnel.app.person.lines import LINE_BYTES, Answer, Ask, Typed
from tunnel.app.person.origin import process_at, why_not_a_person
from tunnel.app.person.registry import Listening
from tunnel.app.tools import Tools
from tunnel.core.text import visible
from tunnel.errors import NetworkFault

ASK_SECONDS: Final = 5.0
TYPE_SECONDS: Final = 120.0
"""So long a person may take to type."""

MOST_AT_ONCE: Final = 8
SHOWN_BYTES: Final = 200
SHOWN_MESSAGES: Final = 3
"""So many of what the agent said last are shown to who is to allow more."""

CHALLENGE_DIGITS: Final = 4

Judge = Callable[[int | None, int], str | None]


class Window(Protocol):
    """The person's window, which may not be open yet."""

    async def open(self) -> str:
        """Where it is, for reading; from now on if it was not open. A NetworkFault says why it cannot be."""
        ...

    def new_token(self) -> str:
        """What its buttons ask for, from now on."""
        ...


class Desk:
    """Where a person's commands are heard, for the life of this process.

    Args:
        tools: what they are about.
        window: what `watch` opens.
        entropy: random bytes, in the shape of `os.urandom`.
        client: the process that started this one.
        judge: says why a process that asks is not a person's command; see `why_not_a_person`.
        type_seconds: how long a person may take to type.
    """

    def __init__(
        self,
        tools: Tools,
        window: Window,
        entropy: Callable[[int], bytes] = os.urandom,
        client: int | None = None,
        judge: Judge = why_not_a_person,
        type_seconds: float = TYPE_SECONDS,
    ) -> None:
        self._tools = tools
        self._window = window
        self._entropy = entropy
        self._client = os.getppid() if client is None else client
        self._judge = judge
        self._type_seconds = type_seconds
        self._listening: Listening | None = None
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self, home: Path | None) -> None:
        """Begin to hear. Where that cannot be, a spent budget says so."""
        try:
            self._listening = registry.listen(home, os.getpid(), self._entropy, os.geteuid())
        except OSError as error:
            self._tools.budget.way = (
                f"by a restart of this server: `tunnel-mcp allow` cannot reach it ({error.strerror or 'no socket'}; it "
                "needs a HOME that can be written)"
            )
            return
        self._server = await asyncio.start_unix_server(self._take, sock=self._listening.socket, limit=LINE_BYTES)

    async def close(self) -> None:
        """Hear nothing more, and leave nothing behind."""
        if self._server:
            self._server.close()
        if self._listening:
            self._listening.close()
        for talk in self._talks:
            talk.cancel()
        if self._talks:
            await asyncio.wait(self._talks)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        try:
            # Whoever connects and says nothing must not keep a person out for longer than that.
            if len(self._talks) <= MOST_AT_ONCE:
                with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
                    await self._talk(reader, writer)
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(ASK_SECONDS):
            ask = msgspec.json.decode(await reader.readuntil(b"\n"), type=Ask)
        match ask.want:
            case "look":
                answer = self._look()
            case "watch":
                answer = await self._watch(await self._why_not(writer))
            case "allow":
                answer = await self._allow(reader, writer)
        await _tell(writer, answer)

    async def _why_not(self, writer: asyncio.StreamWriter) -> str | None:
        """Why whoever asks is not the person."""
        # In a thread: the tunnel does not wait for what the system takes to tell.
        return await asyncio.to_thread(self._judge, process_at(writer.get_extra_info("socket")), self._client)

    def _look(self, **more: object) -> Answer:
        tunnel, budget = self._tools.tunnel, self._tools.budget
        status = tunnel.status() if tunnel else None
        return msgspec.structs.replace(
            Answer(
                state=status.state if status else "none",
                role=status.role if status and status.role != "none" else "",
                goal=visible(status.goal, SHOWN_BYTES) if status else "",
                peer=visible(status.peer, SHOWN_BYTES) if status else "",
                said=budget.said,
                limit=budget.limit,
            ),
            **more,
        )

    def _last(self) -> list[str]:
        messages = self._tools.tunnel.recent().messages if self._tools.tunnel else []
        own = [message.text for message in messages if message.provenance == OWN]
        return [visible(text, SHOWN_BYTES) for text in own[-SHOWN_MESSAGES:]]

    async def _watch(self, why_not: str | None) -> Answer:
        try:
            url = await self._window.open()
        except NetworkFault as error:
            return Answer(refused=str(error))
        if why_not:
            return Answer(url=url, refused=why_not)
        return Answer(url=url, token=self._window.new_token())

    async def _allow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        why_not = await self._why_not(writer)
        if why_not or not self._tools.budget.limit:
            return Answer(refused=why_not or "the budget is off (TUNNEL_BUDGET=0): your agent needs no approval")
        seen = self._tools.budget.round
        challenge = f"{int.from_bytes(self._entropy(8)) % 10**CHALLENGE_DIGITS:0{CHALLENGE_DIGITS}}"
        await _tell(writer, self._look(challenge=challenge, last=self._last()))
        async with asyncio.timeout(self._type_seconds):
            typed = msgspec.json.decode(await reader.readuntil(b"\n"), type=Typed).typed
        if not hmac.compare_digest(typed.strip().encode("utf-8", "replace"), challenge.encode()):
            return self._look(refused="that is not what was asked for, so nothing is allowed. Run it again")
        if not self._tools.budget.grant(seen):
            return self._look(refused="more was allowed by another way meanwhile, so this approval is not used")
        return self._look()


async def _tell(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(msgspec.json.encode(answer) + b"\n")
    async with asyncio.timeout(ASK_SECONDS):
        await writer.drain()
