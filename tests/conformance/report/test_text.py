"""Nothing that an implementation writes moves a cursor, hides, or becomes a path."""

import pytest
from tunnel_conformance.report.text import lines, shown, slug

from tests.conformance.report.samples import HOSTILE


def test_a_text_is_shown_on_one_line_with_nothing_hidden_in_it() -> None:
    text = shown(HOSTILE)

    assert text.isprintable()
    assert "\\u202e" in text
    assert "\\u001b[2J" in text


def test_a_long_text_is_cut_where_one_sees_it() -> None:
    assert shown("x" * 10, 10) == "x" * 10
    assert shown("x" * 11, 10) == "x" * 9 + "\u2026"


def test_of_very_many_lines_the_last_are_shown() -> None:
    assert lines("a\nb") == ["a", "b"]
    assert lines("\n".join("abcde"), most=2) == ["(3 lines left out)", "d", "e"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("wire-normal", "wire-normal"),
        ("../../etc/passwd", "etc-passwd"),
        ("Node Example_2", "node-example-2"),
        ("\u00dcber", "uber"),
        ("\u7aef", "x"),
        ("", "x"),
        ("a" * 59 + "--b", "a" * 59),
    ],
)
def test_a_name_becomes_a_harmless_part_of_a_file_name(text: str, part: str) -> None:
    assert slug(text) == part
