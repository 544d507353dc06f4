"""The reference reads every vector as the vectors say, without asking the codec."""

import json
from typing import Any

import pytest

from tests.fuzz import reference
from tests.fuzz.target import VECTORS
from tunnel.spec.model import Role

FRAMES: list[dict[str, Any]] = json.loads((VECTORS / "frames.json").read_text(encoding="utf-8"))["vectors"]


@pytest.mark.parametrize("vector", FRAMES, ids=lambda vector: vector["name"])
def test_a_text_is_the_frame_that_its_vector_says(vector: dict[str, Any]) -> None:
    """WIRE-3, WIRE-4, WIRE-6, SIZE-4, AUTH-3."""
    found = reference.read(vector["text"], Role(vector["from"]))

    assert isinstance(found, dict) == (vector["read"] is not None)
    assert isinstance(found, dict) or found == vector["as"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"t":"auth","response":"R","name":"n","sinceSeq":[1e999]}', "auth"),
        ('{"t":"auth","response":"R","name":"n","later":1e999}', {"response": "R", "name": "n"}),
        ('{"t":"auth","response":5,"response":"R","name":"n"}', "auth"),
        ('{"t":"auth","response":"R","name":"m","name":"n"}', {"response": "R", "name": "n"}),
        ('{"t":"send","t":"auth","response":"R","name":"n"}', "auth"),
        ('{"t":5,"t":"auth","response":"R","name":"n"}', ""),
        (
            '{"t":"send","msg":{"id":"i","kind":"chat","body":"b","seq":5}}',
            {"msg": {"id": "i", "kind": "chat", "body": "b"}},
        ),
    ],
    ids=[
        "no number",
        "no number that counts",
        "the first of two",
        "the last of two",
        "two names",
        "no name",
        "a record",
    ],
)
def test_what_json_leaves_open_is_read_in_one_way(text: str, read: object) -> None:
    """WIRE-1, WIRE-3."""
    assert reference.read(text, Role.GUEST) == read
