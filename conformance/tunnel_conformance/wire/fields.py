"""JSON as a stranger wrote it: nothing is known of it but that it is JSON."""

import json
from typing import Any, Final, cast

Fields = dict[str, Any]  # what a stranger's object holds is for the case to say


MOST_VALUES: Final = 4_000_000
"""So many values are parsed of what one stranger wrote: each takes many times the memory that its text takes. A full
transcript, in a backlog and once more message by message, holds fewer."""


def values(text: str) -> int:
    """How many values a text spells at most, when it is JSON: each but the first has such a sign in front of it."""
    return 1 + sum(map(text.count, "[{,:"))


def parsed(text: str) -> Fields | None:
    """The JSON object that a text spells; None when it spells none."""
    try:
        return as_fields(json.loads(text))
    except (ValueError, RecursionError):
        return None


def as_fields(value: object) -> Fields | None:
    """A value, when it is an object."""
    return cast(Fields, value) if isinstance(value, dict) else None


def objects(value: object) -> list[Fields]:
    """The objects in a value, when it is an array."""
    items = cast(list[object], value) if isinstance(value, list) else []
    return [fields for item in items if (fields := as_fields(item)) is not None]
