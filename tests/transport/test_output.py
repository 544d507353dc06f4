"""Lines come out as they went in, and no output costs more than a bounded memory."""

import pytest

from tunnel.transport.output import KEPT_BYTES, LINE_BYTES, Output


def lines(*data: bytes) -> list[bytes]:
    output = Output()
    for piece in data:
        output.feed(piece)
    output.end()
    return rest(output)


def rest(output: Output) -> list[bytes]:
    found: list[bytes] = []
    while (line := output.next()) is not None:
        found.append(line)
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"o", b"ne\r", b"\ntw", b"o"], [b"one", b"two"]),
        ([b"10 %\r20 %\rdone\n"], [b"10 %", b"20 %", b"done"]),
        ([b"\n\n  \n\r\none"], [b"one"]),
        ([b"\0\xff\xfe\n\x1b"], [b"\0\xff\xfe", b"\x1b"]),
        ([], []),
    ],
    ids=["whole lines", "in pieces", "a progress bar", "blank lines", "binary", "nothing"],
)
def test_lines_come_out_in_their_order(data: list[bytes], expected: list[bytes]) -> None:
    assert lines(*data) == expected


def test_a_line_that_is_not_whole_waits() -> None:
    output = Output()
    output.feed(b"https://exa")

    assert output.next() is None

    output.feed(b"mple.org\n")

    assert output.next() == b"https://example.org"


def test_a_long_line_is_cut_and_the_next_one_is_whole() -> None:
    long = b"x" * LINE_BYTES

    assert lines(long + b"y\nnext") == [long, b"next"]
    assert lines(*[b"x"] * LINE_BYTES, b"y" * 100_000, b"y\nnext") == [long, b"next"]
    assert lines(long + b"\nnext") == [long, b"next"]


@pytest.mark.parametrize("line", [b"%d\n", b"%d " + b"x" * 2000 + b"\n"], ids=["short", "long"])
def test_what_nobody_reads_is_dropped_oldest_first(line: bytes) -> None:
    output = Output()
    for number in range(10_000):
        output.feed(line % number)
    kept = rest(output)

    assert kept[-1].startswith(b"9999")
    assert [int(text.split()[0]) for text in kept] == list(range(10_000 - len(kept), 10_000))
    assert KEPT_BYTES / 2 < sum(len(text) + 64 for text in kept) <= KEPT_BYTES


def test_what_was_read_makes_room() -> None:
    output = Output()
    for number in range(10_000):
        output.feed(b"%d\n" % number)
        assert output.next() == b"%d" % number
    output.feed(b"x\n" * 1000)

    assert len(rest(output)) == 1000
