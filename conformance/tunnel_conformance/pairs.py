"""Two implementations talk with each other, with no peer of the kit between them: what a matrix has beside the cases."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final, cast

from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.subjects.base import Answer, Call, Launcher, Subject, SubjectFault
from tunnel_conformance.wire.log import Log

CASE: Final = "pair-talk"
TITLE: Final = "host and guest open, join, talk both ways, and the guest learns of the close"
RULES: Final = ("WIRE-1", "AUTH-2", "SEQ-1", "SEAL-1", "CLOSE-5")

CALL_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 10.0
"""So long is waited for what must be heard."""
LOOK_SECONDS: Final = 0.1


class Unlike(Exception):
    """The two do not understand each other; the text says what was seen."""


async def talk(
    host: Launcher,
    guest: Launcher,
    *,
    patience: float = PATIENCE_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> Verdict:
    """A whole tunnel between two implementations; the verdict stands with the host, and names the guest as its partner.

    Args:
        host: starts who opens the tunnel.
        guest: starts who joins it.
        patience: seconds that are waited for what must be heard.
        now: seconds on any clock that only goes forward.
    """
    log = Log(now)
    started: list[Subject] = []
    outcome, got, note = Outcome.PASS, "", ""
    try:
        started.append(await host.start())
        started.append(await guest.start())
        await _converse(
            *(_Agent(subject, who, log, patience) for subject, who in zip(started, ("host", "guest"), strict=True))
        )
    except Unlike as error:
        outcome, got = Outcome.FAIL, str(error)
    except SubjectFault as fault:
        # Before both have started, nothing was said about a rule.
        outcome = Outcome.ERROR if started[1:] else Outcome.HARNESS
        got, note = str(fault), fault.tail
    finally:
        for subject in started:
            await subject.end()
    return Verdict(
        case=CASE,
        title=TITLE,
        role="host",
        rules=RULES,
        binding=True,
        outcome=outcome,
        expected=TITLE if got else "",
        got=log.shown(got),
        note=note,
        seconds=round(log.seconds, 3),
        partner=guest.name,
        log=log.entries,
    )


class _Agent:
    """One of the two, whose calls stand in the log."""

    def __init__(self, subject: Subject, who: str, log: Log, patience: float) -> None:
        self.subject = subject
        self._looks = max(1, int(patience / LOOK_SECONDS))
        self._who = who
        self._log = log

    async def call(self, what: Call, arguments: dict[str, object]) -> dict[str, object]:
        """A result.

        Raises:
            Unlike: there is an error instead.
        """
        self._log.did(f"{self._who} {what} {json.dumps(arguments)}")
        answer: Answer = await self.subject.call(what, arguments, CALL_SECONDS)
        self._log.answered(f"{self._who} {what} {json.dumps(answer.result) if answer.error is None else answer.error}")
        if answer.result is None:
            raise Unlike(f"the {self._who}'s {what} failed: {answer.error}")
        return answer.result

    async def hears(self, text: str) -> None:
        """Listen until the peer has said this."""
        for _ in range(self._looks):
            result = await self.call("listen", {"sinceSeq": 0, "timeoutMs": 0})
            if text in _texts(result.get("messages")):
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Unlike(f"the {self._who} never hears {text!r}")

    async def knows_the_end(self) -> None:
        """Ask for the status until it says that the tunnel, or the peer, is gone."""
        for _ in range(self._looks):
            status = await self.call("status", {})
            if status.get("state") == "closed" or status.get("peerConnected") is False:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise Unlike(f"the {self._who} is never told that the tunnel is over")


def _texts(messages: Any) -> list[object]:  # Any: JSON of an implementation, of whatever shape
    found = cast(list[Any], messages) if isinstance(messages, list) else []
    return [cast(dict[str, object], message).get("text") for message in found if isinstance(message, dict)]


async def _converse(host: _Agent, guest: _Agent) -> None:
    opened = await host.call("open", {"goal": "talk with another implementation"})
    link = str(opened.get("joinLink"))
    address, port = host.subject.reachable_at(link)
    near = f"ws://{f'[{address}]' if ':' in address else address}:{port}/t/{link.partition('/t/')[2]}"
    await guest.call("join", {"joinLink": near})
    await guest.call("say", {"text": "hello from the guest"})
    await host.hears("hello from the guest")
    await host.call("say", {"text": "hello from the host"})
    await guest.hears("hello from the host")
    await host.call("close", {"summary": "that was all"})
    await guest.knows_the_end()
