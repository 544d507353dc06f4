"""Controls a library without MCP: one JSON object per line on stdin and stdout, with the verbs and names of the MCP tools.

`line.schema.json` says what the lines are, and `python -m tunnel_conformance.subjects.lint -- COMMAND` whether a program
keeps to it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from tunnel_conformance.subjects import agent
from tunnel_conformance.subjects.base import Answer, Call
from tunnel_conformance.subjects.clock import Clock
from tunnel_conformance.subjects.dialogue import Dialogue, Message
from tunnel_conformance.subjects.process import Process


class LineLauncher:
    """Starts programs that read and write lines.

    Args:
        name: how people call the implementation.
        command: its words.
        environment: what the user gives to it.
        clock: makes it go faster.
        folder: where it runs; here, when left out.
    """

    control: Literal["mcp", "line"] = "line"

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        clock: Clock,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self._command = tuple(command)
        self._environment = dict(environment)
        self._folder = folder

    async def start(self, speed: float = 1.0) -> agent.Agent:
        """A new process, ready for calls.

        Raises:
            SubjectFault: it does not come about.
        """
        folder = self._folder or Path.cwd()
        return await agent.start(self._command, self._environment, self.clock, speed, folder, LineControl)


class LineControl:
    """Asks with lines.

    Args:
        process: the program.
        dialogue: with it.
    """

    def __init__(self, process: Process, dialogue: Dialogue) -> None:  # noqa: ARG002 - as for every control
        self._dialogue = dialogue
        dialogue.read = self._read

    async def lacks(self, what: Call, argument: str) -> bool:  # noqa: ARG002 - nobody says by lines what there is
        """Whether the program says that it takes no such argument: it has no way to."""
        return False

    async def greet(self, seconds: float) -> None:
        """There is nothing to agree on; but who answers this is awake.

        Raises:
            SubjectFault: it does not answer.
        """
        await self.call("status", {}, seconds)

    async def call(self, what: Call | Literal["no_such_tool"], arguments: Message, seconds: float) -> Answer:
        """Ask for something.

        Raises:
            SubjectFault: no answer comes.
        """
        answer = await self._dialogue.ask(
            {"do": what, "args": arguments}, f"'{what}'", seconds, is_long=what == "listen"
        )
        if "result" in answer:
            return Answer(result=cast(Message, answer["result"]))
        return Answer(error=str(answer["error"]))

    async def tools(self, seconds: float) -> frozenset[str] | None:  # noqa: ARG002 - as for every control
        """There is no question for that."""
        return None

    def _read(self, message: Message) -> bool:
        match message:
            case {"id": number, "result": dict()} if "error" not in message:
                return self._dialogue.answer(number, message)
            case {"id": number, "error": str()} if "result" not in message:
                return self._dialogue.answer(number, message)
            case _:
                return False
