"""Programs that are known to make a port reachable, as data; a table that is wrong in any field is an error."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

PORT: Final = "{port}"
"""Where the relay's local port belongs in a command."""

_TABLE: Final = Path(__file__).with_name("presets.toml")

Words = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(gt=0, le=120)]


class Preset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a program is called that makes a port reachable, and how it says where."""

    name: Words
    """The transport's name."""
    command: tuple[str, ...]
    """Its words, with `{port}` where the port belongs."""
    needs: Words
    """The program that must be there."""
    url: re.Pattern[str]
    """The public URL in a line of its output: the first group, or the whole match."""
    seconds: Seconds
    """How long to wait for it."""
    privacy: Words
    """Who can see what of a tunnel that goes this way, in a sentence."""
    install: Words
    """How a person gets the program, in a sentence."""
    notes: Words
    """What else the program wants, in a sentence."""

    def __post_init__(self) -> None:
        if not any(PORT in word for word in self.command):
            raise ValueError(f"the command of {self.name} has no {PORT}")


class _Presets(Struct, forbid_unknown_fields=True):
    preset: tuple[Preset, ...]


def read_presets(text: str) -> dict[str, Preset]:
    """The presets in a TOML text, by name.

    Raises:
        msgspec.ValidationError: it is not a table of presets.
    """
    presets = msgspec.convert(tomllib.loads(text), _Presets, dec_hook=_pattern).preset
    by_name = {preset.name: preset for preset in presets}
    if len(by_name) < len(presets):
        raise msgspec.ValidationError("two presets have one name")
    return by_name


def _pattern(_type: object, value: Any) -> re.Pattern[str]:  # whatever stands in the table
    try:
        return re.compile(value)
    except (re.error, TypeError) as error:
        raise ValueError(f"no regular expression: {error}") from None


PRESETS: Final[Mapping[str, Preset]] = read_presets(_TABLE.read_text(encoding="utf-8"))
"""The presets that are shipped."""
