"""A run comes back from its file as it was; a file that holds anything else than one complete run is refused, line by line."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from tunnel_conformance.records import Outcome, Record, Run
from tunnel_conformance.report.ndjson import InvalidRunError, Writer, encode, read

from tests.conformance.report.samples import every_outcome, header, hostile, run, verdict


def records(run: Run) -> list[Record]:
    return [run.header, *run.verdicts, run.footer]


def written(folder: Path, records: Sequence[Record | bytes]) -> Path:
    path = folder / "run.ndjson"
    path.write_bytes(b"".join((r if isinstance(r, bytes) else encode(r)) + b"\n" for r in records))
    return path


@pytest.mark.parametrize("make", [every_outcome, hostile, run], ids=["every outcome", "hostile texts", "no case"])
def test_a_run_comes_back_as_it_was(tmp_path: Path, make: Callable[[], Run]) -> None:
    assert read(written(tmp_path, records(make()))) == make()


def test_every_record_stands_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"

    with path.open("wb") as file:
        writer = Writer(file)
        for number, record in enumerate(records(every_outcome()), 1):
            writer.write(record)
            assert path.read_bytes().count(b"\n") == number


def test_half_a_surrogate_pair_is_written_as_its_escape() -> None:
    out = BytesIO()

    Writer(out).write(verdict(got="a\ud800b", rules=("LOCK-1",)))

    assert rb"a\\ud800b" in out.getvalue()
    assert b"LOCK-1" in out.getvalue()


WHOLE = records(run(verdict(), verdict("wire-binary")))


@pytest.mark.parametrize(
    ("records", "line", "why"),
    [
        (WHOLE[:-1], 4, "ends without a footer"),
        ([], 1, "ends without a footer"),
        (WHOLE[1:], 1, "begins with its header"),
        (WHOLE[-1:], 1, "begins with its header"),
        ([WHOLE[0], *WHOLE], 2, "a second header"),
        ([*WHOLE, header()], 5, "behind the footer"),
        ([*WHOLE, b""], 5, "no record of a run"),
        ([WHOLE[0], b"{", *WHOLE[1:]], 2, "no record of a run"),
        ([WHOLE[0], b'{"record":"verdict"}', *WHOLE[1:]], 2, "no record of a run"),
        ([WHOLE[0], b"\xff", *WHOLE[1:]], 2, "no record of a run"),
        ([WHOLE[0], WHOLE[1], *WHOLE[1:]], 3, "a second verdict on wire-normal"),
        ([*WHOLE[:2], WHOLE[-1]], 3, "the footer counts"),
        ([*WHOLE[:2], verdict("wire-binary", Outcome.FAIL), WHOLE[-1]], 4, "the footer counts"),
    ],
    ids=[
        "killed",
        "an empty file",
        "no header",
        "a footer alone",
        "two headers",
        "two runs",
        "a blank line behind it",
        "half a line",
        "a verdict without fields",
        "no UTF-8",
        "a case twice",
        "a verdict taken out",
        "a verdict changed",
    ],
)
def test_what_is_no_complete_run_is_refused_at_its_line(
    tmp_path: Path, records: Sequence[Record | bytes], line: int, why: str
) -> None:
    assert len(read(written(tmp_path, WHOLE)).verdicts) == 2

    with pytest.raises(InvalidRunError, match=rf"run.ndjson, line {line}: .*{why}"):
        read(written(tmp_path, records))


def test_one_case_with_two_partners_is_two_verdicts(tmp_path: Path) -> None:
    both = run(verdict(partner="a"), verdict(partner="b"))

    assert read(written(tmp_path, records(both))) == both


def test_a_file_that_cannot_be_read_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidRunError, match="cannot be read: No such file"):
        read(tmp_path / "none.ndjson")
