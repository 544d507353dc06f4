import asyncio
from collections.abc import Sequence

import pytest
from msgspec import structs
from tunnel_conformance.records import Outcome, Run, Verdict
from tunnel_conformance.report.words import grouped
from tunnel_conformance.runner import Options, chosen, deadlines, run
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.base import Absent, Answer, Call
from tunnel_conformance.subjects.clock import Constants

from tests.conformance.own import Own, OwnLauncher, guest_case, host_case
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Case, Role, Step

WELL = host_case()
BREACH = host_case(Step(do="look", expect="gone"))
IN_TIME = structs.replace(host_case(Step(do="wait", args={"seconds": 2}, expect="nothing")), needs=("time",))
SAYS = Step(do="say", args={"text": "hello"}, expect="said")
LONG = structs.replace(host_case(Step(do="wait", args={"seconds": 1000}, expect="nothing")), needs=("time",))


def named(*given: Case) -> list[Case]:
    return [structs.replace(case, id=f"case-{number}") for number, case in enumerate(given, 1)]


async def judged(launcher: OwnLauncher, given: Sequence[Case], **options: object) -> tuple[Run, list[Verdict]]:
    told: list[Verdict] = []
    wanted = structs.replace(Options(patience=0.4, jobs=1), **options)
    return await run(launcher, Role.HOST, given, wanted, told.append), told


@asynchronous
async def test_one_process_plays_case_after_case_and_a_new_one_begins_behind_a_breach() -> None:
    launcher = OwnLauncher()
    result, told = await judged(launcher, named(WELL, WELL, BREACH, WELL, guest_case()))

    assert [verdict.outcome.value for verdict in result.verdicts] == ["pass", "pass", "fail", "pass"]
    assert [verdict.case for verdict in told] == ["case-1", "case-2", "case-3", "case-4"]
    # One for the self-test, one for the first three, one for the last.
    assert len(launcher.started) == 3
    assert all(own.is_ended for own in launcher.started)


@asynchronous
async def test_a_run_says_who_was_judged_how_and_with_what_result() -> None:
    result, _ = await judged(OwnLauncher(), named(WELL, BREACH))

    assert (result.header.subject, result.header.role, result.header.control, result.header.time) == (
        "own",
        "host",
        "line",
        "none",
    )
    assert result.footer.totals == {"pass": 1, "fail": 1}
    assert result.footer.exit_status == 1
    assert (await judged(OwnLauncher(), named(WELL)))[0].footer.exit_status == 0


@asynchronous
async def test_an_implementation_that_fails_its_self_test_is_not_judged() -> None:
    launcher = OwnLauncher(lambda: Own(refuses_nonsense=False))
    result, told = await judged(launcher, named(WELL, LONG))

    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.HARNESS, Outcome.HARNESS]
    assert all("says yes" in verdict.note for verdict in told)
    assert len(launcher.started) == 1


@asynchronous
async def test_a_case_in_which_time_passes_has_a_process_of_its_own_at_its_speed() -> None:
    launcher = OwnLauncher()
    launcher.clock = Constants("SPEED")
    result, _ = await judged(launcher, named(WELL, IN_TIME, IN_TIME), speed=10.0)

    assert result.header.time == "constants"
    assert [verdict.speed for verdict in result.verdicts] == [1, 10, 10]
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.PASS] * 3
    assert sorted(launcher.speeds) == [1, 1, 10, 10]


@asynchronous
async def test_in_real_time_nothing_is_sped_up() -> None:
    launcher = OwnLauncher()
    launcher.clock = Constants("SPEED")
    short = structs.replace(IN_TIME, steps=(*IN_TIME.steps[:-1], Step(do="wait", args={"seconds": 1})))
    result, _ = await judged(launcher, named(short), slow=True)

    assert result.header.time == "real"
    assert launcher.speeds == [1, 1]


@asynchronous
async def test_a_long_case_is_not_testable_where_time_cannot_be_sped_up() -> None:
    result, _ = await judged(OwnLauncher(), named(LONG))

    assert result.verdicts[0].outcome is Outcome.NOT_TESTABLE
    assert "--slow" in result.verdicts[0].note
    assert result.footer.exit_status == 1


class Hasty(Own):
    """Closes its tunnel by itself, in the middle of a listen, when its clock goes fast."""

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        if what == "listen" and arguments["timeoutMs"] and self.speed > 5:
            await asyncio.sleep(0.05)
            await super().call("close", {}, seconds)
        return await super().call(what, arguments, seconds)


