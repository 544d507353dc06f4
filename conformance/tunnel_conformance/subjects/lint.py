"""Tries a program that is to be controlled by lines: plays the kit's side against it, and checks each line that it writes.

`python -m tunnel_conformance.subjects.lint -- COMMAND` runs it twice, as host and as guest of one tunnel. With `--subject`
instead of a command it plays the program's side on its own stdin and stdout, and checks each line that it is asked.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Literal, cast

import click
import msgspec

from tunnel_conformance.subjects import agent, forms, lint_subject
from tunnel_conformance.subjects.base import Answer, Call, SubjectFault
from tunnel_conformance.subjects.clock import RealTime
from tunnel_conformance.subjects.dialogue import Dialogue, Message
from tunnel_conformance.subjects.line import LineControl
from tunnel_conformance.subjects.process import Process
from tunnel_conformance.subjects.shown import shown

SECONDS: Final = 10.0
"""How long an answer may take."""

_WAITING_SECONDS: Final = 0.3
"""How long it is watched whether a listen waits."""

Say = Callable[[str], None]


async def lint(command: Sequence[str], environment: Mapping[str, str], say: Say, seconds: float = SECONDS) -> int:
    """Run a command as host and as guest of one tunnel.

    Args:
        command: its words.
        environment: what it gets beside the usual.
        say: is given a line for every question, and for everything that is wrong.
        seconds: how long an answer may take.

    Returns:
        How many things are wrong.
    """
    checks: list[_Checked] = []

    def control(process: Process, dialogue: Dialogue) -> _Checked:
        checks.append(_Checked(process, dialogue, "host" if not checks else "guest", say, seconds))
        return checks[-1]

    started: list[agent.Agent] = []
    try:
        host = await agent.start(command, environment, RealTime(), 1.0, Path.cwd(), control)
        started.append(host)
        started.append(await agent.start(command, environment, RealTime(), 1.0, Path.cwd(), control))
        await _talk(host, *checks)
    except SubjectFault as fault:
        say(f"WRONG  {fault}")
        if fault.tail:
            say(f"It wrote last on stderr:\n{fault.tail}")
        return 1 + sum(check.wrong for check in checks)
    finally:
        for subject in started:
            await subject.end()
    return sum(check.wrong_in_all for check in checks)


async def _talk(host: agent.Agent, hosts: "_Checked", guests: "_Checked") -> None:
    for check in (hosts, guests):
        await check.must_fail("no_such_tool", "something that there is not")
    opened = await hosts.must("open", {"goal": "try the lines"})
    link = str(opened.get("joinLink"))
    await hosts.must("listen", {"sinceSeq": 0, "timeoutMs": 0})
    address, port = host.reachable_at(link)
    near = f"ws://{f'[{address}]' if ':' in address else address}:{port}/t/{link.partition('/t/')[2]}"
    await guests.must("join", {"joinLink": near})
    said = await guests.must("say", {"text": "hello"})
    for check in (hosts, guests):
        heard = await check.must("listen", {"sinceSeq": 0, "timeoutMs": 5000})
        check.claim("hello" in str(heard.get("messages")), f"did not hear message {said.get('seq')}, 'hello'")
    # Two questions at once, of which the second is answered first.
    seq = said.get("seq")
    since = seq if isinstance(seq, int) else 0
    waiting = asyncio.ensure_future(guests.must("listen", {"sinceSeq": since, "timeoutMs": 20_000}))
    try:
        await guests.must("status", {})
        await asyncio.wait([waiting], timeout=_WAITING_SECONDS)
        guests.claim(not waiting.done(), "did not wait for a message while it was asked something else")
        await hosts.must("close", {"summary": "it works"})
        guests.must_know_why(await waiting, "closed_by_host")
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])
    await guests.must("close", {})


class _Checked:
    """Asks with lines, and checks what is answered.

    Args:
        process: the program.
        dialogue: with it.
        who: it is.
        say: is given what is found.
        seconds: how long an answer may take.
    """

    def __init__(self, process: Process, dialogue: Dialogue, who: str, say: Say, seconds: float) -> None:
        self._seconds = seconds
        self.wrong = 0
        self._who = who
        self._say = say
        self._dialogue = dialogue
        self._control = LineControl(process, dialogue)
        self._read = dialogue.read
        dialogue.read = self._checked

    @property
    def wrong_in_all(self) -> int:
        """How many things are wrong, stray lines included."""
        for stray in self._dialogue.strays:
            self._complain(f"a line on stdout that is no answer: '{stray}'")
        return self.wrong

    async def greet(self, seconds: float) -> None:
        """Ask for the status, as the kit does first."""
        self._judge("status", await self.call("status", {}, seconds))

    async def call(self, what: Call | Literal["no_such_tool"], arguments: Message, seconds: float) -> Answer:
        """Ask for something."""
        return await self._control.call(what, arguments, seconds)

    async def tools(self, seconds: float) -> frozenset[str] | None:
        """There is no question for that."""
        return await self._control.tools(seconds)

    async def lacks(self, what: Call, argument: str) -> bool:
        """Whether it says that it takes no such argument."""
        return await self._control.lacks(what, argument)

    async def must(self, what: Call, arguments: Message) -> Message:
        """Ask for what has no business to fail; its result."""
        answer = await self.call(what, arguments, self._seconds)
        self._judge(what, answer)
        if answer.result is None:
            raise SubjectFault(f"The {self._who}'s '{what}' failed, so that there is nothing to go on with.")
        return answer.result

    async def must_fail(self, what: Literal["no_such_tool"], called: str) -> None:
        """Ask for what nobody can do."""
        answer = await self.call(what, {}, self._seconds)
        self.claim(answer.result is None, f"{called} is answered with a result; it must be an error")

    def must_know_why(self, listened: Message, because: str) -> None:
        """The listen that the end of the tunnel has ended says why, where there is a place for it."""
        status = cast(Message, listened["status"])
        if "closedBecause" not in status:
            self._say(
                f"note   {self._who} status has no closedBecause: cases that ask why a tunnel is over are not testable"
            )
            return
        told = status["closedBecause"]
        self.claim(told == because, f"is not told why the tunnel is over: closedBecause is {told!r}, not '{because}'")

    def claim(self, holds: object, otherwise: str) -> None:
        """Complain when something does not hold."""
        if not holds:
            self._complain(otherwise)

    def _judge(self, what: Call, answer: Answer) -> None:
        try:
            if answer.error is not None:
                self._complain(f"{what}: {shown(answer.error)}")
            else:
                msgspec.convert(answer.result, forms.RESULTS[what])
                self._say(f"ok     {self._who} {what}")
        except msgspec.ValidationError as error:
            self._complain(f"{what}: {shown(str(error))} in its result")

    def _checked(self, message: Message) -> bool:
        try:
            msgspec.convert(message, forms.Answer)
        except msgspec.ValidationError as error:
            self._complain(f"an answer: {shown(str(error))}")
        return self._read(message)

    def _complain(self, what: str) -> None:
        self.wrong += 1
        self._say(f"WRONG  {self._who} {what}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--subject", is_flag=True, help="Play the program's side on stdin and stdout.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(*, subject: bool, command: tuple[str, ...]) -> None:
    """Try a program that is to be controlled by lines."""
    if subject:
        stdin: IO[bytes] = sys.stdin.buffer
        sys.exit(lint_subject.play(stdin, sys.stdout.buffer, lambda text: click.echo(text, err=True)))
    if not command:
        raise click.UsageError("Name the program behind '--', or say --subject.")
    wrong = asyncio.run(lint(command, {}, click.echo))
    click.echo(f"{wrong} wrong" if wrong else "All lines are as they should be.")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
