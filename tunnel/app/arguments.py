"""Reads what an agent passes to a tool. An error names the argument and what is allowed, and never what was passed.

What was passed, a misspelt name included, may be a join link.
"""

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Final, TypeVar

import msgspec
from msgspec import inspect

from tunnel.app.results import Arguments
from tunnel.app.settings import LONGEST_LISTEN_SECONDS, MILLISECONDS_PER_SECOND
from tunnel.errors import TheirFault
from tunnel.spec.v1.constants import SEQ_MAX

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)

_LONGEST_NAME: Final = 40
"""A longer name is no misspelt argument of ours, and comparing takes time."""


class BadArgumentError(TheirFault):
    """An argument is not what is allowed; the text names it, what was found, and what is allowed."""


def read(arguments: Mapping[str, object], kind: type[ArgumentsT]) -> ArgumentsT:
    """The arguments as their type.

    Raises:
        BadArgumentError: one is unknown, missing or of another type.
    """
    fields = {field.encode_name: field for field in inspect_fields(kind)}
    allowed = f"The arguments are {', '.join(fields)}." if fields else "It takes no arguments."
    for name in arguments:
        if name not in fields:
            raise BadArgumentError(f"{_unknown(name, list(fields))} {allowed}")
    for name, field in fields.items():
        if name not in arguments and field.required:
            raise BadArgumentError(f"the argument '{name}' is missing. {allowed}")
    for name, value in arguments.items():
        expected = _expected(fields[name].type)
        found = _found(value)
        if found != expected:
            raise BadArgumentError(f"the argument '{name}' must be {expected}; found {found}. {allowed}")
    return msgspec.convert(arguments, type=kind)


@cache
def inspect_fields(kind: type[Arguments]) -> tuple[inspect.Field, ...]:
    """The fields of an arguments type."""
    info = inspect.type_info(kind)
    return info.fields if isinstance(info, inspect.StructType) else ()


def whole_text(name: str, text: str, limit: int | None = None) -> str:
    """The text, which holds whole characters and keeps to its bound.

    JSON can spell half of a surrogate pair, and nothing downstream can encode it. It is refused and not replaced, so that
    the agent says what it meant.

    Args:
        name: the argument's.
        text: its value.
        limit: bytes of UTF-8 that it may have; None when whoever uses it has a bound of its own.

    Raises:
        BadArgumentError: it does not.
    """
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise BadArgumentError(
            f"{name} holds half of a surrogate pair at character {error.start + 1}; only whole characters are allowed. "
            "Write the character as a whole, or leave it out."
        ) from None
    if limit is not None and size > limit:
        raise BadArgumentError(f"{name} has {size} bytes of UTF-8; at most {limit} are allowed. Say it shorter.")
    return text


def message_number(number: float) -> int:
    """A message's number, from any number: below 0 is the start, and none is greater than SEQ_MAX."""
    return int(min(number, SEQ_MAX)) if number > 0 else 0


def waiting_seconds(milliseconds: float) -> float:
    """How long to wait, from any number: 0 and less is not at all, and nothing is longer than LONGEST_LISTEN_SECONDS."""
    if not milliseconds > 0:
        return 0.0
    # Compared first: a whole number may be too large to divide.
    return min(milliseconds, LONGEST_LISTEN_SECONDS * MILLISECONDS_PER_SECOND) / MILLISECONDS_PER_SECOND


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1) if len(name) <= _LONGEST_NAME else []
    return f"an argument's name is not known; did you mean '{near[0]}'?" if near else "an argument's name is not known."


def _expected(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    return "a string" if isinstance(kind, inspect.StrType) else "a number"


def _found(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case _:
            return "an array or an object"
