"""What the engine says is understood, and what the command is told is checked."""

from pathlib import Path

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.campaign import Reached, _broken, _reached, dictionary
from tests.fuzz.cutting import alike, pieces
from tests.fuzz.showing import hidden, leak

DONE = """
#1024\tNEW    cov: 40 ft: 90 corp: 4/7b lim: 68 exec/s: 0 rss: 42Mb L: 3/3 MS: 1 InsertByte-
#18205\tDONE   cov: 324 ft: 788 corp: 45/555b lim: 92 exec/s: 2600 rss: 54Mb
Done 18205 runs in 7 second(s)
stat::number_of_executed_units: 18205
"""
FAILED = """
#2\tINITED cov: 6 ft: 7 corp: 1/1b exec/s: 0 rss: 48Mb
 === Uncaught Python exception: ===
AssertionError: the key is shown
Traceback (most recent call last):
  File "link.py", line 1, in check

==14057== ERROR: libFuzzer: fuzz target exited
stat::number_of_executed_units: 3
"""


def test_a_run_is_counted() -> None:
    assert _reached(DONE, 7, "") == Reached(runs=18205, seconds=7, edges=324, features=788)


def test_a_run_that_did_not_begin_has_broken_the_claim() -> None:
    assert _broken(DONE, []) == ""
    assert _broken("ImportError: no tunnel", []) == "ImportError: no tunnel"
    assert _reached("ImportError: no tunnel", 7, "").runs == 0


def test_what_broke_a_claim_is_told() -> None:
    assert _broken(FAILED, [Path("crash-1")]).startswith("AssertionError: the key is shown")


def test_words_are_spelled_as_the_engine_reads_them() -> None:
    assert dictionary(["ab1", '"\\', b"\r\xff"]) == '"ab1"\n"\\x22\\x5c"\n"\\x0d\\xff"\n'


def test_a_target_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["codex"])

    assert "no target: codex; there are codec, ends, link" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lengths", "cut"),
    [
        (b"\0", [b"a", b"b", b"c", b"d"]),
        (b"\1\0", [b"ab", b"c", b"d"]),
        (b"\xff", [b"abcd"]),
        (b"", [b"a", b"b", b"c", b"d"]),
    ],
    ids=["singly", "by turns", "at once", "no lengths"],
)
def test_bytes_arrive_in_pieces_of_these_lengths(lengths: bytes, cut: list[bytes]) -> None:
    assert pieces(b"abcd", lengths) == cut


def test_what_depends_on_how_bytes_arrive_is_found() -> None:
    assert alike(b"\2\0abcd", b"".join) == b"abcd"
    with pytest.raises(AssertionError, match="in one piece: 1\nin 2 pieces: 2"):
        alike(b"\2\0abcd", len)
    with pytest.raises(AssertionError, match="in 4 pieces"):
        alike(b"\xff\xffabcd", len)


def test_a_piece_of_a_secret_is_found() -> None:
    assert leak("0123456789abcdef", "so: 3456789abcde.") == "3456789abcde"
    assert leak("0123456789abcdef", "so: 3456789abcd.") == ""
    assert leak("0123456789abcdef", "so: 3456789abcde.", "3456789abcdef") == ""


def test_what_nobody_sees_is_found() -> None:
    assert hidden("a\u00a0\u2600\ufe0f") == []
    assert hidden("a\ufe0f\u202e\x1b\u2028\ud800") == ["\ufe0f", "\u202e", "\x1b", "\u2028", "\ud800"]
