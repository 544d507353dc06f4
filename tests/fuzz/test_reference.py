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
        ('{"t":"auth","response":"R","name":"n","sinceSeq":[1e999]}', {"response": "R", "name": "n"}),
        ('{"t":"auth","response":"R","name":"n","later":1e999}', {"response": "R", "name": "n"}),
        ('{"t":5,"response":"R","name":"n"}', ""),
        (
            '{"t":"send","msg":{"id":"i","kind":"chat","body":"b","seq":5}}',
            {"msg": {"id": "i", "kind": "chat", "body": "b"}},
        ),
    ],
    ids=[
        "a number that is not read",
        "a number that is not known",
        "no name",
        "a record",
    ],
)
def test_only_what_is_read_is_looked_at(text: str, read: object) -> None:
    """WIRE-1, WIRE-3."""
    assert reference.read(text, Role.GUEST) == read


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ('{"t":"auth","t":"auth"}', True),
        ('{"t":"msg","msg":[{"seq":1,"seq":1}]}', True),
        ('{"seq":1.0}', True),
        ('{"seq":1e0}', True),
        ('{"seq":-1,"ts":0.5,"x":1e400}', False),
        ('{"seq":' + "9" * 5000 + "}", False),
        ('{"seq":1.0', False),
    ],
    ids=[
        "a name twice",
        "a name twice within",
        "a fraction",
        "an exponent",
        "as all write",
        "a long number",
        "no JSON",
    ],
)
def test_what_nobody_may_write_has_no_meaning(text: str, *, is_open: bool) -> None:
    """WIRE-11."""
    assert reference.is_left_open(text) == is_open
