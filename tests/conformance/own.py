"""Our own implementation as a subject, in this process: what the judge sees is real, and nothing has to be started."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from tunnel_conformance.subjects.base import Answer, Call, Died, Subject, SubjectFault
from tunnel_conformance.subjects.clock import Clock, RealTime

from tests.app.ends import end
from tunnel.app import results
from tunnel.errors import TunnelError
from tunnel.spec.model import Case, Role, Step

ARGUMENTS: Mapping[Call, Any] = {
    "open": results.OpenArguments,
    "join": results.JoinArguments,
    "say": results.SayArguments,
    "listen": results.ListenArguments,
    "status": results.StatusArguments,
    "close": results.CloseArguments,
}

Twist = Callable[[Call, Answer], Answer]


class Own:
    """One agent of ours.

    Args:
        dies_at: the call at which it is dead from then on.
        twist: changes what it answers.
        refuses_nonsense: whether it says no to a tool that does not exist.
        speed: how fast it says that its clock goes.
    """

    tail = "its last words"

    def __init__(
        self,
        dies_at: Call | None = None,
        twist: Twist = lambda _, answer: answer,
        *,
        refuses_nonsense: bool = True,
        speed: float = 1.0,
    ) -> None:
        self.speed = speed
        self.calls: list[Call] = []
        self.is_ended = False
        self.lacking: set[tuple[Call, str]] = set()
        self._tools = end("Alice")
        self._dies_at = dies_at
        self._twist = twist
        self._refuses = refuses_nonsense

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        self.calls.append(what)
        if self._dies_at in self.calls:
            raise Died(f"It died at {what}.", self.tail)
        given = msgspec.convert(arguments, ARGUMENTS[what])
        try:
            async with asyncio.timeout(seconds):
                result: Any = await getattr(self._tools, what)(given)
        except TunnelError as error:
            return self._twist(what, Answer(error=str(error)))
        return self._twist(what, Answer(result=msgspec.to_builtins(result)))

    async def tools(self, seconds: float) -> frozenset[str] | None:
        return None

    async def call_unknown(self, seconds: float) -> Answer:
        return Answer(error="no such tool") if self._refuses else Answer(result={})

    async def lacks(self, what: Call, argument: str) -> bool:
        return (what, argument) in self.lacking

    def reachable_at(self, join_link: str) -> tuple[str, int]:
        return "127.0.0.1", int(join_link.partition("/t/")[0].rpartition(":")[2])

    async def stop(self, seconds: float) -> int | None:
        await self._tools.exit()
        return 0

    async def end(self) -> None:
        self.is_ended = True
        await self._tools.exit()


class OwnLauncher:
    """Starts them.

    Args:
        make: makes the next one.
        trouble: why the first starts fail, one after the other.
    """

    name = "own"
    control: Literal["mcp", "line"] = "line"
    clock: Clock = RealTime()

    def __init__(self, make: Callable[[], Own] = Own, trouble: Sequence[SubjectFault] = ()) -> None:
        self.started: list[Own] = []
        self.speeds: list[float] = []
        self._make = make
        self._trouble = list(trouble)

    async def start(self, speed: float = 1.0) -> Subject:
        self.speeds.append(speed)
        if self._trouble:
            raise self._trouble.pop(0)
        subject = self._make()
        subject.speed = speed
        self.started.append(subject)
        return subject


def a_case(judges: Role, *steps: Step, needs: tuple[str, ...] = ()) -> Case:
    return Case(id="made-up", title="made up", judges=judges, rules=("WIRE-1",), steps=steps, needs=needs)


def host_case(*steps: Step) -> Case:
    """With a guest in."""
    return a_case(Role.HOST, Step(do="open"), Step(do="join", expect="admitted"), *steps)


def guest_case(*steps: Step) -> Case:
    """With the implementation in."""
    joined = (Step(do="serve"), Step(do="accept"), Step(do="challenge"), Step(do="admit", expect="joined"))
    return a_case(Role.GUEST, *joined, *steps)


OwnT = TypeVar("OwnT", bound=Own)


async def with_own(test: Callable[[OwnT], Awaitable[None]], own: OwnT) -> None:
    try:
        await test(own)
    finally:
        await own.end()
