"""The schema of the bundle takes the bundle, and nothing that the compiler would not read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spec.compiler import export_bundle
from tests.spec.breakage import SPEC

README = Path(__file__).parents[2] / "spec" / "v1" / "export" / "README.md"
BUNDLE = Path(__file__).parents[2] / "tunnel" / "spec" / "v1" / "spec.json"
SCHEMA = export_bundle.schema(SPEC)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture
def bundle() -> dict[str, Any]:  # JSON
    return json.loads(BUNDLE.read_text(encoding="utf-8"))


def test_the_bundle_keeps_to_its_schema(bundle: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    VALIDATOR.validate(bundle)


def test_every_condition_has_the_form_that_the_readme_names(bundle: dict[str, Any]) -> None:
    form = '[ "not " ] ( FACT | "passed(" TIMER ")" )'
    assert f"    {form}\n" in README.read_text(encoding="utf-8")

    for machine in bundle["machines"].values():
        facts = {event["name"]: "|".join(event["facts"]) for event in machine["events"]}
        timers = "|".join(timer["name"] for timer in machine["timers"])
        for row in machine["transitions"]:
            assert re.fullmatch(rf"((not )?({facts.get(row['on'], '')}|passed\(({timers})\)))?", row["when"]), row["id"]
        assert {timer["passed_when"] for timer in machine["timers"]} <= {"elapsed > duration", "elapsed >= duration"}


Break = Callable[[dict[str, Any]], Any]
BROKEN: dict[str, Break] = {
    "a table is missing": lambda bundle: bundle.pop("rules"),
    "a table that nobody knows": lambda bundle: bundle.update(more=[]),
    "a field that nobody knows": lambda bundle: bundle["protocol"]["constants"][0].update(nmae="x"),
    "a number as a text": lambda bundle: bundle["protocol"]["constants"][0].update(value="32"),
    "a level that is none": lambda bundle: bundle["rules"]["rules"][0].update(level="MSUT"),
    "a row without its id": lambda bundle: bundle["machines"]["guest"]["transitions"][0].pop("id"),
    "a row that leaves one state": lambda bundle: bundle["machines"]["guest"]["transitions"][0].update(
        {"from": "dialing"}
    ),
    "a sender that is none": lambda bundle: bundle["frames"]["frames"][0].update(sender="relay"),
}


@pytest.mark.parametrize("breaks", BROKEN.values(), ids=BROKEN)
def test_a_broken_bundle_does_not(bundle: dict[str, Any], breaks: Break) -> None:
    breaks(bundle)

    assert not VALIDATOR.is_valid(bundle)


def test_every_type_says_what_it_is() -> None:
    assert [name for name, part in SCHEMA["$defs"].items() if not part["description"]] == []


def test_what_stands_below_a_field_describes_it() -> None:
    said = export_bundle.attribute_docs()
    fields = SCHEMA["$defs"]["Row"]["properties"]

    assert fields["from"]["description"] == said["Row", "leaves"]
    assert said["Observable", "TOOL"] in SCHEMA["$defs"]["Observable"]["description"]
    descriptions = json.dumps(SCHEMA, ensure_ascii=False)
    assert [text for text in said.values() if json.dumps(text, ensure_ascii=False)[1:-1] not in descriptions] == []
