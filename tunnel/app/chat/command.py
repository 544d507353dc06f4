"""The command `chat`: a person takes one end of a tunnel. Its exit status is 0 when the talk ended as talks do, else 1."""

import asyncio
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, NoReturn

from msgspec import Struct

from tunnel.app import stderr
from tunnel.app.arguments import whole_text
from tunnel.app.chat import show
from tunnel.app.chat.talk import Face, Talk
from tunnel.app.hosting import Hosting
from tunnel.app.identity import display_name
from tunnel.app.joining import Joining
from tunnel.app.log import Logs
from tunnel.app.settings import Settings, read_settings
from tunnel.app.signals import on_signals
from tunnel.app.slot import Tunnel
from tunnel.errors import TheirFault, TunnelError
from tunnel.io.clock import Clock, SystemClock
from tunnel.spec.v1.constants import GOAL_BYTES
from tunnel.transport.base import Transport
from tunnel.transport.choose import choose
from tunnel.transport.setup import Setup

EXIT_SECONDS: Final = 1.5
"""How long telling the peer and giving everything back may take when this process is asked to end."""

_LINK: Final = re.compile(r"wss?://|/t/[0-9a-f]+#", re.IGNORECASE)
_DUMB: Final = frozenset({"", "dumb", "unknown"})
"""Values of TERM of terminals on which nothing can be drawn."""


class LinkInPublicError(TheirFault):
    """A join link was given where others can read it."""


class NoGoalError(TheirFault):
    """A tunnel is to be opened for nothing."""


class Wishes(Struct, frozen=True, kw_only=True):
    """What the command was told."""

    goal: str | None = None
    """What the tunnel is for; None to join one."""
    transport: str = ""
    name: str = ""
    """By which the peer knows this side; what is found when it is empty."""

    def check(self) -> None:
        """Whether it can be what the person meant.

        Raises:
            LinkInPublicError: a join link is among it.
            NoGoalError: the goal is blank.
        """
        if any(_LINK.search(text) for text in (self.goal or "", self.transport, self.name)):
            raise LinkInPublicError(
                "That looks like a join link, and a link is never an argument: others on this machine can read it there, and "
                "it stays in your shell's history. Ask for a new one, run `tunnel-mcp chat`, and paste it when it asks."
            )
        if self.goal is not None and not self.goal.strip():
            raise NoGoalError(
                "The goal behind --open is blank, and it is what your peer sees first. Say in a few words what the tunnel is "
                'for, as in --open "pair on the failing build"; to join a tunnel, leave --open out.'
            )


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the talk stands on."""

    settings: Settings
    environment: Mapping[str, str]
    clock: Clock
    entropy: Callable[[int], bytes] = os.urandom
    transport: Callable[[str, Setup], Transport] = choose


def run(wishes: Wishes) -> NoReturn:
    """Talk, then end the process at once, also when a thread hangs in a name lookup, which nothing can interrupt."""
    stderr.keep_values_out()
    with asyncio.Runner() as runner:
        status = runner.run(_until_asked(wishes))
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # nobody may read it, or there is none
                stream.flush()
        os._exit(status)


async def _until_asked(wishes: Wishes) -> int:
    surroundings = Surroundings(settings=read_settings(os.environ), environment=os.environ, clock=SystemClock())
    for sentence in (*surroundings.settings.problems, *surroundings.settings.warnings):
        stderr.report(f"tunnel-mcp: {sentence}")
    chatting = asyncio.ensure_future(chat(wishes, _face(), surroundings))
    on_signals(chatting.cancel)
    await asyncio.wait([chatting])
    return 0 if chatting.cancelled() else chatting.result()


async def chat(wishes: Wishes, face: Face, surroundings: Surroundings) -> int:
    """Open or join, and talk until it is over; the exit status."""
    try:
        wishes.check()
        name = await display_name(wishes.name.strip() or surroundings.settings.name)
        tunnel = await (_open if wishes.goal is not None else _join)(wishes, name, face, surroundings)
        return 0 if tunnel is None or await _talk(tunnel, face) else 1
    except TunnelError as error:
        face.stop()
        await face.close()
        face.tell(f"tunnel-mcp: {error}")
        return 1
    finally:
        await face.close()


async def _talk(tunnel: Tunnel, face: Face) -> bool:
    try:
        return await Talk(tunnel, face).run()
    finally:
        await asyncio.wait([asyncio.ensure_future(tunnel.exit())], timeout=EXIT_SECONDS)


async def _open(wishes: Wishes, name: str, face: Face, around: Surroundings) -> Tunnel:
    goal = whole_text("the goal", wishes.goal or "", GOAL_BYTES)
    around.settings.check()
    setup = around.settings.setup(around.environment, face.tell)
    transport = around.transport(wishes.transport or around.settings.transport, setup)
    hosting = Hosting(goal, name, transport, around.clock, around.entropy, _logs(around.settings, face))
    join_link = await hosting.open()
    face.tell(show.opened(hosting.status(), join_link.text, transport.name, transport.privacy))
    return hosting


async def _join(_wishes: Wishes, name: str, face: Face, around: Surroundings) -> Tunnel | None:
    join_link = await face.link()
    if join_link is None:
        return None
    face.tell("Joining the tunnel.")
    logs, way = _logs(around.settings, face), around.settings.way()
    joining = Joining(join_link, name, around.clock, around.entropy, logs, way)
    await joining.join()
    face.tell(show.joined(joining.status()))
    return joining


def _logs(settings: Settings, face: Face) -> Logs | None:
    if not settings.keeps_log:
        return None
    logs = Logs(settings.home, face.tell)
    logs.sweep()
    return logs


def _face() -> Face:
    if os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "") not in _DUMB:
        from tunnel.app.chat.screen import screen

        return screen()
    from tunnel.app.chat.pipes import Pipes

    return Pipes(0, 1, stderr.report)
