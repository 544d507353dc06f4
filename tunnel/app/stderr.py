"""What goes wrong inside is written to standard error as places in the code, never as values: those may hold a join link."""

import logging
import os
import select
import sys
import threading
import traceback
from contextlib import suppress
from select import PIPE_BUF
from types import TracebackType


def places(error: BaseException | None, trace: TracebackType | None) -> str:
    """Where an error came from, and its type."""
    return "".join(traceback.format_tb(trace)) + (type(error).__name__ if error else "")


def report(text: str) -> None:
    """Write a line to standard error, if anybody still reads it: a pipe that is full must not hold up the server."""
    with suppress(OSError, ValueError, AttributeError):
        if (pipe := _descriptor()) is None:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - for the person who runs this
            return
        line = f"{text}\n".encode("utf-8", "backslashreplace")
        for start in range(0, len(line), PIPE_BUF):
            # A pipe that can be written to takes this much without waiting (POSIX, `write`).
            if not select.select([], [pipe], [], 0)[1]:
                return
            os.write(pipe, line[start : start + PIPE_BUF])


def _descriptor() -> int | None:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return None  # a stand-in, or none at all


class _Handler(logging.Handler):
    """What libraries log goes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        report(self.format(record))


def keep_values_out() -> None:
    """From now on, what libraries log, and what nobody caught, is written without values."""
    handler = _Handler()
    handler.addFilter(without_values)
    logging.basicConfig(format="%(message)s", level=logging.WARNING, handlers=[handler], force=True)
    logging.raiseExceptions = False
    sys.excepthook = lambda _kind, error, trace: report(places(error, trace))
    threading.excepthook = lambda thread: report(places(thread.exc_value, thread.exc_traceback))


def without_values(record: logging.LogRecord) -> bool:
    """Leave of a log record who logged it, where, and which frames an error went through."""
    record.msg, record.args = f"{record.levelname} from {record.name}, {record.filename}:{record.lineno}", ()
    if record.exc_info:
        _, error, trace = record.exc_info
        record.exc_info, record.exc_text = None, places(error, trace)
    return True
