import json

import pytest
from tunnel_conformance.wire.fields import as_fields, objects, parsed, values


@pytest.mark.parametrize(
    "text", ["", "no JSON", "null", "[]", "5", '"x"', "[" * 100_000, "1" * 10_000], ids=lambda t: t[:9]
)
def test_what_is_no_object_is_none(text: str) -> None:
    assert parsed(text) is None


def test_an_object_is_read() -> None:
    assert parsed('{"t":"msg"}') == {"t": "msg"}
    assert as_fields({"a": 1}) == {"a": 1}


def test_objects_are_picked_out_of_anything() -> None:
    assert objects([1, {"a": 1}, None, [{"b": 2}]]) == [{"a": 1}]
    assert objects("no array") == []


@pytest.mark.parametrize("text", ["[[],[],[]]", '{"a":1,"b":{}}', "[1,2,3]", '{"t":"msg"}'])
def test_there_are_no_more_values_than_are_counted(text: str) -> None:
    def inside(value: object) -> int:
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return 1 + sum(map(inside, items))

    assert inside(json.loads(text)) <= values(text) <= len(text) + 1
