"""A conversation is played with a real implementation: ours agrees with the tables, and what differs or is too slow is told apart."""

import asyncio
from collections.abc import Callable

import psutil
from tunnel_conformance.explore.draw import drawn
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Move, Plan
from tunnel_conformance.explore.play import Difference, Played, play
from tunnel_conformance.subjects.base import Answer, Call

from tests.conformance.meddled import Meddled
from tests.conformance.own import Own
from tests.io.asynchronous import until

JOINED = Move("join", "A", "right")
LATE = (JOINED, Move("join", "B", "right"), Move("say"))


def played(plan: Plan, make: Callable[[], Own] = Own, patience: float = 5.0) -> Played:
    async def once() -> Played:
        own = make()
        try:
            return await play(plan, HostWalk, own, patience)
        finally:
            await own.end()

    return asyncio.run(once())


def test_ours_does_what_the_tables_say() -> None:
    async def all_of_them(plans: list[Plan]) -> list[Played]:
        own = Own()
        try:
            return [await play(plan, HostWalk, own) for plan in plans]
        finally:
            await own.end()

    found = asyncio.run(all_of_them(drawn(HostWalk, 15, 5, timed=False)))

    assert [one for one in found if one.difference or one.is_late or not one.is_reusable] == []


def test_another_reason_is_a_difference() -> None:
    found = played(LATE, lambda: Meddled(lambda frame: frame.replace("tunnel full", "go away")))

    assert found.difference == Difference(
        step=3, expected="join by B -> refused (reason: tunnel full)", got="auth_fail with the reason 'go away'"
    )
    assert not found.is_late
    assert not found.is_reusable


def test_a_close_without_a_reason_is_tolerated() -> None:
    """As the cases tolerate it: somebody on the way closes with no reason."""
    assert played((JOINED, Move("close", how="plain")), Meddled).difference is None


def test_what_does_not_come_to_an_end_is_a_difference() -> None:
    class Stuck(Own):
        async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
            if what == "status":
                await asyncio.Event().wait()
            return await super().call(what, arguments, seconds)

    async def once() -> Played:
        own = Stuck()
        try:
            return await play((Move("status"),), HostWalk, own, seconds=0.2, patience=0.2)
        finally:
            await own.end()

    assert asyncio.run(once()).difference == Difference(step=2, expected="status", got="it hung")


def test_a_conversation_that_is_called_off_leaves_no_connection() -> None:
    """Also while the process lives on, and does not see that anybody left."""
    asked: list[Call] = []

    class Stuck(Own):
        async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
            asked.append(what)
            if what == "status":
                await asyncio.Event().wait()
            return await super().call(what, arguments, seconds)

    async def once() -> None:
        own = Stuck()
        try:
            playing = asyncio.ensure_future(play((JOINED, Move("status")), HostWalk, own))
            await until(lambda: "status" in asked)
            assert connections() > 0
            playing.cancel()
            await asyncio.wait([playing])
            assert playing.cancelled()
            await until(lambda: connections() == 0)
        finally:
            await own.end()

    asyncio.run(once())


def connections() -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in psutil.Process().net_connections("tcp"))


def test_a_process_that_dies_is_a_difference_at_the_step_at_which_it_does() -> None:
    found = played((JOINED, Move("listen")), lambda: Own(dies_at="listen"))

    assert found.difference == Difference(step=3, expected="listen", got="It died at listen.")
    assert not found.is_reusable


def test_a_process_that_cannot_even_close_is_a_difference_at_the_last_step() -> None:
    found = played((JOINED,), lambda: Own(dies_at="close"))

    assert found.difference == Difference(step=2, expected="join by A -> admitted (seq: 2)", got="It died at close.")


def test_a_machine_that_is_too_slow_proves_nothing() -> None:
    """Here a clock is said to go a million times as fast as it does: by it, the stranger took hours to answer."""
    found = played((Move("connect", "A"), Move("auth", "A", "right")), lambda: Own(speed=1_000_000))

    assert found.is_late


def test_a_tunnel_that_does_not_open_proves_nothing() -> None:
    def silent(what: str, answer: Answer) -> Answer:
        return Answer(error="not now") if what == "open" else answer

    assert played((JOINED,), lambda: Own(twist=silent)).is_late
