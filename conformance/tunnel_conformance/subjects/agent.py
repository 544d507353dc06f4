"""An implementation's process with its agent, whatever protocol the agent is controlled by."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

from tunnel_conformance.subjects.base import Answer, Call, Died
from tunnel_conformance.subjects.clock import Clock
from tunnel_conformance.subjects.dialogue import Dialogue, Message
from tunnel_conformance.subjects.place import Place
from tunnel_conformance.subjects.process import Process

READY_SECONDS: Final = 60.0
"""How long a program may take until it answers for the first time: some compile themselves."""


EMPTY_HOME: Final = 'It runs with an empty HOME; --env HOME="$HOME" gives it yours.'
"""What keeps many a command from starting: it looks there for what it was told to run."""


class Control(Protocol):
    """How an agent is spoken to."""

    async def greet(self, seconds: float) -> None:
        """Say what has to be said before everything else."""
        ...

    async def call(self, what: Call | Literal["no_such_tool"], arguments: Message, seconds: float) -> Answer:
        """Have the agent do something."""
        ...

    async def lacks(self, what: Call, argument: str) -> bool:
        """Whether the agent is told of a tool that takes no such argument."""
        ...

    async def tools(self, seconds: float) -> frozenset[str] | None:
        """The names of the tools that it says it has; None where it cannot be asked."""
        ...


class Agent:
    """One process of an implementation, with one agent."""

    def __init__(self, speed: float, place: Place, process: Process, control: Control) -> None:
        self.speed = speed
        self.process = process
        self.place = place
        self._control = control

    async def call(self, what: Call, arguments: dict[str, object], seconds: float) -> Answer:
        """Have it do something; see `Subject`."""
        return await self._control.call(what, arguments, seconds)

    async def tools(self, seconds: float) -> frozenset[str] | None:
        """The names of the tools that it says it has."""
        return await self._control.tools(seconds)

    async def call_unknown(self, seconds: float) -> Answer:
        """Have it do what nobody can."""
        return await self._control.call("no_such_tool", {}, seconds)

    async def lacks(self, what: Call, argument: str) -> bool:
        """Whether it says itself that a tool of its takes no such argument."""
        return await self._control.lacks(what, argument)

    def reachable_at(self, join_link: str) -> tuple[str, int]:
        """Address and port of the relay behind a join link of its own."""
        return self.place.stand_in.reachable_at(join_link)

    async def stop(self, seconds: float) -> int | None:
        """Ask the process to end (SIGTERM), and wait; its exit status, or None when it did not end in time."""
        return await self.process.stop(seconds)

    async def end(self) -> None:
        """End it and everything that it started; nothing is left."""
        try:
            await self.process.end()
        finally:
            self.place.remove()

    @property
    def tail(self) -> str:
        """What it wrote last on stderr."""
        return self.process.tail


async def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    clock: Clock,
    speed: float,
    folder: Path,
    control: Callable[[Process, Dialogue], Control],
) -> Agent:
    """A new process, ready for calls.

    Args:
        command: its words.
        environment: what the user gives to it.
        clock: makes it go faster.
        speed: how much faster.
        folder: where it runs.
        control: how it is spoken to.

    Raises:
        SubjectFault: it does not come about.
    """
    place = Place(os.environ, {**environment, **clock.environment(speed)})
    try:
        agent = await _start(command, place, speed, folder, control)
    except BaseException as error:
        place.remove()
        if isinstance(error, Died) and "HOME" not in environment:
            raise Died(f"{error} {EMPTY_HOME}", error.tail) from None
        raise
    return agent


async def _start(
    command: Sequence[str], place: Place, speed: float, folder: Path, control: Callable[[Process, Dialogue], Control]
) -> Agent:
    process = Process()
    dialogue = Dialogue(process)
    speaking = control(process, dialogue)
    await process.start(command, place.environment, folder, dialogue, leaves=place.folder)
    try:
        await speaking.greet(READY_SECONDS)
    except BaseException:
        await process.end()
        raise
    return Agent(speed, place, process, speaking)
