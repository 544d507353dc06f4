"""One line of a client's input becomes one message for the server, one JSON-RPC error, or nothing.

No line raises, none recurses, and no answer repeats what the line said: it may hold a join link.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
MAX_NESTING: Final = 64  # a JSON parser that recurses gives up somewhere between 200 and 1000
MAX_DIGITS: Final = 4300  # the reader of JSON takes no whole number that is longer, and Python neither

_NOT_JSON: Final = ErrorData(
    code=PARSE_ERROR,
    message="Found a line that cannot be read as JSON; each line must be one whole JSON-RPC 2.0 message.",
)
_NOT_UTF_8: Final = ErrorData(
    code=PARSE_ERROR,
    message="Found bytes that are not UTF-8; each line must be JSON text in UTF-8.",
)
_HALF_A_PAIR: Final = ErrorData(
    code=INVALID_REQUEST,
    message="Found half of a surrogate pair (an escape from \\ud800 to \\udfff that stands alone); "
    "a string may hold whole characters only.",
)
_TOO_MANY_DIGITS: Final = ErrorData(
    code=INVALID_REQUEST,
    message=f"Found a whole number of more than {MAX_DIGITS} digits. Send a smaller one.",
)
_NOT_JSON_RPC: Final = ErrorData(
    code=INVALID_REQUEST,
    message='Found JSON that is not a JSON-RPC 2.0 message; a request is one object with "jsonrpc": "2.0", '
    'an "id" (a string or an integer), a "method" and, if there are any, "params" (an object).',
)


@dataclass(frozen=True)
class LongLine:
    """A line longer than allowed, of which only the outline was kept."""

    size: int
    outline: "Outline"


def split_lines(chunks: Iterable[bytes], limit: int = MAX_LINE_BYTES) -> Iterator[bytes | LongLine]:
    """The lines in `chunks`, without their newlines; never holds more than `limit` bytes of one line."""
    line = _Line(limit)
    for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) != -1:
            line.add(chunk[start:end])
            yield line.whole()
            line, start = _Line(limit), end + 1
        line.add(chunk[start:])
    if line.size:
        yield line.whole()


def parse(line: bytes | LongLine) -> SessionMessage | JSONRPCError | None:
    """The message in `line`, or the error that answers it, or None where nothing may be answered."""
    if isinstance(line, LongLine):
        return _refuse(line.outline, _too_long(line.size))
    if not line.strip():
        return None
    # Counting is cheap, and most lines hold fewer brackets than they may nest.
    if line.count(b"{") + line.count(b"[") > MAX_NESTING:
        outline = outline_of(line)
        if outline.deepest > MAX_NESTING:
            return _refuse(outline, _too_deep(outline.deepest))
    try:
        value: object = from_json(line, allow_inf_nan=False)
    except ValueError:
        return _unreadable(line)
    message = _message(value)
    return SessionMessage(message) if message else _refuse(outline_of(line), _NOT_JSON_RPC)


def encode(message: JSONRPCMessage) -> bytes:
    """`message` as one line of UTF-8, newline included; half a surrogate pair becomes U+FFFD."""
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except PydanticSerializationError:
        plain = message.model_dump(mode="json", by_alias=True, exclude_unset=True)
        text = _mend(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    return text.encode() + b"\n"


class Outline:
    """What a line says at its top level, gathered piece by piece; a nested value stands in it as null.

    Enough to learn whom to answer, in one pass, with neither recursion nor the whole line in memory.
    """

    _MARK = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
    _KEPT_BYTES = 64 * 1024  # an envelope needs a hundred; cut off, it reads as no JSON and so as no id

    def __init__(self) -> None:
        self.deepest = 0
        self._depth = 0
        self._in_string = False
        self._half_escape: bytes = b""
        self._kept = bytearray()

    def feed(self, piece: bytes) -> None:
        """Takes in the next bytes of the line, which may be cut anywhere."""
        piece = self._half_escape + piece
        backslashes = len(piece) - len(piece.rstrip(b"\\"))
        end = len(piece) - backslashes % 2
        self._half_escape = piece[end:]
        start = 0
        for mark in self._MARK.finditer(piece, 0, end):
            match mark.group():
                case b'"':
                    self._in_string = not self._in_string
                case b"{" | b"[" if not self._in_string:
                    if self._depth == 1:
                        self._keep(piece[start : mark.start()] + b"null")
                    self._depth += 1
                    self.deepest = max(self.deepest, self._depth)
                case b"}" | b"]" if not self._in_string:
                    self._depth -= 1
                    if self._depth == 1:
                        start = mark.end()
                case _:
                    pass
        if self._depth <= 1:
            self._keep(piece[start:end])

    @property
    def is_notification(self) -> bool:
        """Whether the sender waits for no answer."""
        top = self._top()
        return "method" in top and "id" not in top

    @property
    def is_request(self) -> bool:
        """Whether the sender waits for an answer under an id that can be repeated."""
        return "method" in self._top() and self.request_id is not None

    @property
    def request_id(self) -> RequestId | None:
        """The id to answer under, or None if the line gives none that can be repeated."""
        top = self._top()
        # A response bears an id of ours; an error under it would hit the client's request of that number.
        if "method" not in top and ("result" in top or "error" in top):
            return None
        match top.get("id"):
            case bool():
                return None
            case int() as number:
                return number
            case str() as text if _mend(text) == text:
                return text
            case _:
                return None

    def _keep(self, part: bytes) -> None:
        self._kept += part[: max(0, self._KEPT_BYTES - len(self._kept))]

    def _top(self) -> dict[str, object]:
        try:
            top: object = json.loads(self._kept.decode(errors="surrogateescape"), parse_int=_whole)
        except ValueError:
            return {}
        return cast("dict[str, object]", top) if isinstance(top, dict) else {}  # JSON keys are strings


def outline_of(line: bytes) -> Outline:
    """The outline of a line that is there as a whole."""
    outline = Outline()
    outline.feed(line)
    return outline


class _Line:
    """A line as it arrives: its bytes up to the limit, its outline from there on."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._bytes = bytearray()
        self._outline: Outline | None = None

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._outline is None and self.size > self._limit:
            self._outline = outline_of(bytes(self._bytes))
        if self._outline is None:
            self._bytes += piece
        else:
            self._outline.feed(piece)

    def whole(self) -> bytes | LongLine:
        return bytes(self._bytes) if self._outline is None else LongLine(self.size, self._outline)


