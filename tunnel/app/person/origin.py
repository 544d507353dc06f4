"""Who is at the other end of a local socket, as the system knows it: a person at a terminal, or the agent's own client.

It keeps an agent's commands, which its client starts, from passing for its person's, also where the client is an editor whose
terminals are no children of what started the server. An agent that takes the trouble to run a command outside of its client,
on a terminal that it made itself, passes: it is the same user. Where nobody can tell, nobody passes.
"""

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from tunnel.app.person import processes
from tunnel.app.person.processes import Look, Process

MOST_ANCESTORS: Final = 256

LAUNCHERS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "uv", "uvx", "pipx", "mise", "direnv"})
"""Programs that a client starts a server through: what it starts otherwise is not their child."""

NOBODY_TELLS: Final = (
    "this system does not tell which process asks, so a person cannot be told from an agent. Let your client ask you, or set "
    "TUNNEL_BUDGET and restart the server"
)
_WITHIN: Final = "it was asked from within the agent's own client. Open a terminal of your own, outside of that program, and ask there"

_CREDENTIALS: Final = struct.Struct("3i")
_SOL_LOCAL, _LOCAL_PEERPID = 0, 2
"""How macOS is asked: `sys/un.h` has them, and Python does not."""
_PID: Final = struct.Struct("i")


class Connection(Protocol):
    """A local socket, as far as it is asked who is at its other end."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """What the system knows of it."""
        ...


def process_at(connection: Connection, system: str = sys.platform) -> int | None:
    """The process that has connected; None where the system does not tell.

    Args:
        connection: the socket.
        system: whose way of asking is used. Others have ways too, which differ.
    """
    try:
        match system:
            case "linux":
                option: int = socket.SO_PEERCRED
                return _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))[0]
            case "darwin":
                return _PID.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, _PID.size))[0]
            case _:
                return None
    # It may have hung up.
    except OSError:
        return None


def why_not_a_person(pid: int | None, client: int, system: Callable[[], Look | None] = processes.system) -> str | None:
    """Why a process does not count as a person's own command; None if it does. It may take a moment.

    Args:
        pid: the process; None if nobody knows.
        client: what started this server, so the agent's client, or a launcher of it; 1 when that is gone.
        system: how processes are looked at.
    """
    look = system()
    if pid is None or look is None:
        return NOBODY_TELLS
    asking = list(_line(pid, look))
    if not asking:
        return "it cannot be seen which process asks"
    if not asking[0].has_terminal:
        return "the process that asks has no terminal on which a person could be"
    if len(asking) == MOST_ANCESTORS:
        return "the process that asks has too many ancestors"
    if any(process.pid in _clients(client, look) for process in asking):
        return _WITHIN
    return None


def _clients(client: int, look: Look) -> set[int]:
    """The processes below which all is the agent's client's."""
    above = list(_line(client, look)) if client > 1 else []
    while len(above) > 1 and above[0].name in LAUNCHERS and not above[0].leads:
        above.pop(0)
    # An editor runs its terminals, and what starts servers, beside each other below one process of its own.
    return {process.pid for process in above if process.pid > 1 and process.runs_the_same_as(above[0])}


def _line(pid: int, look: Look) -> Iterator[Process]:
    """A process and its ancestors, so far as they can be seen."""
    for _ in range(MOST_ANCESTORS):
        process = look(pid)
        if process is None:
            return
        yield process
        pid = process.parent