@asynchronous
async def test_a_connection_lost_while_time_passes_is_tried_again_slower() -> None:
    launcher = OwnLauncher(Hasty)
    launcher.clock = Constants("SPEED")
    case = structs.replace(IN_TIME, steps=(*IN_TIME.steps[:-1], Step(do="await"), IN_TIME.steps[-1]))
    result, told = await judged(launcher, named(case), speed=12.0)
    (verdict,) = result.verdicts

    assert len(told) == 1
    assert sorted(launcher.speeds) == [1, 4, 12]
    assert verdict.speed == 4
    assert "this is the second try" in verdict.note


class Late(Own):
    """Does not open its mouth in time when its clock goes fast."""

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        if what == "say" and self.speed > self.most:
            return Answer(error="too late")
        return await super().call(what, arguments, seconds)

    most = 5.0


@pytest.mark.parametrize(("most", "outcome"), [(5.0, Outcome.PASS), (0.0, Outcome.FAIL)], ids=["too fast", "always"])
@asynchronous
async def test_whatever_a_sped_up_case_fails_by_is_tried_again_slower(most: float, outcome: Outcome) -> None:
    def make() -> Own:
        own = Late()
        own.most = most if launcher.speeds[1:] else 100.0
        return own

    launcher = OwnLauncher(make)
    launcher.clock = Constants("SPEED")
    case = structs.replace(IN_TIME, steps=(*IN_TIME.steps[:-1], Step(do="wait", args={"seconds": 2}), SAYS))
    result, told = await judged(launcher, named(case), speed=12.0)

    assert sorted(launcher.speeds) == [1, 4, 12]
    assert [(v.outcome, v.speed) for v in told] == [(outcome, 4)]
    assert "At 12 times the speed it failed (the error 'too late'); this is the second try." in result.verdicts[0].note


@asynchronous
async def test_who_has_no_such_role_is_not_judged_and_nothing_counts_against_it() -> None:
    class Guest(Own):
        async def tools(self, seconds: float) -> frozenset[str] | None:
            return frozenset({"tunnel_join"})

    result, told = await judged(OwnLauncher(Guest), named(WELL, BREACH))

    assert [verdict.outcome for verdict in told] == [Outcome.NOT_APPLICABLE] * 2
    assert result.footer.exit_status == 0
    assert "no tunnel_open" in told[0].note


@asynchronous
async def test_what_was_said_in_the_self_test_is_told_once() -> None:
    def refuses(what: Call, answer: Answer) -> Answer:
        return Answer(error="not today") if what == "open" else answer

    _, told = await judged(OwnLauncher(lambda: Own(twist=refuses)), named(WELL, WELL))

    assert "was answered with the error 'not today'" in told[0].note
    assert [bool(verdict.log) for verdict in told] == [True, False]
    assert [(verdict.case, times) for verdict, times in grouped(told)] == [("case-1", 2)]


@pytest.mark.parametrize(
    "case", [WELL, structs.replace(LONG, steps=LONG.steps[:-1])], ids=["without time", "with time"]
)
@asynchronous
async def test_a_process_that_does_not_start_costs_its_case_only(case: Case) -> None:
    class Once(OwnLauncher):
        async def start(self, speed: float = 1.0) -> Own:
            subject = await super().start(speed)
            if len(self.speeds) == 2:
                await subject.end()
                raise Absent("It would not start.", "out of memory")
            assert isinstance(subject, Own)
            return subject

    result, _ = await judged(Once(), named(case, WELL))

    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.HARNESS, Outcome.PASS]
    assert result.verdicts[0].note == "It would not start.\nout of memory"


def test_cases_are_chosen_by_id_rule_or_pattern() -> None:
    every = [*cases(Role.HOST), *cases(Role.GUEST)]

    assert chosen(every, ()) == every
    assert [case.id for case in chosen(every, ("lock-race",))] == ["lock-race"]
    assert {case.id for case in chosen(every, ("wire-origin", "SIZE-12"))} == {"wire-origin", "size-http-head"}
    assert all("idle" in case.id for case in chosen(every, ("idle-*",)))
    assert chosen(every, ("nothing",)) == []


def test_a_case_is_as_fast_as_its_shortest_deadline_allows() -> None:
    assert deadlines(WELL) == [15]
    assert deadlines(guest_case()) == [20]
