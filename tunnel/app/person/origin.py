"""Who is at the other end of a local socket, as the system knows it: a person at a terminal, or the agent's own client.

It keeps an agent's commands, which are children of its client, from passing for its person's. An agent that takes the
trouble to run a command outside of its client, on a terminal that it made itself, passes: it is the same user.
"""

import socket
import struct
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")

PEER: Final[int | None] = getattr(socket, "SO_PEERCRED", None)
"""How Linux is asked who has connected; elsewhere nobody is asked."""

MOST_ANCESTORS: Final = 256

_CREDENTIALS: Final = struct.Struct("3i")
_PARENT, _TERMINAL = 1, 4
"""Places in `/proc/PID/stat` behind the command's name."""


def process_at(connection: socket.socket, option: int | None = PEER) -> int | None:
    """The process that has connected; None where the system does not tell."""
    if option is None:
        return None
    pid, _, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return pid


def why_not_a_person(pid: int | None, client: int, proc: Path = PROC) -> str | None:
    """Why a process does not count as a person's own command; None if it does, or if the system does not tell.

    Args:
        pid: the process.
        client: what started this server, so the agent's client; 1 when that is gone.
        proc: where the system shows its processes.
    """
    if pid is None or not (proc / "self").exists():
        return None
    found = _stat(pid, proc)
    if found is None:
        return "it cannot be seen which process asks"
    if not int(found[_TERMINAL]):
        return "the process that asks has no terminal on which a person could be"
    for _ in range(MOST_ANCESTORS):
        if pid == client and client > 1:
            return "it was asked from within the agent's own client. Open a terminal of your own and ask there"
        found = _stat(pid, proc)
        if found is None or pid <= 1:
            return None
        pid = int(found[_PARENT])
    return "the process that asks has too many ancestors"


def _stat(pid: int, proc: Path) -> list[str] | None:
    try:
        return (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
