"""A run as a file of one JSON object a line, written as the verdicts come: who is killed leaves a file without a footer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from tunnel_conformance.records import Footer, Header, Record, Run, Verdict
from tunnel_conformance.report.marks import totals

LINE_BYTES: Final = 16 * 1024 * 1024
"""No record is longer: logs are cut when they are made."""


class InvalidRunError(Exception):
    """The file holds no complete run; the text says where and why. Run the kit again, and let it come to its end."""


class Writer:
    """Writes a run, each record as soon as there is one."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, record: Record) -> None:
        """Append one record, and have it stand in the file when this returns."""
        self._out.write(encode(record) + b"\n")
        self._out.flush()


def encode(record: Record) -> bytes:
    """A record in one line. Half a surrogate pair, which UTF-8 cannot hold, becomes its visible escape."""
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(record)))


def _whole(value: Any) -> Any:  # Any: JSON, as deep as a record is
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        return {_whole(key): _whole(item) for key, item in found.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in cast(Sequence[Any], value)]
    return value


def read(path: Path) -> Run:
    """The run that a file holds.

    Raises:
        InvalidRunError: the file cannot be read, or is no complete run.
    """
    header: Header | None = None
    verdicts: dict[tuple[str, str], Verdict] = {}
    footer: Footer | None = None
    number = 0
    for number, line in _lines(path):
        record = _record(path, number, line)
        if footer is not None:
            raise _invalid(path, number, "something stands behind the footer; a file holds one run")
        if header is None and not isinstance(record, Header):
            raise _invalid(path, number, "a run begins with its header")
        match record:
            case Header() if header is None:
                header = record
            case Header():
                raise _invalid(path, number, "a second header; a file holds one run")
            case Verdict():
                if verdicts.setdefault((record.case, record.partner), record) is not record:
                    raise _invalid(path, number, f"a second verdict on {record.case}")
            case _:
                footer = record
    if header is None or footer is None:
        raise _invalid(path, number + 1, "the file ends without a footer: the run did not come to its end")
    if footer.totals != totals(verdicts.values()):
        raise _invalid(
            path, number, f"the footer counts {footer.totals}, and the verdicts are {totals(verdicts.values())}"
        )
    return Run(header=header, verdicts=tuple(verdicts.values()), footer=footer)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES):
                number += 1
                yield number, line
    except OSError as error:
        raise InvalidRunError(f"{path}: cannot be read: {error.strerror or error}") from error


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        return msgspec.json.decode(line, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid(path, number, f"no record of a run: {error}") from error


def _invalid(path: Path, number: int, why: str) -> InvalidRunError:
    return InvalidRunError(f"{path}, line {number}: {why}")
