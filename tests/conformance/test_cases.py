"""The table of cases, as far as it can be judged without an implementation: nothing is left out, and every case can be played."""

import re
from collections.abc import Iterator

import pytest
from tunnel_conformance.notation import constants, peers
from tunnel_conformance.spec import spec

from tunnel.spec.model import Case, Observable, Role, Rule, Step

CASES = spec().cases.cases

AGENTS = ("open", "say", "listen", "await", "status", "close", "stop")


def roles(rule: Rule) -> tuple[Role, ...]:
    return (Role.HOST, Role.GUEST) if rule.role is Role.BOTH else (rule.role,)


def unproved(cases: tuple[Case, ...]) -> list[str]:
    """Rules whose breach a peer sees, and which no case proves for a role that they bind."""
    proved = {(rule, case.judges) for case in cases for rule in case.rules}
    return [
        f"{rule.id} for {role.value}"
        for rule in spec().rules.rules
        if rule.observable is Observable.WIRE
        for role in roles(rule)
        if (rule.id, role) not in proved
    ]


def test_every_rule_whose_breach_a_peer_sees_is_proved_for_each_role_that_it_binds() -> None:
    assert unproved(CASES) == []


def test_a_rule_that_is_proved_for_one_role_only_is_found() -> None:
    hosts = tuple(case for case in CASES if case.judges is Role.HOST)

    assert "WIRE-2 for guest" in unproved(hosts)
    assert "WIRE-2 for host" not in unproved(hosts)


def foreign(cases: tuple[Case, ...]) -> list[str]:
    """Cases that prove a rule which does not bind whom they judge."""
    known = {rule.id: rule for rule in spec().rules.rules}
    return [f"{case.id}: {rule}" for case in cases for rule in case.rules if case.judges not in roles(known[rule])]


def test_a_case_proves_rules_of_its_role_only() -> None:
    assert foreign(CASES) == []
    assert foreign((Case(id="x", title="", judges=Role.GUEST, rules=("LOCK-1",), steps=()),)) == ["x: LOCK-1"]


def joined_by(step: Step) -> set[str]:
    return set(peers(step.by)) if step.do in ("connect", "join", "dial", "http") else set()


def strangers(case: Case) -> Iterator[str]:
    """Peers that do something before they have connected."""
    there: set[str] = set()
    for number, step in enumerate(case.steps, 1):
        there |= joined_by(step)
        if step.do not in AGENTS and step.do != "wait":
            yield from (
                f"{case.id}, step {number}: {name}"
                for name in peers(step.by)
                if name not in there and case.judges is Role.HOST and step.do != "look"
            )


def test_nobody_does_anything_before_it_has_connected() -> None:
    assert [found for case in CASES for found in strangers(case)] == []
    early = Case(id="x", title="", judges=Role.HOST, rules=(), steps=(Step(do="chat", by="B"),))
    assert list(strangers(early)) == ["x, step 1: B"]


def test_a_case_lets_time_pass_exactly_when_it_says_so() -> None:
    assert [case.id for case in CASES if ("time" in case.needs) != any(step.do == "wait" for step in case.steps)] == []


def test_a_case_ends_with_what_it_expects() -> None:
    assert [case.id for case in CASES if not case.steps[-1].expect] == []


def numbers(case: Case) -> Iterator[str]:
    """Arguments that must be numbers and are none."""
    counted = (
        "bytes",
        "depth",
        "times",
        "seconds",
        "head_bytes",
        "backlog",
        "hole",
        "upto",
        "most",
        "code",
        "fragments",
    )
    for step in case.steps:
        for name, value in (*step.args.items(), *step.expects.items()):
            number = constants(value) if isinstance(value, str) else value
            if name in counted and not isinstance(number, int):
                yield f"{case.id}: {name} = {value!r}"


def test_what_must_be_a_number_is_one() -> None:
    assert [found for case in CASES for found in numbers(case)] == []
    wrong = Case(id="x", title="", judges=Role.HOST, rules=(), steps=(Step(do="wait", args={"seconds": "{NO_SUCH}"}),))
    with pytest.raises(KeyError):
        list(numbers(wrong))


def test_a_reason_or_cause_that_a_case_expects_is_one_of_the_tables() -> None:
    texts = {row.text for row in spec().refusals.refusals}
    causes = {row.id for row in (*spec().refusals.causes, *spec().refusals.failures)}
    codes = {row.code for row in spec().refusals.closings}
    found: list[str] = []
    for case in CASES:
        for step in case.steps:
            expects = step.expects
            if step.expect in ("refused", "one_admitted") and expects.get("reason", next(iter(texts))) not in texts:
                found.append(f"{case.id}: {expects['reason']}")
            if step.expect in ("ended", "woken") and expects.get("because", next(iter(causes))) not in causes:
                found.append(f"{case.id}: {expects['because']}")
            if step.expect == "hung_up" and expects.get("code", next(iter(codes))) not in codes:
                found.append(f"{case.id}: {expects['code']}")

    assert found == []


def test_every_id_tells_what_it_is_about() -> None:
    assert [case.id for case in CASES if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", case.id)] == []
