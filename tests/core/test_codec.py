"""Text becomes a frozen frame or is unread, whatever it holds; a frame becomes the text that the tables spell."""

import json

import pytest

from tests.conversation import draft, message
from tunnel.core import codec
from tunnel.core.codec import Unread
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import FRAME_DEPTH, MESSAGE_ID_CHARS, NAME_BYTES, SEQ_MAX

WRITTEN = [
    pytest.param(frames.Challenge(nonce="N"), '{"t":"challenge","nonce":"N"}', id="challenge"),
    pytest.param(
        frames.Auth(response="R", name="bob"),
        '{"t":"auth","response":"R","name":"bob","sinceSeq":0}',
        id="auth",
    ),
    pytest.param(
        frames.AuthOk(goal="g", peer_name="alice", backlog=(message(1, "b", id="i"),)),
        '{"t":"auth_ok","goal":"g","peerName":"alice","backlog":'
        '[{"id":"i","seq":1,"from":"host","kind":"chat","body":"b","ts":1700000000000}]}',
        id="auth_ok",
    ),
    pytest.param(frames.AuthFail(reason="bad key"), '{"t":"auth_fail","reason":"bad key"}', id="auth_fail"),
    pytest.param(
        frames.Send(msg=frames.Draft(id="i", kind="chat", body="b")),
        '{"t":"send","msg":{"id":"i","seq":-1,"from":"guest","kind":"chat","body":"b","ts":0}}',
        id="send",
    ),
    pytest.param(
        frames.Msg(msg=message(7, "b", id="i", sender="guest")),
        '{"t":"msg","msg":{"id":"i","seq":7,"from":"guest","kind":"chat","body":"b","ts":1700000000000}}',
        id="msg",
    ),
    pytest.param(
        frames.AuthFail(reason='\u00fc\u2028\U0001f642"\\\n\x00\x7f/'),
        '{"t":"auth_fail","reason":"\u00fc\u2028\U0001f642\\"\\\\\\n\\u0000\x7f/"}',
        id="characters beyond ASCII as they are",
    ),
]


@pytest.mark.parametrize(("frame", "text"), WRITTEN)
def test_a_frame_is_written_as_the_tables_spell_it(frame: frames.HostFrame | frames.GuestFrame, text: str) -> None:
    """WIRE-1, WIRE-10, WIRE-11."""
    assert codec.encode(frame).decode() == text


@pytest.mark.parametrize(("frame", "text"), WRITTEN)
def test_a_written_frame_is_read_back(frame: frames.HostFrame | frames.GuestFrame, text: str) -> None:
    """WIRE-1."""
    read = codec.from_guest(text) if isinstance(frame, frames.GuestFrame) else codec.from_host(text)

    assert read == frame


@pytest.mark.parametrize(("frame", "text"), WRITTEN)
def test_a_frame_is_read_only_by_the_end_that_it_is_for(frame: frames.HostFrame | frames.GuestFrame, text: str) -> None:
    """WIRE-4."""
    read = codec.from_host(text) if isinstance(frame, frames.GuestFrame) else codec.from_guest(text)

    assert read == Unread(json.loads(text)["t"])


READ_AS_WRITTEN = [
    pytest.param('{"nonce":"N","t":"challenge"}', id="another order"),
    pytest.param(' {\n"t" : "challenge",\t"nonce":"N" } ', id="blanks"),
    pytest.param('{"t":"challenge","nonce":"N","later":{"deep":[1,2]}}', id="unknown fields"),
    pytest.param('{"t":"challenge","nonce":"\\u004e"}', id="an escape"),
    pytest.param('{"\\u0074":"challenge","nonce":"N"}', id="an escape in a name"),
    pytest.param('{"t":"challenge","nonce":"M","nonce":"N"}', id="the last of two fields of one name"),
]


@pytest.mark.parametrize("text", READ_AS_WRITTEN)
def test_other_spellings_of_a_frame_are_the_same_frame(text: str) -> None:
    """WIRE-1, WIRE-3."""
    assert codec.from_host(text) == frames.Challenge(nonce="N")


def test_unknown_fields_are_not_kept() -> None:
    """WIRE-3."""
    read = codec.from_guest(draft("b", id="i", extra="junk"))

    assert isinstance(read, frames.Send)
    assert b"junk" not in codec.encode(read)


