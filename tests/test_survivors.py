"""The record of mutants that nothing notices is held against what is alive, both ways."""

from pathlib import Path

import pytest

from tests.survivors import alive, change, faults, known, score, statuses

ROOT = Path(__file__).parents[1]

DIFF = """# tunnel.core.host.x__f__mutmut_1: survived
--- tunnel/core/host.py
+++ tunnel/core/host.py
@@ -1,3 +1,3 @@
 def f() -> int:
-    return 1
+    return 2
"""
ONE = ("tunnel/core/host.py", "return 1", "return 2")


def test_a_mutant_is_known_by_what_it_changes() -> None:
    assert change(DIFF) == ONE
    assert change(DIFF.replace("+    return 2\n", "")) == ("tunnel/core/host.py", "return 1", "")


def test_how_each_ended_is_read() -> None:
    printed = "    tunnel.core.x__f__mutmut_1: survived\n    tunnel.core.x__f__mutmut_2: no tests\n"

    assert statuses(printed) == {"tunnel.core.x__f__mutmut_1": "survived", "tunnel.core.x__f__mutmut_2": "no tests"}


@pytest.mark.parametrize("status", ["killed", "timeout", "segfault", "caught by type check"])
def test_a_mutant_that_makes_a_check_fail_hang_or_crash_is_noticed(status: str) -> None:
    assert alive({"one": status, "other": "survived"}) == ["other"]


@pytest.mark.parametrize(
    "status",
    [
        "survived",
        "no tests",
        "suspicious",
        "skipped",
        "not checked",
        "check was interrupted by user",
        "what mutmut will say one day",
    ],
)
def test_a_mutant_that_ends_in_another_way_is_alive(status: str) -> None:
    assert alive({"one": status, "other": "killed"}) == ["one"]


def test_each_way_to_end_is_counted_by_its_own_name() -> None:
    ended = {"a": "killed", "b": "killed", "c": "timeout", "d": "survived"}

    assert score(ended) == "4 mutants: 2 killed, 1 timeout, 1 survived"


def test_who_is_alive_must_be_explained_and_who_is_explained_must_be_alive() -> None:
    assert faults([ONE], {ONE: "why"}) == []
    assert faults([ONE], {}) == ["nothing notices: tunnel/core/host.py: 'return 1' -> 'return 2'"]
    assert "it is noticed" in faults([], {ONE: "why"})[0]


def test_the_lines_on_record_are_lines_of_the_code() -> None:
    """A line that was edited since makes its reason stale."""
    for file, line, _ in known():
        assert line in [text.strip() for text in (ROOT / file).read_text("utf-8").splitlines()], (file, line)
