"""Two agents that talk through two servers and account for every number: what each said, and what each heard, and how late."""

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.app.processes import Answer, Server
from tests.endurance.accounts import faults_of, strays_of
from tests.system.talking import a_person
from tunnel.app.settings import SAY_SECONDS

NO_BUDGET = {"TUNNEL_BUDGET": "0"}
"""No person stands by who would allow more."""

UNANSWERED = "did not answer within"
"""What a join says that has waited long enough for the network, or for the host."""


SAID_SECONDS: Final = SAY_SECONDS + 10.0
"""A say has its answer before that: a server waits so long for the peer at the most, and some more for the machine."""


class Agent:
    """One side: what it said, by number, and what it heard, in its order.

    Args:
        server: whom it speaks to.
        name: who it is.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.said: dict[int, str] = {}
        self.heard: list[tuple[int, str]] = []
        self.dated: dict[int, float] = {}
        """When messages were said by the host's wall clock, in seconds since the Unix epoch, by number."""
        self.cursor = 0

    async def say(self, *texts: str) -> int:
        """Say things that must all be confirmed, at once; the last number."""
        saying = [await self.server.begin_call("tunnel_say", text=text) for text in texts]
        seqs = [await self._confirmed(text, request) for text, request in zip(texts, saying, strict=True)]
        return max(seqs)

    async def _confirmed(self, text: str, request: int) -> int:
        result = (await self._answer_to(request))["result"]
        assert not result.get("isError"), f"{self.name} could not say {text!r}: {result['content'][0]['text']}"
        seq = result["structuredContent"]["seq"]
        self.said[seq] = text
        return seq

    async def _answer_to(self, request: int) -> Answer:
        # A say may wait for longer than a test waits for an answer.
        async with asyncio.timeout(SAID_SECONDS):
            while True:
                with suppress(TimeoutError):
                    return await self.server.answer_to(request)

    async def begin_listening(self, seconds: float = 15) -> int:
        """Begin to listen behind what was heard; the request."""
        return await self.server.begin_call("tunnel_listen", sinceSeq=self.cursor, timeoutMs=int(seconds * 1000))

    async def hear(self, listening: int) -> None:
        """Take what a listen is answered."""
        answer = (await self.server.answer_to(listening))["result"]["structuredContent"]
        self.heard += [(message["seq"], message["text"]) for message in answer["messages"]]
        self.dated |= {message["seq"]: message["ts"] / 1000 for message in answer["messages"]}
        self.cursor = answer["cursor"]

    async def catch_up(self, seq: int, seconds: float = 15) -> None:
        """Hear everything up to a number, as far as it comes in time."""
        end = time.monotonic() + seconds
        while self.cursor < seq and (left := end - time.monotonic()) > 0:
            await self.hear(await self.begin_listening(left))


class Pair:
    """A host's agent and a guest's.

    Args:
        host: whoever has opened.
        guest: whoever has joined.
        joins: how many tries that took.
    """

    def __init__(self, host: Server, guest: Server, joins: int = 1) -> None:
        self.host, self.guest = Agent(host, "the host"), Agent(guest, "the guest")
        self.joins = joins
        self.latencies: dict[int, float] = {}
        """How many seconds after somebody began to say it a message was heard by the other side."""

    async def exchange(self, times: int, at_once: int = 1) -> None:
        """So often each side says something, or several things at once, while the other one listens."""
        for number in range(times):
            for speaker, listener in ((self.guest, self.host), (self.host, self.guest)):
                words = [f"message {number}.{part} of {speaker.name}" for part in range(at_once)]
                await self.tell(speaker, listener, *words)

    async def tell(self, speaker: Agent, listener: Agent, *texts: str) -> None:
        """One side says something, and the other one hears it."""
        await listener.catch_up(speaker.cursor)
        listening, began = await listener.begin_listening(), time.monotonic()
        seq = await speaker.say(*texts)
        await listener.hear(listening)
        await listener.catch_up(seq)
        self.latencies[seq] = time.monotonic() - began

    async def faults(self, seconds: float = 15) -> list[str]:
        """What is wrong with the account, once both have heard what there is."""
        said = self.host.said | self.guest.said
        last = max([*said, self.host.cursor, self.guest.cursor])
        for agent in (self.host, self.guest):
            await agent.catch_up(last, seconds)
        found = strays_of(said, last)
        for agent in (self.host, self.guest):
            found += faults_of(said, agent.heard, last, agent.name)
        return found

    def figures(self) -> dict[str, int | float]:
        """How many messages there were, and how late they were heard."""
        milliseconds = [seconds * 1000 for seconds in self.latencies.values()]
        return {
            "messages": self.messages,
            "median ms": statistics.median(milliseconds),
            "slowest ms": max(milliseconds),
        }

    @property
    def messages(self) -> int:
        """How many have their numbers."""
        return len(self.host.said) + len(self.guest.said)


async def failed_join(guest: Server, link: str) -> str:
    """Why a join does not come about; nothing when it does."""
    answer = await guest.ask("tools/call", name="tunnel_join", arguments={"joinLink": link})
    return answer["result"]["content"][0]["text"] if answer["result"].get("isError") else ""


async def joined(guest: Server, link: str, most: int) -> int:
    """Join; how many tries that takes. Only where there was no answer in time it is tried again."""
    tries, failed = await tries_to_join(guest, link, most, UNANSWERED)
    assert not failed, failed
    return tries


async def tries_to_join(guest: Server, link: str, most: int, again: str = "") -> tuple[int, str]:
    """How often a guest tries to join, and why the last try fails; nothing when it is in.

    Args:
        guest: joins.
        link: the join link.
        most: how often it may try.
        again: what stands in every reason for which it tries again.
    """
    tries, failed = 1, await failed_join(guest, link)
    while tries < most and failed and again in failed:
        tries, failed = tries + 1, await failed_join(guest, link)
    return tries, failed


@asynccontextmanager
async def a_pair(
    host: Mapping[str, str] | None = None,
    guest: Mapping[str, str] | None = None,
    prefixes: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    joins: int = 1,
) -> AsyncGenerator[Pair]:
    """A host and a guest in one tunnel.

    Args:
        host: more of the environment of the host's server.
        guest: and of the guest's.
        prefixes: commands in front of the two.
        joins: how often the guest may try, as long as nobody answers it in time.
    """
    at_host, at_guest = prefixes
    async with (
        a_person(*at_host, **NO_BUDGET, **(host or {})) as alice,
        a_person(*at_guest, **NO_BUDGET, **(guest or {})) as bob,
    ):
        link = (await alice.call("tunnel_open", goal="endure"))["joinLink"]
        tries = await joined(bob, link, joins)
        yield Pair(alice, bob, tries)
