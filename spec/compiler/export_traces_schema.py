"""What an exported trace consists of, field by field: the types that write the traces, and their JSON Schema."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from spec.compiler.export_json import Schema, head
from spec.compiler.reader import Spec

Word = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[int, Meta(ge=0, description="Whole seconds since the machine began.")]


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One moment: an `event` that happens, a `timer` that is due, or neither; between two lines no timer is due."""

    at: Seconds
    event: Annotated[Word, Meta(description="What happens.")] | UnsetType = UNSET
    facts: (
        Annotated[
            tuple[Word, ...], Meta(description="Those facts of the event that hold; missing where it has none at all.")
        ]
        | UnsetType
    ) = UNSET
    timer: Annotated[Word, Meta(description="The event of the timer whose deadline this is.")] | UnsetType = UNSET
    row: Annotated[Word, Meta(description="The row that is taken.")] | UnsetType = UNSET
    state: Annotated[Word, Meta(description="The state after it.")]
    do: Annotated[tuple[Word, ...], Meta(description="What the machine answers, in this order: see `actions`.")] = ()
    timers: (
        Annotated[
            dict[str, Seconds],
            Meta(description="The deadlines of all timers that run after it; where missing, the same as before it."),
        ]
        | UnsetType
    ) = UNSET


class Trace(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One life of a machine, and the ends that it can have: each of them alone, behind all the steps."""

    name: Word
    steps: tuple[Line, ...]
    ends: tuple[Annotated[tuple[Line, ...], Meta(min_length=1)], ...] = ()


class Action(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an action does, and what it says: the row of refusals.toml that it names, without the words for people."""

    doc: str
    says: dict[str, str | int] | UnsetType = UNSET


class Start(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fresh machine, at second 0."""

    state: Word
    timers: dict[str, Seconds]


class Covered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the traces come to and take: all that `python -m spec.compiler explore` finds."""

    configurations: int
    steps: int


class Traces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All traces of one machine."""

    about: Annotated[tuple[str, ...], Meta(min_length=1)]
    schema: str
    machine: Word
    edition: Annotated[str, Meta(description="The edition of the specification.")]
    covers: Covered
    events: Annotated[dict[str, tuple[Word, ...]], Meta(description="Every event with its facts.")]
    actions: Annotated[dict[str, Action], Meta(description="Every action as it stands in `do`.")]
    start: Start
    traces: Annotated[tuple[Trace, ...], Meta(min_length=1)]


def schema(spec: Spec) -> Schema:
    """The schema of all three files."""
    (whole,), parts = msgspec.json.schema_components([Traces], ref_template="#/$defs/{name}")
    begin = head(
        spec, "traces", f"Session traces of wire version {spec.protocol.wire}", "spec/compiler/export_traces_schema.py"
    )
    return begin | whole | {"$defs": dict(sorted(parts.items()))}
