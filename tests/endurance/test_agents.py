"""A guest tries again when nobody has answered it in time, and for no other reason; a say waits for as long as the product does."""

import asyncio

import pytest

from tests.app.processes import PATIENCE_SECONDS, Answer, Server
from tests.endurance.agents import UNANSWERED, Agent, joined
from tests.io.asynchronous import skipping
from tunnel.app.settings import SAY_SECONDS
from tunnel.io.trouble import Stage, explain, unanswered

IN = ""
LATE = unanswered(Stage.TCP, "10.77.0.1", 4)
REFUSED = explain(Stage.TCP, ConnectionRefusedError(), "10.77.0.1")


class Guest(Server):
    """Its joins fail for these reasons, one after the other."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)

    async def ask(self, method: str, **params: object) -> Answer:
        failed = self.failures.pop(0)
        return {"result": {"isError": bool(failed), "content": [{"text": failed}], "structuredContent": {}}}


class Slow(Server):
    """It answers so many seconds after it was made."""

    def __init__(self, seconds: float) -> None:
        self.answers_at = asyncio.get_running_loop().time() + seconds

    async def begin_call(self, tool: str, **arguments: object) -> int:
        return 1

    async def answer_to(self, request: int | str) -> Answer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.sleep(self.answers_at - asyncio.get_running_loop().time())
        return {"result": {"structuredContent": {"seq": 7}}}


@pytest.mark.parametrize("stage", Stage)
def test_whatever_is_not_answered_in_time_is_told_in_these_words(stage: Stage) -> None:
    assert UNANSWERED in unanswered(stage, "10.77.0.1", 4)
    assert UNANSWERED not in explain(stage, ConnectionRefusedError(), "10.77.0.1")


@pytest.mark.parametrize("seconds", [0, 45, SAY_SECONDS])
@skipping
async def test_a_say_that_is_confirmed_as_late_as_it_may_be_is_said(seconds: float) -> None:
    assert await Agent(Slow(seconds), "the guest").say("hello") == 7


@skipping
async def test_a_say_that_nobody_answers_is_given_up() -> None:
    agent = Agent(Slow(2 * SAY_SECONDS), "the guest")

    with pytest.raises(TimeoutError):
        await agent.say("hello")


@pytest.mark.parametrize(("failures", "tries"), [([IN], 1), ([LATE, IN], 2), ([LATE, LATE, IN], 3)])
def test_who_is_not_answered_in_time_tries_again(failures: list[str], tries: int) -> None:
    assert asyncio.run(joined(Guest(*failures), "a link", 3)) == tries


@pytest.mark.parametrize(("failures", "most"), [([LATE, LATE], 2), ([REFUSED], 3), ([LATE, REFUSED], 3), ([LATE], 1)])
def test_who_has_tried_often_enough_or_is_told_something_else_does_not(failures: list[str], most: int) -> None:
    guest = Guest(*failures)

    with pytest.raises(AssertionError, match=failures[-1].partition(":")[0]):
        asyncio.run(joined(guest, "a link", most))

    assert guest.failures == []
