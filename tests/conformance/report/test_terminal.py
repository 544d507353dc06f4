"""The matrix is read at a terminal of any width, with or without colour, and by `cut` where there is no terminal."""

from collections.abc import Sequence
from io import BytesIO, StringIO, TextIOWrapper
from typing import Protocol

import pytest
from rich.console import Console
from tunnel_conformance.records import Outcome, Run
from tunnel_conformance.report.expect import Expectations, Known
from tunnel_conformance.report.terminal import show

from tests.conformance.report.samples import FAILED, every_outcome, everybody, hostile, run, verdict, whole
from tunnel.spec.model import Role

NONE = Expectations()


class Tell(Protocol):
    def __call__(self, runs: Sequence[Run], *, expectations: Expectations = NONE) -> str: ...


def at_terminal(runs: Sequence[Run], width: int = 100, expectations: Expectations = NONE) -> str:
    out = StringIO()
    show(Console(file=out, force_terminal=True, color_system=None, width=width), runs, expectations)
    return out.getvalue()


def in_pipe(runs: Sequence[Run], expectations: Expectations = NONE) -> str:
    out = StringIO()
    show(Console(file=out, width=20), runs, expectations)
    return out.getvalue()


def test_every_outcome_has_its_mark_and_its_meaning() -> None:
    text = at_terminal([every_outcome()])

    for mark, word in [
        ("✓P", "pass"),
        ("≈N", "non-strict"),
        ("✗F", "fail"),
        ("?U", "not testable"),
        ("·A", "not applicable"),
        ("!E", "error"),
        ("#H", "harness"),
    ]:
        assert text.count(mark) >= 2
        assert f"{mark}  {word}: " in text


def test_cases_stand_under_their_area_in_the_columns_of_those_who_played_them() -> None:
    lines = at_terminal([whole("ours", Role.HOST), whole("node", Role.HOST, wrong=["lock-race"])]).splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]

    assert ["LOCK", "", ""] in rows
    assert ["lock-race", "✓P", "✗F"] in rows
    assert ["fail", "", "1"] in rows
    assert "ours as host: Keeps every MUST that was tested" in "\n".join(lines)


def test_many_implementations_are_numbered_and_stand_in_several_blocks() -> None:
    runs = [run(verdict(), subject=f"implementation-{number}") for number in range(1, 16)]
    lines = at_terminal(runs, width=80).splitlines()

    assert all(len(line) <= 80 for line in lines if "│" in line)
    assert sum(line.lstrip("│ ").startswith("wire-normal") for line in lines) == 3
    assert any(line.startswith(" 15  implementation-15 as host: ") for line in lines)


def test_what_counts_against_somebody_is_told_in_full() -> None:
    text = at_terminal([run(verdict("lock-race", Outcome.FAIL, **FAILED))])

    assert "FAIL  ours as host  lock-race: " in text
    assert "  got       admitted" in text
    assert 'tunnel_open {"goal":"pair on checkout"}' in text


@pytest.mark.parametrize("tell", [at_terminal, in_pipe])
def test_what_is_known_is_told_with_its_reason_only(tell: Tell) -> None:
    known = Expectations({"ours": {"host": {"lock-race": Known(outcome="fail", reason="not yet")}}})
    text = tell([run(verdict("lock-race", Outcome.FAIL, **FAILED))], expectations=known)

    assert "KNOWN  FAIL  ours as host  lock-race: " in text
    assert "  reason    not yet" in text
    assert "tunnel_open" not in text


def test_in_a_pipe_each_verdict_is_a_line_with_tabs() -> None:
    lines = in_pipe([whole("ours", Role.HOST), run(verdict("lock-race", Outcome.FAIL), subject="node")]).splitlines()

    assert lines[0].split("\t")[:4] == ["pass", "ours", "host", "wire-normal"]
    assert "fail\tnode\thost\tlock-race\tLOCK-1,LINK-1" in lines
    assert "│" not in "".join(lines)
    assert "FAIL  node as host  lock-race" in "\n".join(lines)


def test_without_unicode_the_letters_say_it() -> None:
    raw = BytesIO()
    with TextIOWrapper(raw, encoding="ascii") as out:
        show(Console(file=out, force_terminal=True, color_system=None, width=100), [run(verdict())], NONE)
        out.flush()
        text = raw.getvalue().decode("ascii")

    assert "P  pass: " in text


@pytest.mark.parametrize("tell", [at_terminal, in_pipe])
def test_hostile_texts_reach_no_terminal(tell: Tell) -> None:
    text = tell([hostile()])

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]" in text


def test_colours_are_used_where_there_are_some() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", no_color=False, width=200)
    show(console, everybody(), NONE)

    assert "\x1b[1;31m" in out.getvalue()
