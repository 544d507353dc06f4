"""The types of the spec's tables: what a row may hold, and nothing about what it means.

Unknown fields are errors, so a typo in a table is found when the table is read. The meaning of the
machines is in `semantics.py`; the compiler that reads the TOML into these types is not shipped.
"""

from enum import Enum
from typing import Annotated, Final

from msgspec import Meta, Struct, field

FREE: Final = Meta(extra={"frozen": False})
"""What may change after its version is frozen, since no peer can see it. Every field without this mark is frozen."""

Prose = Annotated[str, FREE]
"""Words for people: they may become clearer."""

Sentence = str
"""Words that bind: frozen like a number, but the next edition may say the same more clearly."""

RuleIds = Annotated[tuple[str, ...], FREE]
"""The rules behind a row: one that was kept all along may be written down later."""


class Level(Enum):
    """How strongly a rule binds (RFC 2119). What must never happen is denied in its sentence, so that it reads right by itself."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Role(Enum):
    """Whom a rule binds, or who sends a frame."""

    HOST = "host"
    GUEST = "guest"
    BOTH = "both"


class Observable(Enum):
    """Where a breach of a rule can be seen."""

    WIRE = "wire"
    """By a peer: what it receives, or fails to receive."""
    TOOL = "tool"
    """By the person or agent on the same side: a result, an error, a status."""
    MODEL = "model"
    """Only where the clock is an argument: by the model, and by tests with a virtual clock."""
    NONE = "none"
    """Not from outside; the rule says why."""


class Table(Struct, forbid_unknown_fields=True, frozen=True):
    """Base of all rows: frozen, and a field that is not declared is an error."""


class Constant(Table, frozen=True):
    """A number of the protocol. This is the only place where it is written."""

    name: str
    value: int
    unit: str
    doc: Sentence


class Protocol(Table, frozen=True):
    """`protocol.toml`."""

    name: str
    wire: int
    spec_version: Annotated[str, FREE]
    """The edition of the folder; it goes up when a frozen version takes up what was true of it before."""
    summary: Prose
    files: Annotated[tuple[str, ...], FREE]
    constants: tuple[Constant, ...]


class Field(Table, frozen=True):
    """One field of a frame or a record, as it stands on the wire."""

    name: str
    type: str
    """`string`, `integer`, `number`, `any`, `const`, `one of A B`, `RECORD`, `RECORD list`."""
    doc: Sentence
    encoding: str = ""
    """How the text is formed, for people: `base64url, 32 bytes` and the like."""
    min: int | None = None
    max: str = ""
    """The constant that bounds it, with its unit in the constant's name."""
    value: int | str | None = None
    """What the sender writes when `type` is `const`; the receiver does not read it."""
    default: int | str | None = None
    visible: str = "operator"
    """Who can read it: `operator` (both ends, and whoever runs the transport), `ends` (nobody but them), or `kind` (as the field of that name says)."""
    visible_note: Prose = ""
    """The same in words, unless both ends and the operator read it."""


class Shape(Table, frozen=True):
    """A record inside frames, or a frame."""

    name: str
    doc: Prose
    fields: tuple[Field, ...]
    sender: Role | None = None
    """None for a record."""
    rules: RuleIds = ()


class Frames(Table, frozen=True):
    """`frames.toml`."""

    tag_field: str
    records: tuple[Shape, ...]
    frames: tuple[Shape, ...]


class Refusal(Table, frozen=True):
    """Why a join is refused: the text is what goes over the wire in `auth_fail`."""

    id: str
    text: str
    doc: Prose
    next: Prose


class Closing(Table, frozen=True):
    """Why one end closes the WebSocket: code and reason of the close frame (RFC 6455 §7.4)."""

    id: str
    code: int
    reason: str
    doc: Prose


class Cause(Table, frozen=True):
    """Why a tunnel has ended for the end that says so."""

    id: str
    doc: Prose
    next: Prose
    closings: tuple[str, ...] = ()
    """The close reasons from which a guest learns this cause."""


class Failure(Table, frozen=True):
    """Why a message cannot be said."""

    id: str
    doc: Prose
    next: Prose


class Notice(Table, frozen=True):
    """The text of a system message, with its one placeholder, if any."""

    id: str
    text: str
    doc: Prose


class Refusals(Table, frozen=True):
    """`refusals.toml`: every answer of no, and every end."""

    refusals: tuple[Refusal, ...]
    closings: tuple[Closing, ...]
    causes: tuple[Cause, ...]
    failures: tuple[Failure, ...]
    notices: tuple[Notice, ...]


class Rule(Table, frozen=True):
    """One normative sentence."""

    id: str
    level: Level
    role: Role
    observable: Annotated[Observable, FREE]
    text: Sentence
    why: Prose = ""
    """The reason, where it is not plain; for `observable = "none"`, why it cannot be seen."""
    carried_by: Annotated[str, FREE] = "rows"
    """`rows` (a row or timer names it), or the part of an implementation that carries it out."""


class Rules(Table, frozen=True):
    """`rules.toml`."""

    rules: tuple[Rule, ...]


class ToolField(Table, frozen=True):
    """An argument of a tool, or a field of what it gives back."""

    name: str
    type: str
    """`string`, `boolean`, `integer`, `number`, `one of WORDS`, `RECORD`, `RECORD list`."""
    doc: Prose
    needed: bool = True
    """False for an argument that may be left out, and for a field that an implementation may lack."""
    nullable: bool = False