NO_FRAMES = [
    pytest.param("", "", id="nothing"),
    pytest.param("{", "", id="half an object"),
    pytest.param("null", "", id="null"),
    pytest.param('[{"t":"auth"}]', "", id="a list"),
    pytest.param('"auth"', "", id="a string"),
    pytest.param("{}", "", id="no name"),
    pytest.param('{"t":5}', "", id="a number as name"),
    pytest.param('{"t":["auth"]}', "", id="a list as name"),
    pytest.param('{"t":"auth"}x', "", id="text behind it"),
    pytest.param("{'t':'auth'}", "", id="single quotes"),
    pytest.param('{"t":"auth",}', "", id="a trailing comma"),
    pytest.param('{"t":"auth","n":NaN}', "", id="NaN"),
    pytest.param('{"t":"auth","n":-Infinity}', "", id="infinity"),
    pytest.param('{"t":"auth","n":01}', "", id="a leading zero"),
    pytest.param('{"t":"auth","s":"a\x01b"}', "", id="a raw control character"),
    pytest.param('\ufeff{"t":"auth"}', "", id="a byte-order mark"),
    pytest.param('{"t":"auth","s":"\ud800"}', "", id="half a surrogate pair, not escaped"),
    pytest.param('{"t":"auth","s":"\\ud800",}', "", id="half a surrogate pair and no JSON"),
    pytest.param('{"t":"auth","s":"\\ud800","n":NaN}', "", id="half a surrogate pair and NaN"),
    pytest.param('{"t":5,"s":"\\ud800"}', "", id="half a surrogate pair and no name"),
    pytest.param('["\\ud800"]', "", id="half a surrogate pair in a list"),
    pytest.param('{"t":"later"}', "later", id="an unknown name"),
    pytest.param('{"t":"Auth","response":"R","name":"n"}', "Auth", id="a name in another case"),
    pytest.param('{"t":"auth"}', "auth", id="no fields"),
    pytest.param('{"t":"auth","response":"R"}', "auth", id="a missing field"),
    pytest.param('{"t":"auth","response":"R","name":null}', "auth", id="null in a field"),
    pytest.param('{"t":"auth","response":"R","name":"\\ud800"}', "auth", id="half a surrogate pair"),
    pytest.param('{"t":"auth","response":"R","name":"\\udc00\\ud800"}', "auth", id="a pair in the wrong order"),
    pytest.param('{"t":"auth","response":"R","name":"n","x":"\\uD83D"}', "auth", id="half a pair in an unknown field"),
    pytest.param('{"t":"auth","response":"R","name":"n","\\ud800":5}', "auth", id="half a pair in a field's name"),
    pytest.param('{"t":"auth","response":"R","name":5,"name":["n"]}', "auth", id="the last of two is wrong"),
]


@pytest.mark.parametrize(("text", "tag"), NO_FRAMES)
def test_what_is_no_frame_is_unread_under_its_name(text: str, tag: str) -> None:
    """WIRE-4, WIRE-6, AUTH-3."""
    assert codec.from_guest(text) == Unread(tag)


def test_a_whole_surrogate_pair_is_a_character() -> None:
    """WIRE-6."""
    assert codec.from_host('{"t":"challenge","nonce":"\\ud83d\\ude42"}') == frames.Challenge(nonce="\U0001f642")


