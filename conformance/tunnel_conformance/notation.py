"""What `{...}` in a case stands for, and whom `by` names; the header of `cases.toml` tells it to whoever writes one."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tunnel_conformance.spec import spec

Value = str | int | bool

_CONSTANT: Final = re.compile(r"\{([A-Z]+(?:_[A-Z]+)+)\}(?: ([+-]) (\d+))?")
_WORD: Final = re.compile(r"\{([a-z]+(?: [a-z0-9]+)*)\}")
_RANGE: Final = re.compile(r"([A-Z]+)(\d+) \.\. \1(\d+)")

NOBODY: Final = "A"
"""Who does a step that names nobody."""

Lookup = Callable[[str], str | None]


class Words(Struct, frozen=True):
    """The arguments of a step, or of what it expects."""

    values: Mapping[str, Value]

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number."""
        return int(self.values.get(name, default))

    def flag(self, name: str) -> bool:
        """Whether something is so; it is not when nothing is said."""
        return self.values.get(name) is True

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __str__(self) -> str:
        return ", ".join(f"{name} {_shown(value)}" for name, value in self.values.items())


def constants(text: str) -> Value:
    """A text with its `{CONSTANT}` and `{CONSTANT} + 1`; a number when it is nothing else."""
    numbers = spec().constants

    def value(found: re.Match[str]) -> str:
        number = numbers[found[1]]
        more = int(found[3] or 0)
        return str(number - more if found[2] == "-" else number + more)

    replaced = _CONSTANT.sub(value, text)
    return int(replaced) if _CONSTANT.fullmatch(text) else replaced


def words(values: Mapping[str, Value], lookup: Lookup) -> Words:
    """Arguments with everything in braces replaced.

    Args:
        values: as they stand in the case.
        lookup: what a name such as `key` stands for now; None leaves the braces alone, as those of JSON are.
    """
    found: dict[str, Value] = {}
    for name, value in values.items():
        replaced = constants(value) if isinstance(value, str) else value
        if isinstance(replaced, str):
            replaced = _WORD.sub(lambda word: _or(lookup(word[1]), word[0]), replaced)
        found[name] = replaced
    return Words(found)


def peers(by: str) -> tuple[str, ...]:
    """Whom `by` names: `A`, `A, B`, `X1 .. X32`, `subject`; `A` when it is empty."""
    text = str(constants(by)) or NOBODY
    if found := _RANGE.fullmatch(text):
        return tuple(f"{found[1]}{number}" for number in range(int(found[2]), int(found[3]) + 1))
    return tuple(name.strip() for name in text.split(","))


def _or(found: str | None, otherwise: str) -> str:
    return otherwise if found is None else found


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else f'"{value}"'
