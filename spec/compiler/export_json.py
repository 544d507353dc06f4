"""What the JSON files of the export have in common: their form, and how their schemas are called."""

import json
from typing import Any, Final

from spec.compiler.reader import Spec

Schema = dict[str, Any]
"""Any: a JSON Schema is JSON of no fixed shape."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def text(value: Schema) -> str:
    """The value as it stands in a file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def head(spec: Spec, name: str, title: str, source: str) -> Schema:
    """How a schema begins: its dialect, its name for those who refer to it, and where it comes from."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:{spec.protocol.name}:wire-{spec.protocol.wire}:{name}",
        "$comment": f"Edition {spec.protocol.spec_version}. Generated from {source} by `python -m spec.compiler build`.",
        "title": title,
    }
