"""A program of the person's choice makes the relay reachable, and says in its output where. It ends with the tunnel."""

import asyncio
import os
import shlex
import shutil
from pathlib import Path
from typing import Final

from tunnel.core.text import visible
from tunnel.transport.base import TransportError
from tunnel.transport.child import Child
from tunnel.transport.presets import PORT, Preset
from tunnel.transport.setup import Setup
from tunnel.transport.urls import ANY_URL, NoUrlError, ended, first_url

EXAMPLE: Final = "`ssh -R 80:127.0.0.1:{port} nokey@localhost.run`"

URL_SECONDS: Final = 60.0
"""How long a command that we do not know may take to name its URL."""

_SHOWN_BYTES: Final = 100


def preset(preset: Preset, setup: Setup) -> "Command":
    """The transport that runs a program that we know."""
    return Command(preset, setup)


def command(setup: Setup) -> "Command":
    """The transport that runs TUNNEL_COMMAND; the first URL in its output is taken.

    Raises:
        TransportError: TUNNEL_COMMAND is no such command.
    """
    words = _words(setup.command)
    program = visible(words[0], _SHOWN_BYTES)
    return Command(
        Preset(
            name="command",
            command=words,
            needs=program,
            url=ANY_URL,
            seconds=URL_SECONDS,
            privacy=f"Whoever ends TLS for your command ({program}) can read the goal, the names, the system messages and a host's summary, "
            "and could answer in the host's place; what is said in chat is sealed end to end, and they cannot read that.",
            install="TUNNEL_COMMAND names it: correct it, or install the program.",
            notes="Its output must hold the public URL, before any other.",
        ),
        setup,
    )


class Command:
    """A program makes the relay reachable.

    Args:
        preset: how it is called, and how it says where.
        setup: the machine that it runs on.
    """

    listens_at: tuple[str, int] = ("127.0.0.1", 0)

    def __init__(self, preset: Preset, setup: Setup) -> None:
        self.name = preset.name
        self.privacy = preset.privacy
        self._preset = preset
        self._environment = setup.environment
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Future[None] | None = None
        self._child: Child | None = None
        self._is_stopped = False

    @property
    def lost(self) -> "asyncio.Future[str]":
        """Done when the program ends by itself."""
        return self._lost

    async def start(self, port: int) -> str:
        """Run the program, and wait for the URL that it names.

        Raises:
            TransportError: it is not there, names no URL, or was stopped meanwhile.
        """
        child = await self._run([word.replace(PORT, str(port)) for word in self._preset.command])
        try:
            url = await first_url(child, self._preset.url, self._preset.seconds)
        except NoUrlError as error:
            await child.stop()
            self._check_not_stopped()
            raise TransportError(
                f"{self._preset.needs} {error}. {self._preset.notes} Run it in a terminal to see more."
            ) from None
        except asyncio.CancelledError:
            await child.stop()
            raise
        child.exited.add_done_callback(self._ended)
        return url

    async def stop(self) -> None:
        """End the program."""
        self._is_stopped = True
        if self._starting:
            await asyncio.wait([self._starting])
        if self._child:
            await self._child.stop()

    async def _run(self, words: list[str]) -> Child:
        self._check_not_stopped()
        words[0] = self.program()
        self._starting = asyncio.get_running_loop().create_future()
        try:
            self._child = await Child.start(words, self._environment)
        finally:
            self._starting.set_result(None)
        return self._child

    def program(self) -> str:
        """Where the program is that is run.

        Raises:
            TransportError: it is not there.
        """
        # As a shell finds it, except that the working folder is never looked into: it may be a stranger's project.
        folders = [
            folder for folder in self._environment.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()
        ]
        found = shutil.which(self._preset.command[0], path=os.pathsep.join(folders))
        if found is None:
            raise TransportError(
                f"The program {self._preset.needs} is not installed, or not on PATH. {self._preset.install}"
            )
        return found

    def _check_not_stopped(self) -> None:
        if self._is_stopped:
            raise TransportError("The transport was stopped. Open the tunnel again if it is still wanted.")

    def _ended(self, exited: "asyncio.Future[int]") -> None:
        if not self._is_stopped and not self._lost.done():
            self._lost.set_result(f"{self._preset.needs} {ended(exited.result())}. Open the tunnel again.")


def _words(text: str) -> tuple[str, ...]:
    """The words of a command, as a shell would take them apart."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise _wrong(f"cannot be taken apart ({str(error).lower()}): quotation marks come in pairs") from None
    if not words:
        raise _wrong("is empty")
    if not words[0] or PORT in words[0]:
        raise _wrong("names no program")
    if not any(PORT in word for word in words):
        raise _wrong(f"has no {PORT}, where the relay's port belongs")
    return words


def _wrong(what: str) -> TransportError:
    return TransportError(
        f"TUNNEL_COMMAND {what}. Set it to a command that prints a public URL for the local port {PORT}, such as {EXAMPLE}."
    )
