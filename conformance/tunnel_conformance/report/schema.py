"""The JSON Schema of a run's lines, made from the types that write them; `run.schema.json` is its committed text.

It is written by `python -m tunnel_conformance.report.schema > run.schema.json`.
"""

import sys
from importlib.resources import files
from typing import Any, Final, get_args

import msgspec

from tunnel_conformance.records import Record

COMMITTED: Final = files("tunnel_conformance.report").joinpath("run.schema.json")


def schema() -> str:
    """The schema as it must stand in `run.schema.json`."""
    records, types = msgspec.json.schema_components(get_args(Record), ref_template="#/$defs/{name}")
    # Any: a JSON Schema is JSON of no fixed shape.
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a run of tunnel-conformance",
        "description": "A run is a header, a verdict a line, and a footer. Without its footer it is no run.",
        "oneOf": list(records),
        "$defs": types,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
