"""Only a problem is a problem."""

from tunnel.app.doctor.findings import Row, Verdict, has_problem, note, ok, problem


def row(verdict: Verdict) -> Row:
    return Row(check="dns", verdict=verdict, found="", todo="")


def test_a_note_is_no_problem() -> None:
    rows = [row(Verdict.OK), row(Verdict.NOTE)]

    assert not has_problem(rows)
    assert has_problem([*rows, row(Verdict.PROBLEM)])


def test_each_verdict_is_made_by_its_name() -> None:
    assert [made("seen", "do").verdict.value for made in (ok, note, problem)] == ["ok", "note", "problem"]
