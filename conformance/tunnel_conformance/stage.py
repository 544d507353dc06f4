"""What a case plays on: the implementation under test, the peers around it, and what was said so far."""

import asyncio
import json
import os
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tunnel.spec.model import Case, Role, Step
from tunnel_conformance.notation import Value, Words, peers, words
from tunnel_conformance.subjects.base import Answer, Call, Subject
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.end import End
from tunnel_conformance.wire.fields import Fields, objects
from tunnel_conformance.wire.guest import Guest
from tunnel_conformance.wire.host import Host, HostEnd
from tunnel_conformance.wire.link import Link, parse
from tunnel_conformance.wire.log import Log
from tunnel_conformance.wire.plain import Plain

PATIENCE_SECONDS: Final = 5.0
"""Real time that is waited for anything that must come at once."""

PONG_SECONDS: Final = 0.3
"""Real time that is waited for a pong at least."""

CALL_SECONDS: Final = 30.0
"""Real time that a call of the implementation's agent may take."""

Peer = Guest | Plain


class Unready(Exception):
    """A case did not get as far as what it is about."""


class Untestable(Exception):
    """The implementation does not show what a case asks for; the text says what is missing."""


class Stage:
    """One case at work. Used in `with`: nothing of the kit stays open, also when the case is called off.

    Args:
        case: what is played.
        subject: the implementation.
        log: what is said.
        patience: real seconds that are waited for what must come at once.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(
        self,
        case: Case,
        subject: Subject,
        log: Log,
        *,
        patience: float = PATIENCE_SECONDS,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.case = case
        self.subject = subject
        self.log = log
        self.patience = patience
        self.entropy = entropy
        self.bell = Bell()
        self.hosted: Link | None = None
        """The link of the subject under test as host."""
        self.links: list[Link] = []
        """All that it has handed out."""
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self.host: Host | None = None
        """The kit's own host, for a subject under test as guest."""
        self.peers: dict[str, Peer] = {}
        self.guests: list[Guest] = []
        """All that ever connected, in their order."""
        self.calls: list[tuple[Call, asyncio.Task[Answer]]] = []
        self.listening: asyncio.Task[Answer] | None = None
        self.began_listening = False
        """Whether that was in this step."""
        self.was_waiting = True
        """Whether the listen waited once it was asked for. A listen that never waits is woken by nothing."""
        self.nonces: set[str] = set()
        self.lost_in_time = False
        """Whether a connection was lost while time passed: a sped-up process may have been too slow."""
        self.was_stopped = False
        self.was_dialled = False
        """Whether the subject has connected to the kit's host in its last join."""
        self._marks: dict[int, tuple[int, int]] = {}

    @property
    def is_host(self) -> bool:
        """Whether the subject is judged as host."""
        return self.case.judges is Role.HOST

    # --- A step ------------------------------------------------------------------------------------------------------

    def begin(self, step: Step) -> tuple[tuple[str, ...], Words]:
        """A step begins: who does it, and its arguments."""
        self.began_listening = False
        for end in self.ends():
            self._marks[id(end)] = (len(end.came), end.pings)
        return peers(step.by), self.words(step.args)

    def words(self, values: dict[str, Value]) -> Words:
        """Arguments with everything in braces replaced."""
        return words(values, self._lookup)

    @property
    def pong_seconds(self) -> float:
        """How long a pong is waited for. Where time goes fast, deadlines run meanwhile: a lost pong must not cost them."""
        return self.patience if self.subject.speed == 1 else max(PONG_SECONDS, self.patience / self.subject.speed)

    def came_since(self, end: End) -> int:
        """How many messages came in this step."""
        return len(end.came) - self._marks.get(id(end), (0, 0))[0]

    def pings_since(self, end: End) -> int:
        """How many pings came in this step."""
        return end.pings - self._marks.get(id(end), (0, 0))[1]

    def is_new(self, end: End) -> bool:
        """Whether it was dialled in this step."""
        return id(end) not in self._marks

    def ends(self) -> list[End]:
        """Every WebSocket of the kit."""
        return [*self.guests, *(self.host.ends if self.host else [])]

    # --- Who is there ------------------------------------------------------------------------------------------------

    def link(self) -> Link:
        """The subject's join link.

        Raises:
            Unready: it has none.
        """
        if self.hosted is None:
            raise Unready("the case uses the join link before the tunnel is open")
        return self.hosted

    @property
    def key(self) -> bytes:
        """The key of the tunnel that is played with."""
        return (self.link() if self.is_host else self.host_link).key

    @property
    def host_link(self) -> Link:
        """The link of the kit's own host.

        Raises:
            Unready: it has none.
        """
        if self.host is None:
            raise Unready("the kit does not serve in this case")
        return self.host.link

    def guest(self, name: str) -> Guest:
        """A guest of the kit.

        Raises:
            Unready: it never connected.
        """
        found = self.peers.get(name)
        if not isinstance(found, Guest):
            raise Unready(f"{name} has not connected in this case")
        return found

    def peer(self, name: str) -> Peer:
        """A connection of the kit, of whatever kind.

        Raises:
            Unready: there is none.
        """
        if name not in self.peers:
            raise Unready(f"{name} has not connected in this case")
        return self.peers[name]

    def host_end(self) -> HostEnd:
        """The connection that the subject made.

        Raises:
            Unready: it made none.
        """
        end = self.host.end if self.host else None
        if end is None:
            raise Unready("the implementation has not connected")
        return end

    def end_of(self, name: str) -> End:
        """The WebSocket at which a step looks: of this guest, or of the kit's host."""
        return self.guest(name) if self.is_host else self.host_end()

    def opened(self, answer: Answer) -> None:
        """The subject has handed out a link.

        Raises:
            Unready: it has not, or none that can be used.
        """
        try:
            self.hosted = parse((answer.result or {}).get("joinLink"))
        except ValueError as error:
            raise Unready(f"tunnel_open gave no joinLink that can be used: {error}") from None
        self.links.append(self.hosted)
        self.log.hide(self.hosted.key_text, "[key]")
        self.log.hide(self.hosted.text, "[join link]")
        self.address = self.subject.reachable_at(self.hosted.text)

    # --- The subject's agent -----------------------------------------------------------------------------------------

    def call(self, what: Call, arguments: dict[str, object], seconds: float = CALL_SECONDS) -> "asyncio.Task[Answer]":
        """Have the subject's agent do something, and go on."""
        task = asyncio.get_running_loop().create_task(self._call(what, arguments, seconds))
        self.calls.append((what, task))
        return task

    async def _call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        self.log.did(f"{what} {json.dumps(arguments, ensure_ascii=False)}" if arguments else what)
        try:
            answer = await self.subject.call(what, arguments, seconds)
        finally:
            self.bell.ring()
        if isinstance(link := (answer.result or {}).get("joinLink"), str):
            self._hide_key(link)
        told = f"error: {answer.error}" if answer.result is None else json.dumps(answer.result, ensure_ascii=False)
        self.log.answered(f"{what}: {told}")
        return answer

    async def answer(self, what: Call, seconds: float) -> Answer | None:
        """The answer to the last call of a kind; None when it does not come in time, or there was none."""
        found = [task for name, task in self.calls if name == what]
        return await self.finished(found[-1], seconds) if found else None

    async def finished(self, call: "asyncio.Task[Answer]", seconds: float) -> Answer | None:
        """The answer to a call; None when it does not come in time."""
        await asyncio.wait([call], timeout=seconds)
        return call.result() if call.done() else None

    async def ask(self, what: Call, arguments: dict[str, object] | None = None) -> Fields:
        """The result of a call that has no business to fail; empty when it does."""
        return (await self.call(what, arguments or {})).result or {}

    def milliseconds(self, seconds: float) -> int:
        """Real seconds in milliseconds of the subject's clock."""
        return int(seconds * 1000 * self.subject.speed)

    # --- Names in braces ---------------------------------------------------------------------------------------------

    def _lookup(self, name: str) -> str | None:
        link = self.hosted or (self.host.link if self.host else None)
        match name.split():
            case ["path"] if link:
                return link.path
            case ["url"] if link:
                return link.text.partition("#")[0]
            case ["port"] if link:
                return link.port
            case ["key"] if link:
                return link.key_text
            case ["other", "key"] if link:
                return _uncanonical(link.key_text)
            case ["host", "name"]:
                return next((guest.host_name for guest in reversed(self.guests) if guest.host_name), "")
            case ["chat"] if link:
                guest = next((guest for guest in reversed(self.guests) if not guest.is_over), None)
                if guest is None:
                    return None
                fields = {"t": "send", "msg": guest.draft("a chat").fields}
                return json.dumps(fields, separators=(",", ":"))
            case ["proof"]:
                return next((guest.response for guest in reversed(self.guests) if guest.response), "")
            case ["sealed", *text] if link:
                return crypto.seal(link.key, " ".join(text), self.entropy(24))
            case ["body", "of", number] if self.host and number.isdigit():
                return self.host_end().bodies.get(int(number), "")
            case ["last", "body"]:
                messages = [message for guest in self.guests for message in guest.messages]
                return str(messages[-1].get("body")) if messages else None
            case ["said", "body"] if self.host and self.host_end().sends:
                return str(self.host_end().sends[-1].get("body"))
            case ["elsewhere"] if self.host:
                return str(self.host.elsewhere)
            case _:
                return None

    def _hide_key(self, link: str) -> None:
        _, _, key = link.partition("#")
        self.log.hide(link, "[join link]")
        self.log.hide(key, "[key]")

    # --- The end -----------------------------------------------------------------------------------------------------

    async def strike(self) -> bool:
        """Everything of the kit is closed, and the subject's tunnel; whether the subject can play another case.

        Raises:
            SubjectFault: it did not survive the close.
        """
        peers = self._cut()
        closing = None if self.was_stopped else self.call("close", {}, self.patience)
        pending = [task for _, task in self.calls]
        late = (await asyncio.wait(pending, timeout=self.patience + 1))[1] if pending else set[asyncio.Task[Answer]]()
        for task in late:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        # Only now: a connection that was just accepted would be forgotten.
        if self.host:
            self.host.close()
        await self.bell.until(lambda: all(peer.is_gone for peer in peers), 1)
        if closing is None:
            return False
        closing.result()
        return not any(task.cancelled() or task.exception() for task in pending)

    def _cut(self) -> list[End | Peer]:
        peers: list[End | Peer] = [*self.ends(), *self.peers.values()]
        for peer in peers:
            peer.abort()
        return peers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A case that is called off never gets as far as its strike.
        self._cut()
        if self.host:
            self.host.close()
        for _, task in self.calls:
            task.cancel()


async def heard_so_far(stage: Stage) -> list[Fields]:
    """Everything that the subject's agent can hear, from the start; it comes in portions."""
    found: list[Fields] = []
    since = 0
    while True:
        answer = await stage.ask("listen", {"sinceSeq": since, "timeoutMs": 0})
        messages = objects(answer.get("messages"))
        found += messages
        numbers = (*(message.get("seq") for message in messages), answer.get("cursor"))
        last = max((number for number in numbers if isinstance(number, int)), default=0)
        if not messages or last <= since:
            return found
        since = last


def _uncanonical(key: str) -> str:
    """The key with a tail that a lenient decoder reads as the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return key[:-1] + alphabet[alphabet.index(key[-1]) + 1]
