"""The committed schema is the one that the types make, and every record keeps to it."""

import json
import os
import subprocess
import sys

import jsonschema
import pytest
from tunnel_conformance.records import Run
from tunnel_conformance.report.ndjson import encode
from tunnel_conformance.report.schema import COMMITTED, schema

from tests.conformance.report.samples import every_outcome, hostile


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema()


def test_the_module_writes_the_schema() -> None:
    command = [sys.executable, "-m", "tunnel_conformance.report.schema"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == schema()


@pytest.fixture
def validator() -> jsonschema.Draft202012Validator:
    found = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("run", [every_outcome(), hostile()], ids=["every outcome", "hostile texts"])
def test_every_record_keeps_to_the_schema(validator: jsonschema.Draft202012Validator, run: Run) -> None:
    for record in (run.header, *run.verdicts, run.footer):
        validator.validate(json.loads(encode(record)))


@pytest.mark.parametrize(
    "line",
    [{}, {"record": "verdict"}, {"record": "none"}, {"record": "footer", "totals": 1, "seconds": 1, "exit_status": 0}],
)
def test_what_is_no_record_does_not(validator: jsonschema.Draft202012Validator, line: dict[str, str | int]) -> None:
    assert not validator.is_valid(line)
