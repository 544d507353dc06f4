"""AsyncAPI's own parser reads the document and finds nothing to say against it; what it reads is what the tables say."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from spec.compiler import export_asyncapi
from spec.compiler.export_json import text
from tests.spec.breakage import SPEC
from tests.standins.npm import installed
from tunnel.spec.model import Role

CHECK = Path(__file__).parent / "asyncapi"
DOCUMENT = export_asyncapi.document(SPEC)
ERROR, WARNING = 0, 1
"""How bad a finding of the parser's is; what is worth less is advice, such as that there is a later edition of AsyncAPI."""


def references(value: Any) -> Iterator[str]:  # JSON
    match value:
        case {"$ref": str(place), **others}:
            assert others == {}, "readers of draft 7 pass over what stands beside a reference"
            yield place
        case {**fields}:
            for each in fields.values():
                yield from references(each)
        case [*items]:
            for each in items:
                yield from references(each)
        case _:
            pass


def found_at(place: str) -> Any:  # JSON
    assert place.startswith("#/"), "the document stands alone"
    value: Any = DOCUMENT
    for step in place.removeprefix("#/").split("/"):
        value = value[step]
    return value


def test_it_stands_alone_and_every_reference_leads_somewhere() -> None:
    places = set(references(DOCUMENT))

    assert len(places) > len(SPEC.frames.frames)
    assert all(found_at(place) for place in places)


def test_its_examples_keep_to_its_schemas_as_draft_7_reads_them() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        validator = jsonschema.Draft7Validator({**DOCUMENT, "$ref": message["payload"]["$ref"]})

        assert message["examples"]
        assert all(validator.is_valid(example["payload"]) for example in message["examples"])
        assert not validator.is_valid({"t": name})


Break = Callable[[dict[str, Any]], Any]
BROKEN: dict[str, Break] = {
    "a reference that leads nowhere": lambda given: given["operations"]["sendMsg"]["channel"].update({"$ref": "#/channels/tunel"}),
    "an action that is none": lambda given: given["operations"]["sendMsg"].update(action="publish"),
    "a payload that is no schema": lambda given: given["components"]["schemas"]["msg"].update(type="objekt"),
    "a message of another channel": lambda given: given["operations"]["sendMsg"]["messages"][0].update({"$ref": "#/components/messages/msg"}),
    "a binding without a way in": lambda given: given["channels"]["tunnel"]["bindings"]["ws"].update(method="PUT"),
}  # fmt: skip
WHOLE: Final = "the document itself"


@pytest.fixture(scope="module")
def answers(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:  # JSON
    """What AsyncAPI's parser says of the document, and of broken ones."""
    folder = installed(CHECK, tmp_path_factory.mktemp("asyncapi") / "check", pytestconfig)
    given = {name: json.loads(text(DOCUMENT)) for name in (WHOLE, *BROKEN)}
    for name, breaks in BROKEN.items():
        breaks(given[name])
    done = subprocess.run(
        ["node", "check.js"],
        cwd=folder,
        input=json.dumps([*given.values()]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(zip(given, json.loads(done.stdout), strict=True))


def faults(answer: dict[str, Any]) -> list[Any]:
    return [finding for finding in answer["found"] if finding["severity"] in (ERROR, WARNING)]


@pytest.mark.needs("node")
def test_the_parser_of_asyncapi_accepts_it_and_reads_what_the_tables_say(answers: dict[str, Any]) -> None:
    answer = answers[WHOLE]

    assert faults(answer) == []
    assert answer["version"] == export_asyncapi.ASYNCAPI
    assert answer["read"] == [
        {
            "action": "send" if frame.sender is Role.HOST else "receive",
            "address": ["/t/{tunnelId}"],
            "messages": [frame.name],
        }
        for frame in SPEC.frames.frames
    ]


@pytest.mark.needs("node")
@pytest.mark.parametrize("broken", BROKEN)
def test_the_parser_of_asyncapi_refuses_a_broken_one(answers: dict[str, Any], broken: str) -> None:
    assert faults(answers[broken]) != []
    assert answers[broken]["read"] == []
