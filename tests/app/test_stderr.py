"""What goes wrong is written as places, never as values."""

import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr
from io import StringIO

import pytest

from tunnel.app.stderr import places, report, without_values

SECRET = "KeyThatMustNotBeSeen"


def broken() -> None:
    raise ValueError(SECRET)


def record(exc_info: bool) -> logging.LogRecord:
    info = None
    if exc_info:
        try:
            broken()
        except ValueError:
            info = sys.exc_info()
    return logging.LogRecord("mcp.server", logging.ERROR, "/x/y.py", 7, f"got {SECRET} %s", (SECRET,), info)


def test_the_places_of_an_error_are_its_frames_and_its_type() -> None:
    with pytest.raises(ValueError, match=SECRET) as caught:
        broken()
    written = places(caught.value, caught.tb)

    assert "in broken" in written
    assert written.endswith("ValueError")
    assert SECRET not in written


@pytest.mark.parametrize("exc_info", [False, True], ids=["without an error", "with an error"])
def test_a_log_record_keeps_who_and_where(exc_info: bool) -> None:
    logged = record(exc_info)
    assert SECRET in logging.Formatter().format(logged)

    assert without_values(logged)

    written = logging.Formatter().format(logged)
    assert "ERROR from mcp.server, y.py:7" in written
    assert ("in broken" in written) is exc_info
    assert SECRET not in written


def test_a_closed_standard_error_is_no_error() -> None:
    class Closed(StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError(text)

    for stream in (Closed(), None):
        with redirect_stderr(stream):
            report("nobody reads this")


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_gets_whole_lines_while_it_has_room() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "w") as full, redirect_stderr(full):
        for number in range(1000):
            report(f"{number:04} " + "x" * 995)
        full.close()
        lines = pipe.read().splitlines()

    assert 10 < len(lines) < 1000
    assert {len(line) for line in lines} == {1000}
    assert [int(line[:4]) for line in lines] == list(range(len(lines)))


def test_a_long_text_is_written_whole_to_a_pipe_that_is_read() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "w") as free, redirect_stderr(free):
        report("\ud800" + "y" * 20_000)
        free.close()

        assert pipe.read() == b"\\ud800" + b"y" * 20_000 + b"\n"


IN_A_TASK = """
import asyncio

async def fail():
    raise ValueError(secret)

async def main():
    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "failure",
    [
        "raise ValueError(secret)",
        "import threading; threading.Thread(target=lambda: int(secret)).start()",
        "import logging; logging.getLogger('x').error(secret)",
        IN_A_TASK,
    ],
    ids=["uncaught", "in a thread", "logged", "in a task that nobody waits for"],
)
def test_nothing_that_goes_wrong_in_a_process_writes_a_value(failure: str) -> None:
    program = f"secret = ''.join(['KeyThat', 'MustNotBeSeen'])\n{{}}\n{failure}"
    quiet = "from tunnel.app.stderr import keep_values_out; keep_values_out()"

    loud, kept = (
        subprocess.run(
            [sys.executable, "-c", program.format(first)], capture_output=True, text=True, check=False
        ).stderr
        for first in ("", quiet)
    )

    assert SECRET in loud
    assert kept
    assert SECRET not in kept
