"""Whatever a name, goal or system text holds, showing it moves no cursor, hides nothing and stays within its bound."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel.core.text import ANONYMOUS, cut, pieces, shown_guest_name, shown_name, visible

VISIBLE = [
    pytest.param("", "", id="nothing"),
    pytest.param("plain text", "plain text", id="plain text"),
    pytest.param(
        "\u00fcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001f642",
        "\u00fcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001f642",
        id="other scripts",
    ),
    pytest.param("a\nb\r\tc", r"a\nb\r\tc", id="line breaks and a tab"),
    pytest.param("a\u0085b\u2028c\u2029d", r"a\u0085b\u2028c\u2029d", id="the other line breaks"),
    pytest.param("\x00\x07\x1b[31m\x7f\x9b", r"\u0000\u0007\u001b[31m\u007f\u009b", id="controls"),
    pytest.param("a\u202eb\u2066c\u200fd\u061ce", r"a\u202eb\u2066c\u200fd\u061ce", id="bidirectional controls"),
    pytest.param("a\u200bb\u200dc\ufeffd\u2060e", r"a\u200bb\u200dc\ufeffd\u2060e", id="zero-width characters"),
    pytest.param("a\u00adb", r"a\u00adb", id="a soft hyphen"),
    pytest.param("a\u3164b\u115fc\u034fd\uffa0", r"a\u3164b\u115fc\u034fd\uffa0", id="fillers and joiners"),
    pytest.param("a\ufe00\U000e0101", r"a\ufe00\U000e0101", id="variation selectors"),
    pytest.param("a\U000e0041\U000e007f", r"a\U000e0041\U000e007f", id="tags"),
    pytest.param("\u2764\ufe0f", "\u2764\ufe0f", id="a symbol in its coloured form"),
    pytest.param("a\ufe0f", r"a\ufe0f", id="the coloured form of a letter"),
    pytest.param("\u2764\ufe0f\ufe0f", "\u2764\ufe0f\\ufe0f", id="the coloured form twice"),
    pytest.param("\ud800x\udc00", r"\ud800x\udc00", id="halves of surrogate pairs"),
    pytest.param("\ue000\U000f0000", r"\ue000\U000f0000", id="private use"),
    pytest.param("\u0378\U0003fffe", r"\u0378\U0003fffe", id="unassigned"),
]


@pytest.mark.parametrize(("text", "shown"), VISIBLE)
def test_what_hides_or_moves_the_cursor_is_shown_as_an_escape(text: str, shown: str) -> None:
    """NAME-1."""
    assert visible(text, 1000) == shown


@given(st.text(st.characters(codec=None)))
def test_a_shown_text_holds_nothing_that_could_hide(text: str) -> None:
    """NAME-1."""
    shown = visible(text, 100)

    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        pytest.param("abcdef", 6, "abcdef", id="exactly the bound"),
        pytest.param("abcdefg", 6, "abc…", id="one byte too many"),
        pytest.param("\u00e4\u00e4\u00e4", 6, "\u00e4\u00e4\u00e4", id="exactly the bound beyond ASCII"),
        pytest.param("\u00e4\u00e4\u00e4\u00e4", 6, "\u00e4…", id="not within a character"),
        pytest.param("\U0001f642" * 3, 11, "\U0001f642\U0001f642…", id="four bytes each"),
        pytest.param("\ud800" * 3, 8, "…", id="halves of surrogate pairs"),
    ],
)
def test_a_long_text_is_cut_between_characters(text: str, limit: int, kept: str) -> None:
    """SIZE-6."""
    assert cut(text, limit) == kept


@given(st.text(), st.integers(3, 40))
def test_a_cut_text_is_within_its_bound(text: str, limit: int) -> None:
    """SIZE-6."""
    kept = cut(text, limit)

    assert len(kept.encode()) <= limit
    assert text.startswith(kept.removesuffix("…"))


def test_in_pieces_it_is_known_what_is_an_escape_and_what_only_reads_like_one() -> None:
    """NAME-1."""
    assert list(pieces("\n\\n\t", kept="\t")) == [("\\n", True), ("\\", False), ("n", False), ("\t", False)]


def test_a_text_is_cut_before_it_is_escaped() -> None:
    """SIZE-6, NAME-1."""
    assert visible("\n" * 100, 10) == r"\n" * 7 + "…"


@pytest.mark.parametrize("name", ["", " ", "\u00a0\u3000\u2003"], ids=["empty", "a blank", "other blanks"])
def test_a_name_without_a_glyph_is_anonymous(name: str) -> None:
    """NAME-2."""
    assert shown_name(name, 100) == ANONYMOUS


@pytest.mark.parametrize("name", ["\n", "\u200b", "\u3164"], ids=["a line break", "a zero-width space", "a filler"])
def test_a_name_that_hides_is_not_blank_but_visible(name: str) -> None:
    """NAME-1, NAME-2."""
    assert shown_name(name, 100) == visible(name, 100) != ""


SAME = [
    pytest.param("Alice", id="the same"),
    pytest.param("ALICE", id="another case"),
    pytest.param(" Alice\u00a0", id="blanks around it"),
    pytest.param("\uff21\uff4c\uff49\uff43\uff45", id="full-width letters"),
    pytest.param("\U0001d400lice", id="a mathematical letter"),
]


@pytest.mark.parametrize("name", SAME)
def test_a_guests_name_that_reads_like_the_hosts_is_marked(name: str) -> None:
    """NAME-3."""
    assert shown_guest_name(name, "alice", 100) == f"{name.strip()} (guest)"


@pytest.mark.parametrize("host", ["", "anonymous", " "], ids=["unnamed", "called so", "blank"])
def test_two_unnamed_ends_can_be_told_apart(host: str) -> None:
    """NAME-2, NAME-3."""
    assert shown_guest_name("", host, 100) == "anonymous (guest)"


@pytest.mark.parametrize("name", ["Alicia", "Alice 2", "Bob", "Al\u200bice"])
def test_another_name_is_not_marked(name: str) -> None:
    """NAME-3."""
    assert shown_guest_name(name, "Alice", 100) == visible(name, 100)
