"""Runs stand side by side: a row for a case, a column for an implementation in a role, and no two of them mixed up."""

from tunnel_conformance.records import Outcome
from tunnel_conformance.report.matrix import case_slugs, columns, label, matrices
from tunnel_conformance.spec import cases

from tests.conformance.report.samples import everybody, hostile, run, verdict, whole
from tunnel.spec.model import Role


def test_each_role_has_its_own_matrix_in_the_order_of_the_spec() -> None:
    host, guest = matrices([whole("ours", Role.GUEST), whole("ours", Role.HOST), whole("other", Role.HOST)])

    assert [row.case for row in host.areas[0].rows] == [c.id for c in cases(Role.HOST) if c.id.startswith("wire-")]
    assert {row.case for row in host.rows} == {case.id for case in cases(Role.HOST)}
    assert [column.name for column in host.columns] == ["ours", "other"]
    assert {row.case for row in guest.rows} == {case.id for case in cases(Role.GUEST)}


def test_a_case_that_one_of_them_did_not_play_leaves_its_cell_empty() -> None:
    (host,) = matrices([run(verdict(), subject="a"), run(verdict("lock-race"), subject="b")])

    assert [area.name for area in host.areas] == ["WIRE", "LOCK"]
    assert [[cell and cell.case for cell in row.cells] for row in host.rows] == [
        ["wire-normal", None],
        [None, "lock-race"],
    ]


def test_who_ran_twice_is_told_apart() -> None:
    found = columns([run(verdict()), run(verdict()), run(verdict(), role="guest")])

    assert [column.name for column in found] == ["ours", "ours (2)", "ours"]
    assert len({column.slug for column in found}) == 3


def test_names_that_look_alike_in_a_file_name_do_not_share_one() -> None:
    found = columns([run(verdict("a/b"), subject="x y"), run(verdict("a b"), subject="x-y")])

    assert len({column.slug for column in found}) == 2
    assert sorted(case_slugs([column.run for column in found]).values()) == ["a-b", "a-b_2"]


def test_a_conversation_of_two_implementations_is_a_row_that_names_the_partner() -> None:
    (host,) = matrices([run(verdict("pair-talk", partner="node"), verdict("pair-talk", partner="ours"))])

    assert [row.case for row in host.rows] == ["pair-talk with node", "pair-talk with ours"]
    assert label(verdict()) == "wire-normal"


def test_a_column_knows_what_counts_against_it_and_what_was_not_played() -> None:
    complete, partly = columns([whole("ours", Role.HOST), run(verdict(outcome=Outcome.FAIL))])

    assert (complete.against, complete.missing) == ([], 0)
    assert [found.case for found in partly.against] == ["wire-normal"]
    assert partly.missing == len(cases(Role.HOST)) - 1


def test_how_much_is_missing_of_another_spec_nobody_can_say() -> None:
    (column,) = columns([hostile()])

    assert column.missing == 0


def test_everybody_fits_into_two_matrices() -> None:
    host, guest = matrices(everybody())

    assert (len(host.columns), len(guest.columns)) == (6, 2)
