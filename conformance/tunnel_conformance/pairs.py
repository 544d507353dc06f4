"""Two implementations talk with each other, with no peer of the kit between them: what a matrix has beside the cases."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest
from typing import Any, Final, cast

from msgspec import Struct

from tunnel.spec.model import Role
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.self_test import Trouble, lacks_role
from tunnel_conformance.subjects.base import Answer, Call, Launcher, Subject, SubjectFault
from tunnel_conformance.wire.log import Log

CALL_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 10.0
"""So long is waited for what must be heard."""
LOOK_SECONDS: Final = 0.1

GUEST_SAYS: Final = ("hello from the guest", "schön: \u4f60\u597d \U0001f642", 'two\nlines and a "quote"')
HOST_SAYS: Final = (
    "hello from the host",
    "\u0431\u044b\u0441\u0442\u0440\u043e",
    "\u00e9 and e\u0301 are not the same",
)
AT_ONCE: Final = 5
"""So many texts each says while the other speaks, too."""


class Unlike(Exception):
    """The two do not understand each other; the text says what was seen."""


class Conversation(Struct, frozen=True, kw_only=True):
    """What the two do together."""

    id: str
    title: str
    rules: tuple[str, ...]
    play: "Callable[[_Agent, _Agent], Awaitable[None]]"
    """Told the host and the guest, who are in a tunnel by then."""


async def talk(
    host: Launcher,
    guest: Launcher,
    conversations: "Sequence[Conversation]",
    *,
    patience: float = PATIENCE_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> "list[Verdict]":
    """Have two implementations talk; the verdicts stand with the host, and name the guest as its partner.

    The same two processes have one tunnel after the other, until one of them does not answer any more.

    Args:
        host: starts who opens the tunnels.
        guest: starts who joins them.
        conversations: what they do.
        patience: seconds that are waited for what must be heard.
        now: seconds on any clock that only goes forward.
    """
    verdicts: list[Verdict] = []
    started: list[Subject] = []
    absent: Trouble | None = None
    try:
        for conversation in conversations:
            log = Log(now)
            outcome, got, note = Outcome.PASS, "", ""
            try:
                if not started:
                    started.append(await host.start())
                    started.append(await guest.start())
                    for subject, role in zip(started, (Role.HOST, Role.GUEST), strict=True):
                        absent = absent or await lacks_role(subject, role)
                if absent:
                    verdicts.append(_apart(conversation, guest.name, absent.text))
                    continue
                agents = [_Agent(*who, log, patience) for who in zip(started, ("host", "guest"), strict=True)]
                await _together(conversation, *agents)
            except Unlike as error:
                outcome, got = Outcome.FAIL, str(error)
            except SubjectFault as fault:
                # Before both have started, nothing was said about a rule.
                outcome = Outcome.ERROR if started[1:] else Outcome.HARNESS
                got, note = str(fault), fault.tail
            if got:
                # What is left of a tunnel that went wrong must not make the next one fail.
                await _end(started)
            verdicts.append(
                Verdict(
                    case=conversation.id,
                    title=conversation.title,
                    role="host",
                    rules=conversation.rules,
                    binding=True,
                    outcome=outcome,
                    expected=conversation.title if got else "",
                    got=log.shown(got),
                    note=note,
                    seconds=round(log.seconds, 3),
                    partner=guest.name,
                    log=log.entries,
                )
            )
    finally:
        await _end(started)
    return verdicts


def _apart(conversation: Conversation, partner: str, why: str) -> Verdict:
    return Verdict(
        case=conversation.id,
        title=conversation.title,
        role="host",
        rules=conversation.rules,
        binding=True,
        outcome=Outcome.NOT_APPLICABLE,
        note=why,
        partner=partner,
    )


async def _end(started: list[Subject]) -> None:
    while started:
        await started.pop().end()


class _Agent:
    """One of the two, whose calls stand in the log."""

    def __init__(self, subject: Subject, who: str, log: Log, patience: float) -> None:
        self.subject = subject
        self.who = who
        self._looks = max(1, int(patience / LOOK_SECONDS))
        self._log = log

    async def call(self, what: Call, arguments: dict[str, object]) -> dict[str, object]:
        """A result.

        Raises:
            Unlike: there is an error instead.
        """
        answer = await self.answer(what, arguments)
        if answer.result is None:
            raise Unlike(f"the {self.who}'s {what} failed: {answer.error}")
        return answer.result

    async def answer(self, what: Call, arguments: dict[str, object]) -> Answer:
        """A result, or the text of an error."""
        self._log.did(f"{self.who} {what} {json.dumps(arguments)}")
        answer = await self.subject.call(what, arguments, CALL_SECONDS)
        self._log.answered(f"{self.who} {what} {json.dumps(answer.result) if answer.error is None else answer.error}")
        return answer

    async def hears(self, *texts: str, within: bool = False) -> None:
        """Listen until all of this was said: as it is, or within a longer text."""
        left: list[str] = []
        for _ in range(self._looks):
            heard = [str(line.text) for line in await self.transcript()]
            left = [text for text in texts if text not in (" ".join(heard) if within else heard)]
            if not left:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Unlike(f"the {self.who} never hears {left[0]!r}")

    async def transcript(self) -> "list[_Line]":
        """All that was said, from the first message on, in pieces of whatever size it is given in."""
        lines: list[_Line] = []
        while True:
            result = await self.call("listen", {"sinceSeq": lines[-1].seq if lines else 0, "timeoutMs": 0})
            piece = _lines(result.get("messages"))
            if not piece or (lines and piece[-1].seq <= lines[-1].seq):
                return lines
            lines += piece

    async def knows_the_end(self) -> None:
        """Ask for the status until it says that the tunnel, or the peer, is gone."""
        for _ in range(self._looks):
            status = await self.call("status", {})
            if status.get("state") == "closed" or status.get("peerConnected") is False:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Unlike(f"the {self.who} is never told that the tunnel is over")


class _Line(Struct, frozen=True):
    """A message as an agent is shown it."""

    seq: int
    speaker: object
    kind: object
    text: object


def _lines(messages: Any) -> list[_Line]:  # Any: JSON of an implementation, of whatever shape
    found = cast(list[Any], messages) if isinstance(messages, list) else []
    objects = [cast(dict[str, object], message) for message in found if isinstance(message, dict)]
    return [
        _Line(seq, message.get("from"), message.get("kind"), message.get("text"))
        for message in objects
        if isinstance(seq := message.get("seq"), int)
    ]


async def _together(conversation: Conversation, host: _Agent, guest: _Agent) -> None:
    opened = await host.call("open", {"goal": "talk with another implementation"})
    await guest.call("join", {"joinLink": _near(host.subject, str(opened.get("joinLink")))})
    await conversation.play(host, guest)
    # Ready for the next tunnel: one that has ended is closed once more, which some ask for and others call an error.
    for agent in (guest, host):
        await agent.answer("close", {})


def _near(host: Subject, link: str) -> str:
    """The link as it is dialled on this machine."""
    address, port = host.reachable_at(link)
    return f"ws://{f'[{address}]' if ':' in address else address}:{port}/t/{link.partition('/t/')[2]}"


async def _talk(host: _Agent, guest: _Agent) -> None:
    for theirs, ours in zip(GUEST_SAYS, HOST_SAYS, strict=True):
        await guest.call("say", {"text": theirs})
        await host.hears(theirs)
        await host.call("say", {"text": ours})
        await guest.hears(ours)
    both = [(agent, f"{agent.who} {number}") for number in range(AT_ONCE) for agent in (host, guest)]
    await asyncio.gather(*(agent.call("say", {"text": text}) for agent, text in both))
    everything = (*GUEST_SAYS, *HOST_SAYS, *(text for _, text in both))
    for agent in (host, guest):
        await agent.hears(*everything)
    chats = [[line for line in await agent.transcript() if line.text in everything] for agent in (host, guest)]
    for of_host, of_guest in zip_longest(*chats):
        if of_host != of_guest:
            raise Unlike(f"the transcripts differ: the host has {_shown(of_host)}, the guest {_shown(of_guest)}")
    wrong = [
        line
        for line in chats[0]
        if (line.text in HOST_SAYS or str(line.text)[:4] == "host") != (line.speaker == "host")
    ]
    if wrong:
        raise Unlike(f"both hold somebody else for who said {_shown(wrong[0])}")


async def _close(host: _Agent, guest: _Agent) -> None:
    heard = [line.seq for line in await guest.transcript()]
    # The guest waits while it happens: nobody should have to wait out the listen.
    waiting = asyncio.ensure_future(guest.call("listen", {"sinceSeq": max(heard, default=0), "timeoutMs": 20_000}))
    await asyncio.sleep(0)
    await host.call("close", {"summary": "that was all"})
    await waiting
    await guest.hears("that was all", within=True)
    await guest.knows_the_end()
    after = await guest.answer("say", {"text": "is anybody there?"})
    if after.error is None:
        raise Unlike("the guest's say after the end does not fail")


async def _leave(host: _Agent, guest: _Agent) -> None:
    status = await host.call("status", {})
    if status.get("peerConnected") is not True:
        raise Unlike(f"the host does not say that its guest is there: peerConnected is {status.get('peerConnected')!r}")
    await guest.call("close", {"summary": "I have to go"})
    await host.hears("I have to go")
    await host.knows_the_end()


def _shown(line: _Line | None) -> str:
    return "nothing" if line is None else f"{line.text!r} from {line.speaker!r} as number {line.seq}"


CONVERSATIONS: Final = (
    Conversation(
        id="pair-talk",
        title="host and guest talk both ways, in turn and at once, and have the same transcript",
        rules=("WIRE-1", "SEQ-1", "SEQ-2", "SEQ-3", "SEAL-1"),
        play=_talk,
    ),
    Conversation(
        id="pair-close",
        title="the host closes with a summary, and the guest that waits hears it and knows the end",
        rules=("CLOSE-1", "CLOSE-3", "CLOSE-5"),
        play=_close,
    ),
    Conversation(
        id="pair-leave",
        title="the guest leaves with a summary, and the host hears it and knows that it has gone",
        rules=("CLOSE-6",),
        play=_leave,
    ),
)
"""In the order in which they are played."""