def _message(value: object) -> JSONRPCMessage | None:
    try:
        message = jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError:
        return None
    # The adapter takes a request whose id is null or 1.5 for a notification, which nobody would answer.
    if isinstance(message, JSONRPCNotification) and isinstance(value, dict) and "id" in value:
        return None
    return message


def _refuse(outline: Outline, error: ErrorData) -> JSONRPCError | None:
    if outline.is_notification:
        return None
    return JSONRPCError(jsonrpc="2.0", id=outline.request_id, error=error)


def _unreadable(line: bytes) -> JSONRPCError | None:
    outline = outline_of(line)
    try:
        value: object = json.loads(line.decode(), parse_int=_whole, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        return _refuse(outline, _NOT_UTF_8)
    except UnicodeEncodeError:
        return _refuse(outline, _HALF_A_PAIR)
    except ValueError:
        # Who waits for an answer gets it, if it is plain who that is.
        return JSONRPCError(jsonrpc="2.0", id=outline.request_id if outline.is_request else None, error=_NOT_JSON)
    return _refuse(outline, _TOO_MANY_DIGITS)


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits.lstrip("-")) <= MAX_DIGITS else None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _too_long(size: int) -> ErrorData:
    message = f"Found a line of {size} bytes; a message may take {MAX_LINE_BYTES}. Send less at a time."
    return ErrorData(code=INVALID_REQUEST, message=message)


def _too_deep(deepest: int) -> ErrorData:
    message = f"Found {deepest} levels of nesting; a message may have {MAX_NESTING}. Send flatter JSON."
    return ErrorData(code=INVALID_REQUEST, message=message)


def _mend(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
