"""What a run leaves behind: a header, a verdict a case, and a footer. A run without its footer is no run."""

from enum import Enum
from typing import Literal

from msgspec import Struct


class Outcome(Enum):
    """How a case went."""

    PASS = "pass"  # noqa: S105 - it is no password
    """What the spec asks for was seen."""
    NON_STRICT = "non-strict"
    """Something else was seen that the case allows: it breaks nothing."""
    FAIL = "fail"
    """What was seen breaks a rule."""
    NOT_TESTABLE = "not testable"
    """The case needs something that this implementation or machine does not have; it counts against a MUST."""
    NOT_APPLICABLE = "not applicable"
    """The case does not concern this implementation."""
    ERROR = "error"
    """The implementation crashed or hung."""
    HARNESS = "harness"
    """The kit and the implementation did not get as far as the case."""


class Entry(Struct, frozen=True, kw_only=True, tag=False):
    """A line of a case's conversation."""

    at: float
    """Seconds of real time since the case began."""
    who: str
    """`A`, `B`, `X1` ... for the kit's peers, `subject` for the implementation's agent, `kit` for the kit itself."""
    what: Literal["sent", "received", "did", "answered", "opened", "closed", "time"]
    """`sent` and `received` as the kit's peer sees it; `did` and `answered` are calls of the implementation's agent."""
    text: str
    """The frame or the call, with keys, proofs and links redacted, cut when long."""


class Verdict(Struct, frozen=True, kw_only=True, tag="verdict", tag_field="record"):
    """How one case went on one implementation in one role (and, in a matrix, against one partner)."""

    case: str
    title: str
    role: Literal["host", "guest"]
    rules: tuple[str, ...]
    binding: bool
    """Whether it proves a MUST."""
    outcome: Outcome
    step: int | None = None
    """The step, counted from 1, at which it was decided; none when all of them held."""
    expected: str = ""
    got: str = ""
    note: str = ""
    """What a reader needs beside that: the tail of stderr, why it is not testable."""
    seconds: float = 0.0
    """Real time."""
    speed: float = 1.0
    """How many times as fast the implementation's clock went; 1 is real time."""
    partner: str = ""
    """In a matrix: the implementation at the other end."""
    log: tuple[Entry, ...] = ()


class Header(Struct, frozen=True, kw_only=True, tag="header", tag_field="record"):
    """What was judged, by what, and how."""

    kit: str
    """Version of the kit."""
    wire: int
    spec: str
    """SHA-256 of the spec."""
    subject: str
    """Name of the implementation."""
    role: Literal["host", "guest"]
    control: Literal["mcp", "line"]
    time: Literal["faketime", "constants", "real", "none"]
    """How protocol time was made to pass."""
    started: str
    """RFC 3339, UTC."""
    platform: str


class Footer(Struct, frozen=True, kw_only=True, tag="footer", tag_field="record"):
    """The end of a run."""

    totals: dict[str, int]
    """How many cases had which outcome."""
    seconds: float
    exit_status: int


Record = Header | Verdict | Footer


class Run(Struct, frozen=True, kw_only=True):
    """One implementation in one role."""

    header: Header
    verdicts: tuple[Verdict, ...]
    footer: Footer
