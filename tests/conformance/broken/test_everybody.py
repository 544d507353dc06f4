"""Every wrong host and every wrong guest fails the cases that stand beside it, and no other."""

from collections.abc import Sequence

import pytest
from msgspec import structs
from tunnel_conformance.broken import unstopped
from tunnel_conformance.broken.kills import Played
from tunnel_conformance.broken.registry import BROKEN, find
from tunnel_conformance.records import Outcome
from tunnel_conformance.spec import spec

from tests.conformance.broken import playing
from tests.conformance.broken.made import a_verdict
from tests.conformance.broken.playing import CHOICE, COMPLETE, COMPLETE_SECONDS, complaints, played
from tests.needs import is_missing
from tunnel.spec.model import Case, Role

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])

pytestmark = pytest.mark.timeout(COMPLETE_SECONDS)


@pytest.fixture(scope="module")
def seen() -> Played:
    """Everybody at once: most of them wait most of the time."""
    return played(BROKEN, CHOICE, timed=not is_missing("faketime"))


def in_role(seen: Played, role: Role) -> Played:
    return {broken.id: seen[broken.id] for broken in BROKEN if broken.role is role and broken.id in seen}


@ROLES
def test_they_fail_what_they_must_and_nothing_else(seen: Played, role: Role) -> None:
    found = complaints(in_role(seen, role))

    assert not found, found


@pytest.mark.needs("faketime")
@ROLES
def test_they_fail_what_they_must_when_time_passes_and_nothing_else(seen: Played, role: Role) -> None:
    found = complaints(in_role(seen, role), timed=True)

    assert not found, found


def test_what_is_seen_twice_is_complained_of_and_what_is_seen_once_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    skipping = find("host-skips-a-number")
    assert skipping is not None
    unlisted = structs.replace(skipping, fails=skipping.fails - {"wire-normal"})
    monkeypatch.setattr(playing, "BROKEN", (unlisted,))
    seen = played([unlisted], lambda _, case: case.id in ("wire-normal", "seq-many", "lock-peer-left"))
    once = {unlisted.id: [*seen[unlisted.id], a_verdict("link-form", Outcome.FAIL, "it was late")]}

    assert complaints(once).startswith("fails, although it is not listed: wire-normal on host-skips-a-number: step ")
    assert "link-form" not in complaints(once)


def test_everybody_was_played(seen: Played) -> None:
    assert [broken.id for broken in BROKEN if not broken.needs_time and not seen.get(broken.id)] == []


def test_everybody_does_something_as_it_must(seen: Played) -> None:
    """Who fails whatever is asked of it is not wrong in its own way: that it fails what is listed says nothing."""
    ended = {broken.id: {verdict.outcome for verdict in seen.get(broken.id, ())} for broken in BROKEN}

    assert [
        one for one, outcomes in ended.items() if outcomes and not outcomes & {Outcome.PASS, Outcome.NON_STRICT}
    ] == []


def test_expectations_that_never_stopped_anybody_are_on_record(seen: Played) -> None:
    """A sample can show that one of them did stop somebody, and only a complete run that another did not."""
    ids = {verdict.case for verdicts in seen.values() for verdict in verdicts}
    cases = [case for case in spec().cases.cases if case.id in ids]

    assert unstopped.stale(cases, seen) == []
    assert not COMPLETE or unstopped.unknown(cases, looked_at_again(cases, seen)) == []


def looked_at_again(cases: Sequence[Case], seen: Played) -> Played:
    """Where everybody is played at once, what somebody does too late for one step may be seen at the next: so once more, alone."""
    doubted = {step.rpartition(" of ")[2] for step in unstopped.unknown(cases, seen)}
    again = played(BROKEN, lambda broken, case: case.id in doubted & broken.fails, timed=not is_missing("faketime"))
    return {one: [*verdicts, *again.get(one, ())] for one, verdicts in seen.items()}
