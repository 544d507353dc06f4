"""What the kit asks of an implementation under test, however it is controlled."""

from typing import Literal, Protocol

from msgspec import Struct

from tunnel_conformance.subjects.clock import Clock

Call = Literal["open", "join", "say", "listen", "status", "close"]


class Answer(Struct, frozen=True, kw_only=True):
    """What a call came to: a result, or the text of an error that the implementation gave on purpose."""

    result: dict[str, object] | None = None
    error: str | None = None


class SubjectFault(Exception):
    """The implementation cannot be judged any further; the text says what it did, and `tail` what it wrote last on stderr."""

    def __init__(self, text: str, tail: str = "") -> None:
        super().__init__(text)
        self.tail = tail


class Absent(SubjectFault):
    """The command does not exist or cannot be run."""


class Died(SubjectFault):
    """The process ended without being asked to."""


class Hung(SubjectFault):
    """No answer came in time."""


class Babbled(SubjectFault):
    """What came on stdout is not the protocol that it is controlled by, or too much of it."""


class Subject(Protocol):
    """One process of the implementation, with one agent."""

    speed: float
    """How many times as fast its clock goes."""

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        """Have its agent do something. Names of arguments and results are those of the MCP tools (`goal`, `joinLink` ...).

        Args:
            what: the tool, without `tunnel_`.
            arguments: its arguments.
            seconds: real time that it may take.

        Raises:
            SubjectFault: no answer came, or none that is one.
        """
        ...

    async def tools(self, seconds: float) -> frozenset[str] | None:
        """The names of the tools that it says it has; None where there is no way to ask, or no list in its answer."""
        ...

    async def call_unknown(self, seconds: float) -> Answer:
        """Call a tool that does not exist: an implementation that says yes to it says nothing about itself."""
        ...

    async def lacks(self, what: Call, argument: str) -> bool:
        """Whether it says itself that a tool of its takes no such argument.

        Raises:
            SubjectFault: no answer came, or none that is one.
        """
        ...

    def reachable_at(self, join_link: str) -> tuple[str, int]:
        """Address and port of the relay behind a join link of its own: on loopback, also when the link says otherwise.

        Raises:
            SubjectFault: nobody told the port.
        """
        ...

    async def stop(self, seconds: float) -> int | None:
        """Ask the process to end (SIGTERM), and wait; its exit status, or None when it did not end in time."""
        ...

    async def end(self) -> None:
        """End it and everything that it started, whatever state it is in; nothing raises, nothing is left."""
        ...

    @property
    def tail(self) -> str:
        """What it wrote last on stderr, visible, bounded, with join links redacted."""
        ...


class Launcher(Protocol):
    """Starts processes of one implementation."""

    name: str
    control: Literal["mcp", "line"]
    clock: Clock

    async def start(self, speed: float = 1.0) -> Subject:
        """A new process, ready for calls.

        Raises:
            SubjectFault: it does not come about.
        """
        ...