class ToolRecord(Table, frozen=True):
    """What a tool gives back, or a part of it; there may be more fields than these."""

    name: str
    doc: Prose
    fields: tuple[ToolField, ...]


class Tool(Table, frozen=True):
    """One thing that an agent can do."""

    name: str
    doc: Prose
    arguments: tuple[ToolField, ...]
    result: str
    """The name of a record."""


class Tools(Table, frozen=True):
    """`tools.toml`."""

    records: tuple[ToolRecord, ...]
    tools: tuple[Tool, ...]


class Step(Table, frozen=True):
    """One step of a conformance case: a verb, who does it, and what must be seen afterwards."""

    do: str
    by: str = ""
    args: dict[str, str | int | bool] = field(default_factory=dict[str, str | int | bool])
    expect: str = ""
    expects: dict[str, str | int | bool] = field(default_factory=dict[str, str | int | bool])
    tolerate: tuple[str, ...] = ()
    """Outcomes that are not this version's, but break nothing: reported as non-strict."""


class Case(Table, frozen=True):
    """A conversation that shows whether an implementation keeps some rules."""

    id: str
    title: str
    judges: Role
    rules: tuple[str, ...]
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    """`time` when protocol time must pass."""


class Verb(Table, frozen=True):
    """A verb of the cases: what the harness does."""

    name: str
    doc: Prose
    args: tuple[str, ...] = ()


class Outcome(Table, frozen=True):
    """An outcome that a step of a case may expect."""

    name: str
    doc: Prose
    args: tuple[str, ...] = ()


class Cases(Table, frozen=True):
    """`cases.toml`."""

    verbs: tuple[Verb, ...]
    outcomes: tuple[Outcome, ...]
    cases: tuple[Case, ...]


class State(Table, frozen=True):
    """A state of a machine."""

    name: str
    doc: Prose
    final: bool = False


class Event(Table, frozen=True):
    """Something that happens to a machine, with the facts that its conditions may ask for."""

    name: str
    source: str
    doc: Sentence
    facts: tuple[str, ...] = ()


class Timer(Table, frozen=True):
    """A span of time that starts when `runs_in` is entered and stops when it is left."""

    name: str
    duration: str
    """Name of a constant, in seconds."""
    runs_in: tuple[str, ...]
    passed_when: str
    """`elapsed > duration` or `elapsed >= duration`: whether the boundary itself is still good."""
    doc: Sentence
    restarts_on: tuple[str, ...] = ()
    """Actions (the verb alone) and events that set it back to zero while it runs."""
    fires: str = ""
    """The event that happens when it has passed; none for a timer that is only asked."""
    rules: RuleIds = ()


class ActionKind(Table, frozen=True):
    """A verb that rows may use, and the table in which its object stands."""

    name: str
    doc: Sentence
    takes: str = ""
    """`refusal`, `closing`, `cause`, `failure`, `notice`, or nothing."""


class Row(Table, frozen=True):
    """A transition. Rows of one (state, event) are tried from top to bottom."""

    id: str
    on: str
    leaves: tuple[str, ...] = field(name="from")
    """The states from which the row goes, by name or group; `from` in the table."""
    to: str
    when: str = ""
    do: tuple[str, ...] = ()
    rules: RuleIds = ()


class Invariant(Table, frozen=True):
    """What must hold after every step, however the rows are written."""

    id: str
    holds: str
    doc: Prose
    rules: RuleIds = ()


class Machine(Table, frozen=True):
    """`session.toml`, `connection.toml`, `guest.toml`."""

    machine: str
    title: Prose
    doc: Prose
    initial: str
    states: tuple[State, ...]
    events: tuple[Event, ...]
    timers: tuple[Timer, ...]
    actions: tuple[ActionKind, ...]
    transitions: tuple[Row, ...]
    invariants: Annotated[tuple[Invariant, ...], FREE]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def states_of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The states that the names stand for: a state itself, a group, or `live` (all but the final ones)."""
        found: list[str] = []
        for name in names:
            if name == "*":
                found += [state.name for state in self.states]
            elif name == "live":
                found += [state.name for state in self.states if not state.final]
            else:
                found += self.groups.get(name, (name,))
        return tuple(dict.fromkeys(found))

    def rows_for(self, state: str, event: str) -> tuple[Row, ...]:
        """The rows of one (state, event), in the order in which they are tried."""
        return tuple(row for row in self.transitions if row.on == event and state in self.states_of(row.leaves))


class Bundle(Table, frozen=True):
    """All tables of one wire version, as `spec.json` holds them for programs in any language."""

    protocol: Protocol
    frames: Frames
    refusals: Refusals
    rules: Rules
    tools: Tools
    cases: Annotated[Cases, FREE]
    machines: dict[str, Machine]

    @property
    def constants(self) -> dict[str, int]:
        """Every constant by its name."""
        return {constant.name: constant.value for constant in self.protocol.constants}

    def words_of(self, field: ToolField) -> tuple[str, ...]:
        """The words of a field that is `one of` some: one in capitals stands for all ids of that table of refusals."""
        words: list[str] = []
        for word in field.type.split()[2:]:
            words += (row.id for row in getattr(self.refusals, word.lower(), ())) if word.isupper() else (word,)
        return tuple(words)
