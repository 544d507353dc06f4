"""What an implementation wrote, as people may see it."""

import pytest
from tunnel_conformance.subjects.shown import TAIL_BYTES, Tail, redacted, shown, visible

KEY = "Ab_-" * 10 + "xyz"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"join ws://127.0.0.1:5/t/00ff#{KEY} now", "join ws://127.0.0.1:5/t/00ff#[redacted] now"),
        (f'{{"joinLink":"wss://a.b/t/00ff#{KEY}"}}', '{"joinLink":"wss://a.b/t/00ff#[redacted]"}'),
        ("wss://a.b/t/00ff#short.token", "wss://a.b/t/00ff#[redacted]"),
        (f"key={KEY}", "key=[redacted]"),
        (f"{KEY}x and {KEY[1:]}", f"{KEY}x and {KEY[1:]}"),
        ("nothing to hide", "nothing to hide"),
    ],
    ids=["a link", "a link in JSON", "a link of another version", "a key", "longer and shorter words", "nothing"],
)
def test_keys_are_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_what_moves_or_hides_is_escaped() -> None:
    assert visible("a\x1b[2J\u202eb\nc\U000e0001\ud800") == "a\\u001b[2J\\u202eb\\u000ac\\U000e0001\\ud800"
    assert visible("a\nb", keep="\n") == "a\nb"


def test_what_is_shown_on_a_line_is_cut() -> None:
    assert shown("x" * 300) == "x" * 199 + "\u2026"
    assert shown(f"{KEY}\n", 40) == "[redacted]\\u000a"


def tail_of(*parts: bytes) -> str:
    tail = Tail()
    for part in parts:
        tail.feed(part)
    return tail.text


def test_a_tail_is_what_was_written_as_long_as_it_is_short() -> None:
    assert tail_of() == ""
    assert tail_of(b"one\r\n", b"two\n\xff\x1b\n") == "one\ntwo\n\ufffd\\u001b"


def test_a_long_tail_begins_with_a_whole_line_where_there_is_one() -> None:
    lines = tail_of(*(b"line %d\n" % number for number in range(100_000)))
    blob = tail_of(b"x" * 1_000_000)

    assert lines.startswith("\u2026line 99")
    assert lines.endswith("line 99999")
    assert len(lines) <= TAIL_BYTES
    assert blob == "\u2026" + "x" * TAIL_BYTES


def test_a_key_that_is_cut_in_two_is_not_shown() -> None:
    """Keys that are redacted shrink: what was kept of the first one would come into sight."""
    key = KEY.encode()
    tail = tail_of(*([b" " + key] * 5000))

    assert KEY[-20:] not in tail
    assert tail.count("[redacted]") > 300