@pytest.mark.parametrize(
    ("name", "is_read"),
    [("n" * NAME_BYTES, True), ("n" * (NAME_BYTES + 1), False), ("\U0001f642" * (NAME_BYTES // 4) + "n", False)],
    ids=["exactly the bound", "one byte more", "more in bytes only"],
)
def test_a_name_that_is_too_long_makes_an_auth_malformed(name: str, *, is_read: bool) -> None:
    """AUTH-3."""
    read = codec.from_guest(json.dumps({"t": "auth", "response": "R", "name": name}))

    assert read == (frames.Auth(response="R", name=name) if is_read else Unread("auth"))


SINCE = [
    pytest.param("0", 0, id="nothing yet"),
    pytest.param(" 7 ", 7, id="a number"),
    pytest.param("2.9", 2, id="a fraction"),
    pytest.param(str(SEQ_MAX), SEQ_MAX, id="the last number"),
    pytest.param("1e400", SEQ_MAX, id="beyond every double"),
    pytest.param("9" * 4301, SEQ_MAX, id="beyond Python's integers"),
    pytest.param("-1", 0, id="a negative number"),
    pytest.param("-1e400", 0, id="below every double"),
    pytest.param("true", 0, id="true"),
    pytest.param("null", 0, id="null"),
    pytest.param('"7"', 0, id="a text"),
    pytest.param("[7]", 0, id="a list"),
]


@pytest.mark.parametrize(("spelled", "number"), SINCE)
def test_the_backlog_is_asked_for_with_any_number_and_nothing_else(spelled: str, number: int) -> None:
    """WIRE-4, SEQ-1."""
    read = codec.from_guest(f'{{"t":"auth","response":"R","name":"n","sinceSeq":{spelled}}}')

    assert isinstance(read, frames.Auth)
    assert codec.since(read) == number


def test_who_does_not_say_what_it_holds_holds_nothing() -> None:
    """SEQ-1."""
    assert codec.since(frames.Auth(response="R", name="n")) == 0


BOUNDS = [
    pytest.param("seq", 1, True, id="the first number"),
    pytest.param("seq", 0, False, id="number 0"),
    pytest.param("seq", SEQ_MAX, True, id="the last number"),
    pytest.param("seq", SEQ_MAX + 1, False, id="one number more"),
    pytest.param("seq", 1.5, False, id="a fraction"),
    pytest.param("seq", True, False, id="true as number"),
    pytest.param("seq", "1", False, id="a text as number"),
    pytest.param("id", "i" * MESSAGE_ID_CHARS, True, id="the longest id"),
    pytest.param("id", "i" * (MESSAGE_ID_CHARS + 1), False, id="an id that is too long"),
    pytest.param("ts", 0.5, True, id="a fraction of a millisecond"),
    pytest.param("ts", "now", False, id="a text as time"),
    pytest.param("from", "alice", False, id="an unknown sender"),
    pytest.param("kind", "artifact", False, id="an unknown kind"),
]


@pytest.mark.parametrize(("field", "value", "is_read"), BOUNDS)
def test_a_message_keeps_the_bounds_of_its_table(field: str, value: object, *, is_read: bool) -> None:
    """WIRE-4, SEQ-1."""
    good = {"id": "i", "seq": 1, "from": "host", "kind": "chat", "body": "b", "ts": 0}
    read = codec.from_host(json.dumps({"t": "msg", "msg": good | {field: value}}))

    assert isinstance(read, frames.Msg) == is_read
    assert is_read or read == Unread("msg")


def nested(levels: int) -> str:
    """A challenge that nests so deep in a field that nobody reads."""
    deep = "[" * (levels - 1) + "]" * (levels - 1)
    return '{"t":"challenge","nonce":"N","flat":[[],[],[]],"x":' + deep + "}"


def test_the_deepest_nesting_is_read_and_one_level_more_is_no_json() -> None:
    """SIZE-4."""
    assert codec.from_host(nested(FRAME_DEPTH)) == frames.Challenge(nonce="N")
    assert codec.from_host(nested(FRAME_DEPTH + 1)) == Unread()


FLAT = [
    pytest.param("[" * 100, id="brackets in a text"),
    pytest.param('\\"' + "[{" * 100, id="brackets behind a quote in a text"),
    pytest.param("\\\\", id="a backslash"),
    pytest.param("]}" * 100 + "[{" * 100, id="brackets that close first"),
]


@pytest.mark.parametrize("nonce", FLAT)
def test_brackets_within_a_text_do_not_nest(nonce: str) -> None:
    """SIZE-4."""
    text = '{"t":"challenge","x":[' + "[]," * 50 + '[]],"nonce":"' + nonce + '"}'

    assert codec.from_host(text) == frames.Challenge(nonce=json.loads(f'"{nonce}"'))


@pytest.mark.parametrize("opener", ["[", '{"a":', "[[{", '"', "\\", '"\\'], ids=ascii)
def test_endless_nesting_is_no_json(opener: str) -> None:
    """SIZE-4."""
    assert codec.from_host(opener * 100_000) == Unread()
    assert codec.from_guest('{"t":"auth","x":' + opener * 100_000) == Unread()


def test_a_record_is_as_large_as_its_text() -> None:
    """SIZE-11."""
    record = message(1, "\u00fc\U0001f642")

    assert codec.size(record) + len('{"t":"msg","msg":}') == len(codec.encode(frames.Msg(msg=record)))
