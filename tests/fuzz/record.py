"""What fuzzing has come to so far: for each target its last recorded run, beside the inputs that are kept."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

RECORD: Final = Path(__file__).with_name("recorded.json")


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target."""

    date: str
    engine: str
    python: str
    seconds: int
    runs: int
    edges: int
    """Steps from one place in the code to the next that were taken."""
    features: int
    """The same, with how often one input took them."""
    inputs: int
    """How many are kept."""
    bytes: int
    """How many bytes they have together."""


def read(path: Path = RECORD) -> dict[str, Row]:
    """The rows, by target."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Row]) if path.exists() else {}


def write(rows: dict[str, Row], path: Path = RECORD) -> None:
    """Write the rows, one in a line."""
    lines = (
        f"  {msgspec.json.encode(name).decode()}: {msgspec.json.encode(row).decode()}" for name, row in rows.items()
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
