"""An agent says as much as its person allows, and each approval of the person's works once."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from tests.app.ends import StillClock
from tests.io.asynchronous import skipping
from tunnel.app.budget import MOST_QUESTIONS, QUESTION_SECONDS, QUIET_SECONDS, Budget, PausedError, SpentError, messages
from tunnel.errors import NetworkFault, Refused


def a_budget(limit: int, clock: StillClock | None = None) -> Budget:
    numbers = itertools.count(1)
    return Budget(limit, clock or StillClock(), lambda size: next(numbers).to_bytes(size, "big"))


def say(budget: Budget, times: int = 1) -> None:
    for _ in range(times):
        with budget.turn():
            pass


def spent(limit: int = 3, clock: StillClock | None = None) -> Budget:
    budget = a_budget(limit, clock)
    say(budget, limit)
    return budget


def test_so_many_are_said_and_the_next_is_not() -> None:
    budget = spent(3)

    with pytest.raises(SpentError):
        say(budget)
    assert (budget.said, budget.left, budget.is_spent) == (3, 0, True)


def test_who_has_said_enough_is_told_what_was_found_what_is_allowed_and_what_to_do() -> None:
    with pytest.raises(SpentError) as caught:
        say(spent(3))

    said = str(caught.value)
    assert said.startswith("budget spent: you have said 3 messages since your person last allowed it")
    assert "this one was not said" in said
    assert "Nothing is lost" in said
    assert "Your person allows 3 more with `tunnel-mcp allow` in a terminal of their own." in said
    assert "were asked" not in said


@pytest.mark.parametrize(("limit", "said"), [(1, "said 1 message since"), (2, "said 2 messages since")])
def test_one_message_is_told_as_one(limit: int, said: str) -> None:
    with pytest.raises(SpentError, match=said):
        say(spent(limit))

    assert (messages(limit, " more") == "1 more message") is (limit == 1)


def test_what_stands_against_a_say_is_told_before_it_fails() -> None:
    budget = a_budget(3)
    free = budget.stands_against
    say(budget, 3)
    is_spent = budget.stands_against or ""
    budget.is_paused = True
    is_paused = budget.stands_against or ""

    assert free is None
    assert is_spent.startswith("Your budget is spent: tunnel_say works again once your person allows more")
    assert is_spent.endswith("Your person allows 3 more with `tunnel-mcp allow` in a terminal of their own.")
    assert is_paused.startswith("Your person has paused you: nothing can be said")


def test_without_a_limit_any_number_is_said_and_nobody_is_asked() -> None:
    budget = a_budget(0)
    say(budget, 1000)

    assert (budget.said, budget.left, budget.is_spent, budget.may_ask) == (1000, None, False, False)


def test_what_was_refused_was_not_said_and_does_not_count() -> None:
    budget = a_budget(3)
    with pytest.raises(Refused), budget.turn():
        raise Refused("too_big")

    assert budget.said == 0


def test_what_may_have_arrived_counts() -> None:
    budget = a_budget(3)
    with pytest.raises(NetworkFault), budget.turn():
        raise NetworkFault("not confirmed")

    assert budget.said == 1


def test_of_many_says_at_once_no_more_begin_than_are_left() -> None:
    budget = a_budget(2)
    with budget.turn(), budget.turn(), pytest.raises(SpentError), budget.turn():
        pass

    assert budget.said == 2


def test_a_say_that_is_refused_after_more_was_allowed_takes_nothing_from_what_was_allowed() -> None:
    budget = a_budget(2)
    with pytest.raises(Refused), budget.turn():  # noqa: PT012 - what happens meanwhile is the claim
        budget.grant(budget.round)
        raise Refused("ended")

    assert budget.said == 0


# --- Approvals -----------------------------------------------------------------------------------------------------------


def test_an_approval_allows_as_much_again() -> None:
    budget = spent(3)

    assert budget.grant(budget.round)
    say(budget, 3)
    assert budget.is_spent


def test_an_approval_works_once() -> None:
    budget = spent(3)
    seen = budget.round
    budget.grant(seen)
    say(budget, 3)

    assert not budget.grant(seen)
    assert budget.is_spent


def test_a_yes_allows_more_once_however_often_it_is_repeated() -> None:
    budget = spent(3)
    question = budget.ask()

    assert budget.answer(question, allows=True)
    say(budget, 3)
    assert not budget.answer(question, allows=True)
    assert budget.is_spent


def test_an_answer_to_a_question_that_was_never_asked_allows_nothing() -> None:
    budget = spent(3)

    assert not budget.answer("00", allows=True)
    assert budget.is_spent


def test_whatever_was_asked_is_known_also_when_it_is_settled_and_whatever_was_not_is_not() -> None:
    budget, elsewhere = spent(3), Budget(3, StillClock(), lambda size: b"\xff" * size)
    question = budget.ask()

    assert budget.was_asked(question)
    assert not elsewhere.was_asked(question)
    for other in ("", "00", f"{question}0", question[:-1], "f" + question[1:], "\ud800" * 96, elsewhere.ask()):
        assert not budget.was_asked(other)
    budget.answer(question, allows=False)
    assert budget.was_asked(question)


def test_of_several_questions_one_yes_allows_more_once() -> None:
    budget = spent(3)
    first, second = budget.ask(), budget.ask()

    assert first != second
    assert budget.answer(second, allows=True)
    assert not budget.answer(first, allows=True)


@pytest.mark.parametrize(("seconds", "allowed"), [(QUESTION_SECONDS - 1, True), (QUESTION_SECONDS, False)])
def test_an_answer_that_comes_too_late_allows_nothing(seconds: float, *, allowed: bool) -> None:
    clock = StillClock()
    budget = spent(3, clock)
    question = budget.ask()
    clock.move(seconds)

    assert budget.answer(question, allows=True) is allowed


def test_a_question_that_is_withdrawn_is_answered_in_vain() -> None:
    budget = spent(3)
    question = budget.ask()
    budget.withdraw(question)

    assert not budget.answer(question, allows=True)


def test_few_questions_wait_for_an_answer_and_the_oldest_goes_first() -> None:
    budget = spent(3)
    questions = [budget.ask() for _ in range(MOST_QUESTIONS + 1)]

    assert not budget.answer(questions[0], allows=True)
    assert budget.answer(questions[1], allows=True)


# --- A no ----------------------------------------------------------------------------------------------------------------


def test_a_person_who_has_said_no_is_left_in_peace_for_a_while() -> None:
    clock = StillClock()
    budget = spent(3, clock)
    other = budget.ask()
    budget.answer(budget.ask(), allows=False)
    asked_at_once = budget.may_ask
    clock.move(QUIET_SECONDS)

    assert not asked_at_once
    assert budget.may_ask
    assert not budget.answer(other, allows=True)


def test_a_no_is_told_to_the_agent() -> None:
    budget = spent(3)
    budget.answer(budget.ask(), allows=False)

    with pytest.raises(SpentError, match="They were asked just now, and did not allow it"):
        say(budget)


def test_after_a_no_the_person_can_still_allow_it_by_itself() -> None:
    budget = spent(3)
    budget.answer(budget.ask(), allows=False)
    budget.grant(budget.round)
    say(budget, 3)

    assert budget.may_ask


# --- No answer -----------------------------------------------------------------------------------------------------------


def test_a_person_who_has_not_answered_is_left_in_peace_for_a_while_and_its_agent_is_told() -> None:
    clock = StillClock()
    budget = spent(3, clock)
    question = budget.ask()
    budget.give_up(question)
    asked_at_once = budget.may_ask
    with pytest.raises(SpentError, match="They were asked just now, and did not answer"):
        say(budget)
    clock.move(QUIET_SECONDS)

    assert not asked_at_once
    assert budget.may_ask
    assert not budget.answer(question, allows=True)


def test_a_question_that_is_settled_is_not_given_up() -> None:
    budget = spent(3)
    refused, allowed = budget.ask(), budget.ask()
    budget.answer(refused, allows=False)
    budget.give_up(refused)

    with pytest.raises(SpentError, match="did not allow it"):
        say(budget)
    budget.answer(allowed, allows=True)
    budget.grant(budget.round)
    budget.give_up(allowed)
    say(budget, 3)
    assert budget.may_ask


@skipping
async def test_while_its_person_is_being_asked_an_agent_is_told_so() -> None:
    budget = spent(3)
    async with budget.asking:
        with pytest.raises(SpentError, match=r"was not said\. They are being asked now\. Nothing is lost"):
            say(budget)


# --- Changes -------------------------------------------------------------------------------------------------------------


def pause(budget: Budget) -> None:
    budget.is_paused = True


STEPS: dict[str, Callable[[Budget], object]] = {
    "allows more": lambda budget: budget.grant(budget.round),
    "says yes": lambda budget: budget.answer(budget.ask(), allows=True),
    "says no": lambda budget: budget.answer(budget.ask(), allows=False),
    "says nothing": lambda budget: budget.give_up(budget.ask()),
    "pauses": pause,
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_whoever_waits_for_the_person_to_step_in_is_told(step: Callable[[Budget], object]) -> None:
    @skipping
    async def run() -> None:
        budget, noted = spent(3), list[str]()
        budget.on_change = lambda: noted.append("changed")
        waiting, given_up = [asyncio.ensure_future(budget.changed()) for _ in range(2)]
        await asyncio.sleep(1)
        given_up.cancel()
        await asyncio.sleep(1)
        assert not waiting.done()
        step(budget)
        await waiting

        assert noted == ["changed"]
        assert not budget._waiting

    run()


def test_what_is_said_and_what_is_refused_then_is_noted() -> None:
    budget, noted = a_budget(3), list[int]()
    budget.on_change = lambda: noted.append(budget.said)
    say(budget)
    with pytest.raises(Refused), budget.turn():
        raise Refused("too_big")

    assert noted == [1, 2, 1]


# --- Pausing -------------------------------------------------------------------------------------------------------------


def test_a_paused_agent_says_nothing_and_is_told_that_nothing_is_lost() -> None:
    budget = a_budget(3)
    budget.is_paused = True

    with pytest.raises(
        PausedError, match=r"^paused: your person has paused you, so nothing was said\. Nothing is lost"
    ):
        say(budget)
    assert budget.said == 0


def test_a_pause_while_a_say_waits_holds_it_back() -> None:
    budget = a_budget(3)
    with pytest.raises(PausedError), budget.turn():  # noqa: PT012 - what happens meanwhile is the claim
        budget.is_paused = True
        budget.check_not_paused()

    assert budget.said == 0
    budget.is_paused = False
    budget.check_not_paused()


def test_a_person_who_has_paused_its_agent_is_not_asked_for_more() -> None:
    budget = spent(3)
    before = budget.may_ask
    budget.is_paused = True

    assert before
    assert not budget.may_ask
