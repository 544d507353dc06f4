"""Whatever a line holds, it becomes a message, an error that says what is wrong, or nothing."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from tunnel.app.lines import MAX_DIGITS, MAX_LINE_BYTES, MAX_NESTING, LongLine, Outline, encode, parse, split_lines

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SECRET = "tunnel-secret-8f3a"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ids = st.integers() | st.text()


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def request(params: bytes, request_id: bytes = b"7") -> bytes:
    return b'{"jsonrpc":"2.0","id":' + request_id + b',"method":"m","params":' + params + b"}"


def read(*chunks: bytes, limit: int = MAX_LINE_BYTES) -> list[bytes | LongLine]:
    return list(split_lines(chunks, limit))


def read_one(line: bytes, limit: int) -> bytes | LongLine:
    (only,) = read(line + b"\n", limit=limit)
    return only


def message_in(line: bytes | LongLine) -> JSONRPCMessage:
    parsed = parse(line)
    assert isinstance(parsed, SessionMessage)
    return parsed.message


def refusal_of(line: bytes | LongLine) -> JSONRPCError:
    refusal = parse(line)
    assert isinstance(refusal, JSONRPCError)
    return refusal


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


BAD_REQUESTS = {
    "too deep": request(b'{"a":' + nested(MAX_NESTING) + b"}"),
    "half a surrogate pair": request(b'{"a":"\\ud800"}'),
    "half a surrogate pair in a key": request(b'{"\\udfff":1}'),
    "not UTF-8": request(b'{"a":"\xff"}'),
    "a surrogate as bytes": request(b'{"a":"\xed\xa0\x80"}'),
    "a method that is not UTF-8": b'{"jsonrpc":"2.0","id":7,"method":"\xff"}',
    "params in a list": request(b"[1]"),
    "no version": b'{"id":7,"method":"m"}',
    "another version": b'{"jsonrpc":"1.0","id":7,"method":"m"}',
    "no method": b'{"jsonrpc":"2.0","id":7}',
    "a number for a method": b'{"jsonrpc":"2.0","id":7,"method":3}',
}
BAD_NOTIFICATIONS = {
    fault: line.replace(b'"id":7', b'"other":7') for fault, line in BAD_REQUESTS.items() if b'"method"' in line
}


@given(st.binary(max_size=200) | st.text("\n ab", max_size=50).map(str.encode), st.lists(st.integers(0, 999)))
def test_lines_are_the_same_however_the_input_is_cut(text: bytes, places: list[int]) -> None:
    expected = text.split(b"\n")
    if not expected[-1]:
        expected.pop()

    assert read(*cut(text, places)) == expected


def test_a_last_line_without_a_newline_counts_as_a_line() -> None:
    assert read(b"one\ntw", b"o") == [b"one", b"two"]


def test_a_line_at_the_limit_is_whole_and_one_byte_more_is_discarded() -> None:
    first, second, third = read(b"12345\n1234", b"56\nnext\n", limit=5)

    assert first == b"12345"
    assert isinstance(second, LongLine)
    assert second.size == 6
    assert third == b"next"


def test_a_long_line_is_discarded_as_it_arrives() -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"id":7,"method":"'
        for _ in range(1000):
            yield b"x" * 10_000

    tracemalloc.start()
    lines = list(split_lines(endless(), limit=1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(lines) == 1
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (request(b"{}"), JSONRPCRequest),
        (request(b"{}", b'"seven"'), JSONRPCRequest),
        (b' {"jsonrpc":"2.0","id":7,"method":"m"} \r', JSONRPCRequest),
        (b'{"jsonrpc":"2.0","method":"m"}', JSONRPCNotification),
        (b'{"jsonrpc":"2.0","id":7,"result":{}}', JSONRPCResponse),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}', JSONRPCError),
        (request(b'{"a":"\\ud83d\\ude00"}'), JSONRPCRequest),
        (request(b'{"a":"' + b"[" * 500 + b'"}'), JSONRPCRequest),
        (request(b'{"a":[' + b"[],[]," * 500 + b"[]]}"), JSONRPCRequest),
    ],
    ids=[
        "a request",
        "a request with a string for an id",
        "a request between blanks",
        "a notification",
        "a result",
        "an error",
        "a whole surrogate pair",
        "brackets in a string",
        "many brackets side by side",
    ],
)
def test_a_json_rpc_message_reaches_the_server(line: bytes, kind: type[JSONRPCMessage]) -> None:
    assert isinstance(message_in(line), kind)


@pytest.mark.parametrize("line", [b"", b"   ", b"\t\r"], ids=["empty", "spaces", "a tab and a return"])
def test_a_blank_line_is_ignored(line: bytes) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b'{"jsonrpc":"2.0","id":7,"method":"m"',
        b"\xef\xbb\xbf" + request(b"{}"),
        b"\xff\xfe",
        b"}{",
        b'{"jsonrpc":"2.0","id":7,"params":NaN}',
        request(b'{"a":NaN}', b"1.5"),
    ],
    ids=["a word", "cut off", "a byte order mark", "UTF-16", "backwards", "no method", "no id to repeat"],
)
def test_a_line_that_is_not_json_is_a_parse_error_under_no_id(line: bytes) -> None:
    refusal = refusal_of(line)

    assert refusal.error.code == PARSE_ERROR
    assert refusal.id is None


@pytest.mark.parametrize("params", [b'{"a":NaN}', b'{"a":-Infinity}', b"{'a':1}", b'{"a":01}'])
def test_a_request_of_which_only_a_part_is_not_json_is_answered_under_its_own_id(params: bytes) -> None:
    refusal = refusal_of(request(params))

    assert refusal.error.code == PARSE_ERROR
    assert refusal.id == 7


def test_a_notification_of_which_a_part_is_not_json_is_answered_as_what_is_not_json() -> None:
    assert refusal_of(b'{"jsonrpc":"2.0","method":"m","params":{"a":NaN}}').id is None


@pytest.mark.parametrize("sign", [b"", b"-"], ids=["above", "below"])
def test_a_number_of_any_length_is_answered_under_the_request_s_id(sign: bytes) -> None:
    longest, longer = sign + b"9" * MAX_DIGITS, sign + b"9" * (MAX_DIGITS + 1)
    inside, on_top = request(b'{"timeoutMs":' + longer + b"}"), request(b'{},"x":' + longer)

    assert isinstance(message_in(request(b'{"timeoutMs":' + longest + b"}")), JSONRPCRequest)
    assert [refusal_of(line).id for line in (inside, on_top)] == [7, 7]
    assert refusal_of(inside).error.code == INVALID_REQUEST
    assert refusal_of(inside).error.message == "Found a whole number of more than 4300 digits. Send a smaller one."
    assert refusal_of(request(b"{}", longer)).id is None
    assert parse(inside.replace(b'"id":7', b'"other":7')) is None
    assert refusal_of(read_one(on_top, limit=4)).id == 7


@pytest.mark.parametrize("line", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_bad_request_is_answered_under_its_own_id(line: bytes) -> None:
    refusal = refusal_of(line)

    assert refusal.error.code in {INVALID_REQUEST, PARSE_ERROR}
    assert refusal.id == 7


@pytest.mark.parametrize("line", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_long_request_is_answered_under_its_own_id(line: bytes) -> None:
    refusal = refusal_of(read_one(line, limit=4))

    assert refusal.error.code == INVALID_REQUEST
    assert refusal.id == 7


@pytest.mark.parametrize("line", [b"[]", b"3", b'"m"', b"null", b"[" + request(b"{}") + b"]", b"{}"])
def test_json_that_is_no_request_at_all_is_refused_under_no_id(line: bytes) -> None:
    refusal = refusal_of(line)

    assert refusal.error.code == INVALID_REQUEST
    assert refusal.id is None


@pytest.mark.parametrize("request_id", [b"null", b"1.5", b"true", b"[1]", b'{"id":1}', b'"\\ud800"', b'"\xff"'])
def test_an_id_that_cannot_be_repeated_is_answered_as_null(request_id: bytes) -> None:
    assert refusal_of(request(b"{}", request_id)).id is None


@pytest.mark.parametrize("line", BAD_NOTIFICATIONS.values(), ids=BAD_NOTIFICATIONS.keys())
def test_a_bad_notification_is_not_answered(line: bytes) -> None:
    assert parse(line) is None
    assert parse(read_one(line, limit=4)) is None


@pytest.mark.parametrize("outcome", [b'"result":{"a":"\\ud800"}', b'"error":{"a":' + nested(99) + b"}"])
def test_a_bad_response_is_never_answered_under_the_id_of_our_own_request(outcome: bytes) -> None:
    assert refusal_of(b'{"jsonrpc":"2.0","id":7,' + outcome + b"}").id is None


def test_nesting_is_allowed_to_the_limit_and_no_deeper() -> None:
    around = 2  # the message, and its params

    assert isinstance(message_in(request(b'{"a":' + nested(MAX_NESTING - around) + b"}")), JSONRPCRequest)
    assert isinstance(message_in(request(b'{"b":[],"a":' + nested(MAX_NESTING - around) + b"}")), JSONRPCRequest)
    assert refusal_of(request(b'{"a":' + nested(MAX_NESTING - around + 1) + b"}")).id == 7


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":7,"method":"m","params":{"id":8,"a":' + nested(100_000) + b"}}",
        b'{"method":"m","params":{"a":' + nested(100_000) + b',"id":8},"jsonrpc":"2.0","id":7}',
        b'{"method":"m\\",\\"id\\":8","params":[{"b":"\\\\"},' + nested(100_000) + b'],"id":7}',
    ],
    ids=["before", "after", "after a string that looks like one"],
)
def test_the_id_is_found_on_either_side_of_any_depth(line: bytes) -> None:
    assert refusal_of(line).id == 7
    assert refusal_of(read_one(line, limit=1000)).id == 7


def test_the_id_is_found_wherever_the_line_is_cut() -> None:
    line = b'{"method":"\\\\\\",\\"id\\":8","params":["\\\\",{"b":"\\""}],"id":7}'
    outlines = [Outline() for _ in line]
    for place, outline in enumerate(outlines):
        outline.feed(line[:place])
        outline.feed(line[place:])

    assert {outline.request_id for outline in outlines} == {7}


def test_depth_that_is_never_closed_is_refused() -> None:
    assert refusal_of(b"[" * 1_000_000).id is None
    assert refusal_of(b'{"id":7,"method":' * 100_000).id is None


def test_an_error_says_how_long_the_line_was_and_how_long_it_may_be() -> None:
    line = request(b"{}") + b" " * MAX_LINE_BYTES

    assert (
        refusal_of(read_one(line, MAX_LINE_BYTES)).error.message
        == f"Found a line of {len(line)} bytes; a message may take {MAX_LINE_BYTES}. Send less at a time."
    )


def test_an_error_says_how_deep_the_line_was_and_how_deep_it_may_be() -> None:
    assert (
        refusal_of(request(nested(MAX_NESTING))).error.message
        == f"Found {MAX_NESTING + 1} levels of nesting; a message may have {MAX_NESTING}. Send flatter JSON."
    )


@pytest.mark.parametrize("line", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_no_answer_repeats_what_the_line_said(line: bytes) -> None:
    line = line.replace(b'"m"', f'"{SECRET}"'.encode()).replace(b'{"a"', f'{{"{SECRET}":"{SECRET}","a"'.encode())

    assert SECRET not in refusal_of(line).model_dump_json()
    assert SECRET not in refusal_of(line[:-1] + SECRET.encode()).model_dump_json()
    assert SECRET not in refusal_of(read_one(line, limit=4)).model_dump_json()


@given(st.binary() | st.text('{}[]":,\\ u"d80id7', max_size=60).map(str.encode))
def test_no_line_raises(line: bytes) -> None:
    parsed = parse(line)

    assert parsed is None or isinstance(parsed, (SessionMessage, JSONRPCError))


@given(
    st.dictionaries(st.text(), json_values, max_size=4),
    ids,
    json_values,
    st.booleans(),
    st.lists(st.integers(0, 999)),
)
def test_every_json_object_with_a_method_and_an_id_is_answered_under_that_id(
    members: dict[str, object], request_id: str | int, params: object, ascii_only: bool, places: list[int]
) -> None:
    members |= {"method": "m", "params": params, "id": request_id}
    line = json.dumps(members, ensure_ascii=ascii_only).encode()
    outline = Outline()
    for piece in cut(line, places):
        outline.feed(piece)

    assert outline.request_id == request_id
    assert refusal_of(line).id == request_id


@given(json_values, st.lists(st.integers(0, 999)))
def test_the_depth_of_a_line_is_that_of_its_value(value: Json, places: list[int]) -> None:
    def depth(value: Json) -> int:
        match value:
            case dict():
                return 1 + max(map(depth, value.values()), default=0)
            case list():
                return 1 + max(map(depth, value), default=0)
            case _:
                return 0

    outline = Outline()
    for piece in cut(json.dumps(value).encode(), places):
        outline.feed(piece)

    assert outline.deepest == depth(value)


@given(st.dictionaries(st.text(), json_values))
def test_an_answer_is_one_line_and_reads_back_unchanged(result: dict[str, object]) -> None:
    line = encode(JSONRPCResponse(jsonrpc="2.0", id=7, result=result))

    assert line.count(b"\n") == 1
    assert json.loads(line) == {"jsonrpc": "2.0", "id": 7, "result": result}


@pytest.mark.parametrize(
    ("text", "written"),
    [("a \ud800 b", "a \ufffd b"), ("\udfff", "\ufffd"), ("\ud83d\ude00", "\ufffd\ufffd")],
    ids=["half a pair", "the other half", "two halves"],
)
def test_half_a_surrogate_pair_in_an_answer_is_replaced(text: str, written: str) -> None:
    result = {"text": [text], text: 1, "whole": "😀 ü", "number": float("nan")}

    read_back = json.loads(encode(JSONRPCResponse(jsonrpc="2.0", id=7, result=result)).decode())["result"]

    assert read_back["text"] == [written]
    assert read_back["whole"] == "😀 ü"
    assert read_back["number"] is None
    assert len(read_back) == len(result)
