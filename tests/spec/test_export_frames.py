"""A frame's schema takes what the codec takes, and refuses what it refuses, but for what a schema cannot tell."""

import json
import re
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator as Validator

from spec.compiler import export_frames
from tests.spec.breakage import SPEC
from tunnel.core import codec
from tunnel.spec.v1.constants import FRAME_DEPTH, MESSAGE_ID_CHARS, NAME_BYTES, SEQ_MAX

README = (Path(__file__).parents[2] / "spec" / "v1" / "export" / "README.md").read_text(encoding="utf-8")
SCHEMAS = export_frames.schemas(SPEC)
VALIDATORS = {name: Validator(schema) for name, schema in SCHEMAS.items()}
SENDERS = {frame.name: frame.sender.value for frame in SPEC.frames.frames if frame.sender}

Sender = Literal["host", "guest"]


def read(text: str) -> Any:  # JSON
    """What a reader of JSON makes of a text.

    Raises:
        ValueError: it is not JSON.
    """

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_int=whole, parse_constant=refuse)


def whole(spelled: str) -> int | float:
    """A whole number, as a float without a bound where no float holds it: Python's integers have a longest one."""
    return int(spelled) if isfinite(float(spelled)) else float(spelled)


def schema_takes(text: str, sender: Sender, validators: Mapping[str, Validator] = VALIDATORS) -> bool:
    try:
        value = read(text)
    except ValueError:
        return False
    return any(validators[name].is_valid(value) for name, by in SENDERS.items() if by == sender)


def codec_takes(text: str, sender: Sender) -> bool:
    frame = codec.from_host(text) if sender == "host" else codec.from_guest(text)
    return not isinstance(frame, codec.Unread)


# --- What a schema cannot tell ------------------------------------------------------------------------------------------


def strings(value: Any) -> list[str]:  # JSON
    match value:
        case str():
            return [value]
        case [*items]:
            return [text for item in items for text in strings(item)]
        case {**fields}:
            return [text for pair in fields.items() for part in pair for text in strings(part)]
        case _:
            return []


def levels(value: Any) -> int:  # JSON
    match value:
        case [*items]:
            return 1 + max(map(levels, items), default=0)
        case {**fields}:
            return 1 + max(map(levels, fields.values()), default=0)
        case _:
            return 0


def is_long_in_bytes(text: str) -> bool:
    match read(text):
        case {"name": str(name)}:
            return len(name) <= NAME_BYTES < len(name.encode("utf-8", "surrogatepass"))
        case _:
            return False


def has_half_a_pair(text: str) -> bool:
    return any(re.search("[\ud800-\udfff]", each) for each in strings(read(text)))


def is_deep(text: str) -> bool:
    return levels(read(text)) > FRAME_DEPTH


def has_no_double(text: str) -> bool:
    found: list[float] = []

    def keep(spelled: str) -> float:
        found.append(float(spelled))
        return found[-1]

    json.loads(text, parse_float=keep, parse_int=keep)
    return not all(map(isfinite, found))


def says_twice(text: str) -> bool:
    found: list[bool] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    json.loads(text, object_pairs_hook=keep, parse_int=whole)
    return any(found)


def is_spelled_oddly(text: str) -> bool:
    found: list[float] = []

    def keep(spelled: str) -> float:
        found.append(float(spelled))
        return found[-1]

    json.loads(text, parse_float=keep, parse_int=whole)
    return any(number.is_integer() for number in found)


BEYOND: dict[str, Callable[[str], bool]] = {
    "bytes": is_long_in_bytes,
    "surrogate": has_half_a_pair,
    "depth": is_deep,
    "double": has_no_double,
    "twice": says_twice,
    "spelling": is_spelled_oddly,
}
"""Why a text may pass a schema that a receiver refuses, or, of the last two, may refuse."""

SHOWN: dict[str, tuple[Sender, str]] = {
    "bytes": ("guest", json.dumps({"t": "auth", "response": "R", "name": "\u00e9" * NAME_BYTES})),
    "surrogate": ("guest", r'{"t":"auth","response":"R","name":"\ud800"}'),
    "depth": ("host", '{"t":"challenge","nonce":"N","x":' + "[" * FRAME_DEPTH + "]" * FRAME_DEPTH + "}"),
    "double": (
        "host",
        '{"t":"msg","msg":{"id":"i","seq":1,"from":"host","kind":"chat","body":"b","ts":' + "9" * 600 + "}}",
    ),
    "twice": ("host", '{"t":"challenge","nonce":1,"nonce":"N"}'),
    "spelling": ("host", '{"t":"msg","msg":{"id":"i","seq":1.0,"from":"host","kind":"chat","body":"b","ts":0}}'),
}
"""One text for each of these reasons."""


