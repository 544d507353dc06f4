"""The lines by which a library without MCP is controlled: what the kit asks, and what it is answered.

Everything that is said about them stands here; `line.schema.json` is made of it.
"""

import inspect
import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

Number = Annotated[
    int, Meta(ge=1, description="Of the question. The answer has the same one; they need not come in order.")
]


class Form(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base: names are camelCase on the line, and fields that are not known here are ignored."""


class OpenArguments(Form, frozen=True, kw_only=True):
    """Open a tunnel as its host."""

    goal: str


class JoinArguments(Form, frozen=True, kw_only=True):
    """Join a tunnel as its guest."""

    join_link: str


class SayArguments(Form, frozen=True, kw_only=True):
    """Say something to the peer; the answer comes when it has its number."""

    text: str


class ListenArguments(Form, frozen=True, kw_only=True):
    """Hear the messages after a number; when there are none, wait for some."""

    since_seq: Annotated[int, Meta(ge=0)] = 0
    timeout_ms: Annotated[
        int, Meta(ge=0, description="0 does not wait. With nothing heard, the answer has no messages.")
    ] = 60_000


class NoArguments(Form, frozen=True, kw_only=True):
    """There are none."""


class CloseArguments(Form, frozen=True, kw_only=True):
    """Close the tunnel, or leave it."""

    summary: str = ""


class Open(Form, frozen=True, kw_only=True, tag_field="do", tag="open"):
    """The kit asks to open a tunnel. Answered with OpenResult."""

    id: Number
    args: OpenArguments


class Join(Form, frozen=True, kw_only=True, tag_field="do", tag="join"):
    """The kit asks to join one. Answered with JoinResult."""

    id: Number
    args: JoinArguments


class Say(Form, frozen=True, kw_only=True, tag_field="do", tag="say"):
    """The kit asks to say something. Answered with SayResult."""

    id: Number
    args: SayArguments


class Listen(Form, frozen=True, kw_only=True, tag_field="do", tag="listen"):
    """The kit asks to listen; meanwhile other questions may come. Answered with ListenResult."""

    id: Number
    args: ListenArguments


class Status(Form, frozen=True, kw_only=True, tag_field="do", tag="status"):
    """The kit asks for the status; it is the first question, and none fails that has nothing open. Answered with StatusResult."""

    id: Number
    args: NoArguments


class Close(Form, frozen=True, kw_only=True, tag_field="do", tag="close"):
    """The kit asks to close. Answered with CloseResult."""

    id: Number
    args: CloseArguments


Question = Open | Join | Say | Listen | Status | Close


class Answer(Form, frozen=True, kw_only=True):
    """The answer to the question with this number: either a result or an error, in plain words.

    What is not known, such as a `do` that stands in no question here, is answered with an error.
    """

    id: Number
    result: dict[str, Any] | UnsetType = UNSET  # Any: what it is depends on the question; RESULTS has the types
    error: str | UnsetType = UNSET


class OpenResult(Form, frozen=True, kw_only=True):
    """The tunnel waits for its guest."""

    tunnel_id: str
    join_link: str


class JoinResult(Form, frozen=True, kw_only=True):
    """The host has admitted us."""

    tunnel_id: str
    goal: str
    peer: Annotated[str, Meta(description="The host's name.")]


class SayResult(Form, frozen=True, kw_only=True):
    """The message has its number."""

    seq: int


class Heard(Form, frozen=True, kw_only=True):
    """A message. The own ones are heard, too."""

    id: str
    seq: int
    kind: Literal["chat", "system"]
    text: str
    sender: Literal["host", "guest"] = field(name="from")


class StatusResult(Form, frozen=True, kw_only=True):
    """Where the tunnel is."""

    role: str
    peer_connected: bool
    goal: str
    last_seq: int


class ListenResult(Form, frozen=True, kw_only=True):
    """What was heard."""

    messages: list[Heard]
    status: StatusResult


class CloseResult(Form, frozen=True, kw_only=True):
    """Nothing is open any more."""

    ok: bool


QUESTIONS: Final[tuple[type[Form], ...]] = (Open, Join, Say, Listen, Status, Close)

RESULTS: Final[dict[str, type[Form]]] = {
    "open": OpenResult,
    "join": JoinResult,
    "say": SayResult,
    "listen": ListenResult,
    "status": StatusResult,
    "close": CloseResult,
}


SCHEMA: Final = Path(__file__).with_name("line.schema.json")
"""What is made of the types, for readers without Python."""


def schema() -> dict[str, object]:
    """JSON Schema of a line: the kit's on the implementation's stdin, or the implementation's on its stdout."""
    kinds = (*QUESTIONS, Answer, *RESULTS.values())
    references, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for part in parts.values():
        part["description"] = inspect.cleandoc(part["description"])
    parts["Answer"]["oneOf"] = [{"required": ["result"]}, {"required": ["error"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line between the kit and an implementation",
        "description": "One JSON object in UTF-8, without a line break inside, and a line break behind it.",
        "oneOf": list(references[: len(QUESTIONS) + 1]),
        "$defs": dict(sorted(parts.items())),
    }


def text() -> str:
    """What stands in SCHEMA."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
