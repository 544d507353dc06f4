"""Every rule leads to its proof, and everything that names a rule leads back."""

import re
import shutil
from pathlib import Path

import pytest

from spec.compiler import trace
from spec.compiler.reader import Spec, read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def spec() -> Spec:
    return read(ROOT / "spec" / "v1")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A repository with the tables and one test, to be broken."""
    shutil.copytree(ROOT / "spec" / "v1", tmp_path / "spec" / "v1")
    (tmp_path / "tests").mkdir()
    return tmp_path


def with_tests(root: Path, text: str) -> list[str]:
    (root / "tests" / "test_some.py").write_text(text, encoding="utf-8")
    return trace.gaps(read(root / "spec" / "v1"), root)


def changed(root: Path, file: str, old: str, new: str) -> list[str]:
    path = root / "spec" / "v1" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return trace.gaps(read(root / "spec" / "v1"), root)


def test_a_test_may_name_a_rule_that_only_another_version_has(copy: Path) -> None:
    test = 'def test_x() -> None:\n    """IDLE' + '-99: as the next version says."""\n'
    unknown = "test_some.py::test_x: names IDLE" + "-99, which is no rule"
    assert unknown in with_tests(copy, test)

    shutil.copytree(copy / "spec" / "v1", copy / "spec" / "v2")
    for file, old, new in (("rules.toml", '"IDLE-1"', '"IDLE' + '-99"'), ("protocol.toml", "= 1\n", "= 2\n")):
        path = copy / "spec" / "v2" / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    assert unknown not in with_tests(copy, test)


def test_nothing_is_missing_between_the_rules_and_their_tests(spec: Spec) -> None:
    assert trace.gaps(spec, ROOT) == []


def test_a_rule_that_no_test_names_is_found(copy: Path) -> None:
    named = 'def test_it():\n    """LOCK-1."""\n'

    assert "rule LOCK-1: no test names it in its docstring" in with_tests(copy, "")
    assert "rule LOCK-1: no test names it in its docstring" not in with_tests(copy, named)


def test_a_test_that_names_no_rule_of_ours_is_found(copy: Path) -> None:
    misspelt = 'def test_it():\n    """LOCK' + '-77."""\n'

    assert "test_some.py::test_it: names LOCK" + "-77, which is no rule" in with_tests(copy, misspelt)


def test_a_test_that_names_a_rule_of_an_area_that_is_none_of_ours_is_found(copy: Path) -> None:
    misspelt = 'def test_it():\n    """LOK' + "-1, in UTF" + '-8."""\n'

    assert [gap for gap in with_tests(copy, misspelt) if "is no rule" in gap] == [
        "test_some.py::test_it: names LOK" + "-1, which is no rule"
    ]


def test_a_row_that_leads_elsewhere_without_a_rule_is_found(copy: Path) -> None:
    path = copy / "spec" / "v1" / "connection.toml"
    text, times = re.subn(r'(id = "let-go".*?),\s+rules = \["AUTH-8"\]', r"\1", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")

    assert times == 1
    assert "connection.toml: row 'let-go' leads elsewhere and names no rule" in trace.gaps(read(path.parent), copy)


def test_a_row_that_does_something_without_a_rule_is_found(copy: Path) -> None:
    found = changed(copy, "guest.toml", '["answer"],                                  rules = ["AUTH-5"]', '["answer"]')

    assert "guest.toml: row 'challenge' does something and names no rule" in found


def test_a_rule_that_rows_carry_out_without_an_invariant_is_found(copy: Path) -> None:
    path = copy / "spec" / "v1" / "session.toml"
    rows, mark, invariants = path.read_text(encoding="utf-8").partition("invariants = [")
    path.write_text(rows + mark + invariants.replace('"IDLE-3"', '"IDLE-1"'), encoding="utf-8")

    assert "rule IDLE-3: rows carry it out, and no invariant says what must hold" in trace.gaps(read(path.parent), copy)


def test_the_table_names_every_rule_and_what_stands_behind_it(spec: Spec) -> None:
    table = trace.table(spec, ROOT)

    assert [rule.id for rule in spec.rules.rules if f"\n## {rule.id}\n" not in table] == []
    assert "- carried out by session/auth-expired, session/timer link" in table.partition("\n## LINK-2\n")[2][:600]