def reasons(text: str) -> list[str]:
    """Why a schema may be wrong about a text; nothing is said about what is not JSON."""
    try:
        read(text)
    except ValueError:
        return []
    return [reason for reason, holds in BEYOND.items() if holds(text)]


def unexplained(text: str, sender: Sender, validators: Mapping[str, Validator] = VALIDATORS) -> bool:
    """Whether schema and codec disagree without a reason, or the wrong way round."""
    taken = schema_takes(text, sender, validators)
    return codec_takes(text, sender) != taken and not (taken and reasons(text))


def test_the_readme_names_what_a_schema_cannot_tell() -> None:
    table = README.partition("## What a schema cannot tell")[2]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(BEYOND)


@pytest.mark.parametrize("reason", BEYOND)
def test_what_a_schema_cannot_tell_is_needed_and_stands_alone(reason: str) -> None:
    sender, text = SHOWN[reason]

    assert reasons(text) == [reason]
    assert (schema_takes(text, sender), codec_takes(text, sender)) == (True, False)


# --- Schema and codec ---------------------------------------------------------------------------------------------------


def spoken() -> list[Any]:
    """Every frame of the vectors, as each end would send it."""
    folder = SPEC.folder / "vectors"
    found: list[Any] = []
    for name in ("frames", "decode", "encode"):
        for vector in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["vectors"]:
            found += [
                pytest.param(vector["text"], sender, id=f"{name}, {vector['name']}, {sender}")
                for sender in ("host", "guest")
            ]
    return found


@pytest.mark.parametrize(("text", "sender"), spoken())
def test_schema_and_codec_agree_about_every_frame_of_the_vectors(text: str, sender: Sender) -> None:
    assert not unexplained(text, sender)


BOUNDS = (-1, 0, 1, SEQ_MAX, SEQ_MAX + 1, 0.5, 10**400)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(BOUNDS),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(("host", "guest", "chat", "system", "x" * MESSAGE_ID_CHARS, "x" * (MESSAGE_ID_CHARS + 1))),
    st.sampled_from([letter * times for letter in "x\u00e9" for times in (NAME_BYTES, NAME_BYTES + 1)]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
EXAMPLES = [example for schema in SCHEMAS.values() for example in schema["examples"]]


@st.composite
def meddled(draw: st.DrawFn) -> str:
    """A frame of the vectors, with some fields lost, changed or added, in it or in a record that it holds."""
    frame = json.loads(json.dumps(draw(st.sampled_from(EXAMPLES))))
    for _ in range(draw(st.integers(0, 3))):
        inside = [frame.get("msg"), *(frame["backlog"] if isinstance(frame.get("backlog"), list) else ())]
        place = draw(st.sampled_from([frame, *(part for part in inside if isinstance(part, dict))]))
        field = draw(st.sampled_from([*place, "x"]))
        if draw(st.booleans()):
            place[field] = draw(VALUES)
        else:
            place.pop(field, None)
    return json.dumps(frame, ensure_ascii=draw(st.booleans()))


@given(meddled(), st.sampled_from(("host", "guest")))
def test_schema_and_codec_agree_about_whatever_is_sent(text: str, sender: Sender) -> None:
    assert not unexplained(text, sender)


def test_a_schema_that_forgets_a_bound_is_noticed() -> None:
    text = '{"t":"msg","msg":{"id":"i","seq":0,"from":"host","kind":"chat","body":"b","ts":0}}'
    broken = json.loads(json.dumps(SCHEMAS["msg"]))
    del broken["$defs"]["message"]["properties"]["seq"]["minimum"]

    assert not unexplained(text, "host")
    assert unexplained(text, "host", {**VALIDATORS, "msg": Validator(broken)})


# --- What else a schema says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_its_examples_keep_to_it(name: str) -> None:
    schema = SCHEMAS[name]
    Validator.check_schema(schema)

    assert schema["examples"]
    assert all(VALIDATORS[name].is_valid(example) for example in schema["examples"])
    assert {example["t"] for example in schema["examples"]} == {name}


def test_schemas_have_names_of_their_own_and_a_sender() -> None:
    assert len({schema["$id"] for schema in SCHEMAS.values()}) == len(SPEC.frames.frames)
    assert {name: schema["x-sender"] for name, schema in SCHEMAS.items()} == SENDERS


def test_every_field_says_what_it_is_and_who_can_read_it() -> None:
    shapes = [*SPEC.frames.records, *SPEC.frames.frames]
    described = {shape.name: export_frames.shape(SPEC, shape)["properties"] for shape in shapes}

    for shape in shapes:
        for field in shape.fields:
            found = described[shape.name][field.name]
            assert (found["description"], found["x-visible"]) == (field.doc, field.visible)
            assert found.get("x-visible-note", "") == field.visible_note
