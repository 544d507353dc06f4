"""The schema of the lines, and that it says what the types say."""

import json
from typing import Any

import jsonschema
import pytest
from tunnel_conformance.spec import spec
from tunnel_conformance.subjects import forms, lint_subject

from tunnel.spec.model import ToolField

SCHEMA = json.loads(forms.SCHEMA.read_text(encoding="utf-8"))


def is_valid(line: Any, part: str = "") -> bool:  # Any: JSON
    schema = {"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]} if part else SCHEMA
    return jsonschema.Draft202012Validator(schema).is_valid(line)


def test_the_schema_is_made_of_the_types() -> None:
    """To write it anew: `python -m tunnel_conformance.subjects.forms`."""
    assert forms.SCHEMA.read_text(encoding="utf-8") == forms.text()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1, "do": "status", "args": {}},
        {"id": 2, "do": "open", "args": {"goal": "pair"}},
        {"id": 3, "do": "listen", "args": {"sinceSeq": 2, "timeoutMs": 0}},
        {"id": 3, "result": {}},
        {"id": 3, "error": "no"},
    ],
)
def test_what_goes_over_the_line_is_valid(line: object) -> None:
    assert is_valid(line)


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1, "do": "status"},
        {"id": 0, "do": "status", "args": {}},
        {"id": 2, "do": "open", "args": {}},
        {"id": 3, "do": "dance", "args": {}},
        {"id": 3, "result": {}, "error": "no"},
        {"id": 3},
        {"id": 3, "result": []},
        [],
    ],
)
def test_what_does_not_is_not(line: object) -> None:
    assert not is_valid(line)


@pytest.mark.parametrize("what", forms.RESULTS)
def test_every_result_has_its_part(what: str) -> None:
    part = forms.RESULTS[what].__name__

    assert is_valid(lint_subject.ANSWERS[what], part)
    assert not is_valid({}, part)


def test_the_parts_are_the_records_and_questions_of_the_tools() -> None:
    tables = spec().tools
    for record in tables.records:
        part = SCHEMA["$defs"][record.name.capitalize()]
        assert (list(part["properties"]), part["required"]) == (
            [field.name for field in record.fields],
            [field.name for field in record.fields if field.needed],
        )
    for tool, question in zip(tables.tools, forms.QUESTIONS, strict=True):
        arguments = SCHEMA["$defs"][question.__name__.replace("Question", "Arguments")]
        assert list(arguments["properties"]) == [field.name for field in tool.arguments]
        assert SCHEMA["$defs"][question.__name__]["properties"]["do"]["enum"] == [tool.name.removeprefix(forms.PREFIX)]


@pytest.mark.parametrize(("cause", "is_one"), [("idle", True), ("peer_left", True), (None, True), ("bored", False)])
def test_an_end_has_a_cause_of_the_tables_or_none(cause: str | None, *, is_one: bool) -> None:
    told = {**lint_subject.ANSWERS["status"], "state": "closed", "closedBecause": cause}

    assert is_valid(told, "Status") is is_one


def test_a_type_that_is_none_is_an_error_and_no_guess() -> None:
    with pytest.raises(ValueError, match="joinLink: 'a link' is no type"):
        forms.member(ToolField(name="joinLink", type="a link", doc=""), {})
