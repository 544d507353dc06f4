"""A rule or a case is explained from the tables alone, and a name that does not exist leads to the nearest ones."""

import pytest
from tunnel_conformance.explain import SEEN, UnknownName, explain, listed
from tunnel_conformance.spec import rules, spec

from tunnel.spec.model import Observable, Role


def text(name: str) -> str:
    return "\n".join(explain(name))


def test_a_rule_is_explained_with_what_carries_it_out_and_its_cases() -> None:
    told = text("link-2")

    assert told.startswith("LINK-2  MUST, binds host\n")
    assert "session/auth-expired: on auth from open when passed(link) -> =: refuse join_link_expired" in told
    assert "session/timer link: LINK_SECONDS = 600 s." in told
    assert "link-expires (host): " in told


def test_a_rule_that_no_row_carries_out_names_the_part_that_does() -> None:
    assert "the codec of an implementation" in text("WIRE-2")
    assert "Why: Some released peers" in text("WIRE-2")
    assert "binds host and guest" in text("WIRE-2")


def test_what_there_is_none_of_is_said() -> None:
    assert text("TIME-2").endswith("Cases\n  (none)")


def test_a_case_is_explained_with_its_steps() -> None:
    told = text("lock-second-guest")

    assert "judges a host" in told
    assert "LOCK-1 MUST: " in told
    assert "3. join by B -> refused (reason: tunnel full)" in told
    assert "refused: `auth_fail`" in told
    assert "Needs: time" in text("link-expires")


@pytest.mark.parametrize("name", [*rules(), *(case.id for case in spec().cases.cases)])
def test_everything_can_be_explained(name: str) -> None:
    lines = list(explain(name))

    assert all(len(line) <= 100 for line in lines)
    assert len(lines) > 5


def test_there_is_a_sentence_for_every_way_to_see_a_breach() -> None:
    assert SEEN.keys() == set(Observable)


@pytest.mark.parametrize(
    ("name", "near"),
    [("LIKN-2", "LINK-2"), ("lock-secnod-guest", "lock-second-guest"), ("zzz", "`tunnel-conformance list`")],
)
def test_an_unknown_name_leads_to_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=near):
        explain(name)


def test_cases_are_listed_by_role_and_rule() -> None:
    assert len(listed(None, "")) == len(spec().cases.cases)
    assert {case.judges for case in listed(Role.GUEST, "")} == {Role.GUEST}
    assert all("LOCK-1" in case.rules for case in listed(Role.HOST, "lock-1"))
    assert listed(Role.GUEST, "LOCK-1") == []
