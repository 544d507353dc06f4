"""Playing broken implementations: many at a time, and each verdict belongs to whom it was played on."""

import asyncio
import os

import pytest
from tunnel_conformance.broken import play as playing
from tunnel_conformance.broken.play import Manner, _Player, command, play
from tunnel_conformance.broken.registry import find
from tunnel_conformance.judge import Judged
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.spec import spec
from tunnel_conformance.subjects.base import Died
from tunnel_conformance.subjects.clock import RealTime, find_faketime

from tests.conformance.broken.playing import PYTHON
from tunnel.spec.model import Case

MANNER = Manner(clock=RealTime(), environment=PYTHON)


def cases(*ids: str) -> list[Case]:
    return [case for case in spec().cases.cases if case.id in ids]


def test_each_has_a_verdict_on_each_of_its_cases() -> None:
    wrong = find("host-trusts-from")
    given = cases("wire-normal", "seq-forged-fields", "seq-same-id")
    played = asyncio.run(play({"wrong": (wrong, given), "right": (None, given[:1])}, MANNER))

    assert {v.case: v.outcome for v in played["wrong"]} == {
        "wire-normal": Outcome.PASS,
        "seq-same-id": Outcome.PASS,
        "seq-forged-fields": Outcome.FAIL,
    }
    assert [v.outcome for v in played["right"]] == [Outcome.PASS]


def test_a_verdict_on_one_that_answers_no_pings_says_so() -> None:
    """KEEP-4."""
    given = cases("wire-noise-after", "keep-answers-pings")
    played = asyncio.run(play({"wrong": (find("host-answers-no-pings"), given), "right": (None, given)}, MANNER))
    told = {(who, v.case): (v.outcome, "It answered no ping in time" in v.note) for who in played for v in played[who]}

    assert told == {
        ("wrong", "wire-noise-after"): (Outcome.PASS, True),
        ("wrong", "keep-answers-pings"): (Outcome.FAIL, False),
        ("right", "wire-noise-after"): (Outcome.PASS, False),
        ("right", "keep-answers-pings"): (Outcome.PASS, False),
    }


@pytest.mark.needs("faketime")
def test_time_passes_for_everybody_at_once() -> None:
    given = cases("auth-late-but-in-time")
    manner = Manner(clock=find_faketime(os.environ), environment=PYTHON)
    played = asyncio.run(play({"wrong": (find("host-hangs-up-on-slow-guests"), given), "right": (None, given)}, manner))

    assert {name: [v.outcome for v in verdicts] for name, verdicts in played.items()} == {
        "wrong": [Outcome.FAIL],
        "right": [Outcome.PASS],
    }
    assert all(verdict.speed == 15 for verdicts in played.values() for verdict in verdicts)


def test_what_cannot_be_started_is_no_verdict() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(
            play(
                {"right": (None, cases("wire-normal"))},
                Manner(clock=RealTime(), environment={"PYTHONHOME": "/nowhere"}),
            )
        )

    assert caught.group_contains(Died)


def test_one_is_started_by_its_id() -> None:
    assert command(find("host-trusts-from"))[1:] == ("-m", "tunnel_conformance.broken", "host-trusts-from")
    assert command(None, "mcp")[1:] == ("-m", "tunnel_conformance.broken", "--mcp", "correct")


class Hasty:
    """A launcher whose processes are judged too late, unless they are slow."""

    def __init__(self, seen_up_to: float) -> None:
        self.seen_up_to = seen_up_to
        self.speeds: list[float] = []

    async def start(self, speed: float = 1.0) -> "Hasty":
        self.speeds.append(speed)
        return self

    async def end(self) -> None:
        pass

    async def judged(self, case: Case, _subject: object, patience: float) -> Judged:
        is_seen = self.speeds[-1] <= self.seen_up_to
        outcome = Outcome.FAIL if is_seen else Outcome.PASS
        assert patience == playing.HURRIED_SECONDS
        verdict = Verdict(case=case.id, title=case.title, role="host", rules=(), binding=True, outcome=outcome)
        return Judged(verdict=verdict, is_reusable=False, lost_in_time=False)


@pytest.mark.parametrize(("seen_up_to", "speeds"), [(60, [60]), (59, [60, 20]), (1, [60, 20])])
def test_who_is_to_fail_and_passes_in_a_hurry_is_looked_at_once_more(
    monkeypatch: pytest.MonkeyPatch, seen_up_to: float, speeds: list[float]
) -> None:
    hasty, given = Hasty(seen_up_to), cases("auth-in-time")

    def launcher(_player: object, _broken: object) -> Hasty:
        return hasty

    monkeypatch.setattr(_Player, "_launcher", launcher)
    monkeypatch.setattr(playing, "judge", hasty.judged)
    manner = Manner(clock=RealTime(), environment=PYTHON, speed=60)
    played = asyncio.run(play({"wrong": (find("host-lets-noise-buy-time"), given)}, manner))

    assert hasty.speeds == speeds
    assert [v.outcome for v in played["wrong"]] == [Outcome.FAIL if seen_up_to > 1 else Outcome.PASS]
